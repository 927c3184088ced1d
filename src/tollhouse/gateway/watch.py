"""What may end a call from outside while it waits: its client leaves, or a deadline passes."""

import asyncio
from typing import Literal

from tollhouse.gateway.request_body import Receive

Reason = Literal["client_left", "first_token", "idle", "total"]


class InterruptedCallError(Exception):
    """The call was interrupted for ``reason``."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Watch:
    """Interrupts the task that made it, by cancelling it; ``reason`` tells such a cancellation from any other.

    One timer serves all deadlines: moving a deadline back is an assignment, not another timer.
    """

    __slots__ = (
        "_at",
        "_drains",
        "_idle",
        "_is_open",
        "_listening",
        "_loop",
        "_task",
        "_timer",
        "_total_at",
        "_what",
        "is_client_gone",
        "reason",
    )

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a call is served in a task")
        self._task = task
        self._total_at = self._at = self._idle = float("inf")
        self._what: Reason = "total"
        self._timer: asyncio.TimerHandle | None = None
        self._listening: asyncio.Task[None] | None = None
        self._is_open = self._drains = False
        self.reason: Reason | None = None
        self.is_client_gone = False

    def begin(self, total_seconds: float, receive: Receive, *, drains: bool = False) -> None:
        """From now on the call may be interrupted; that the client leaves is only seen by receiving.

        ``drains``: a client that leaves interrupts nothing, since a read that is cancelled cannot be taken up again.
        """
        self._drains = drains
        self._is_open = True
        self._total_at = self._at = self._loop.time() + total_seconds
        self._listening = self._loop.create_task(self._await_disconnect(receive))

    def expect(self, what: Reason, seconds: float) -> None:
        """Something must happen within ``seconds`` from now."""
        at = self._loop.time() + seconds
        self._what, self._at = (what, at) if at < self._total_at else ("total", self._total_at)
        if self._timer is None or self._timer.when() > self._at:
            self._schedule()

    def expect_more(self, seconds: float) -> None:
        """From now on no silence may last longer than ``seconds``; ``touch`` at every sign of life."""
        self._idle = seconds
        self.expect("idle", seconds)

    def touch(self) -> None:
        """A sign of life."""
        if self._what == "idle":
            self._at = min(self._loop.time() + self._idle, self._total_at)

    async def close(self) -> None:
        """Nothing interrupts any more. Raises InterruptedCallError where the client has just left."""
        self._is_open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.reason is not None:
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                interruption = self.interruption()
                if interruption.reason == "client_left":
                    raise interruption from None
        self.check_client()

    def check_client(self) -> None:
        """Raises InterruptedCallError where the client has left."""
        if self.is_client_gone:
            raise InterruptedCallError("client_left")

    def interruption(self) -> InterruptedCallError:
        """The error to raise for the CancelledError just caught. Raises CancelledError where it is not this watch's."""
        if self.reason is None:
            raise asyncio.CancelledError
        self._task.uncancel()
        reason, self.reason = self.reason, None
        return InterruptedCallError(reason)

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._loop.time() < self._at:
            self._schedule()
        else:
            self._interrupt("total" if self._at >= self._total_at else self._what)

    def _interrupt(self, reason: Reason) -> None:
        if self._is_open and self.reason is None:
            self.reason = reason
            self._task.cancel()

    async def _await_disconnect(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if self._is_open:
            self.is_client_gone = True
            if not self._drains:
                self._interrupt("client_left")
