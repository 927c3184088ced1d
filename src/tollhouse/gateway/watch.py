"""What may end a call from outside while it waits: its client leaves, or a deadline passes."""

import asyncio
from typing import Literal

from tollhouse.gateway.request_body import Receive, received_at_once

Reason = Literal["client_left", "first_token", "idle", "total"]

_YOUNG_SECONDS = 0.005


class InterruptedCallError(Exception):
    """The call was interrupted for ``reason``."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Nursery:
    """The watches of a worker's youngest calls, on one timer: one that ends within 5 ms needs no timer and no task of
    its own. Deadlines of young calls may be kept 10 ms late.
    """

    def __init__(self) -> None:
        self._young: set[Watch] = set()
        self._older: set[Watch] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, watch: "Watch") -> None:
        self._young.add(watch)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_YOUNG_SECONDS, self._grow)

    def remove(self, watch: "Watch") -> None:
        self._young.discard(watch)
        self._older.discard(watch)

    def _grow(self) -> None:
        grown, self._older, self._young = self._older, self._young, set()
        for watch in grown:
            watch.grow()
        is_needed = bool(self._older)
        self._timer = asyncio.get_running_loop().call_later(_YOUNG_SECONDS, self._grow) if is_needed else None


class Watch:
    """Interrupts the task that began it, by cancelling it; ``reason`` tells such a cancellation from any other.

    One timer serves all deadlines: moving a deadline back is an assignment, not another timer.
    """

    is_client_gone = False
    reason: Reason | None = None
    _is_open = False
    _is_young = False
    _drains = False
    _at = _total_at = _idle = float("inf")
    _what: Reason = "total"
    _timer: asyncio.TimerHandle | None = None
    _task: "asyncio.Task[object] | None" = None
    _listening: asyncio.Task[None] | None = None

    def __init__(self, nursery: Nursery, receive: Receive) -> None:
        self._nursery = nursery
        self._receive = receive
        self._loop = asyncio.get_running_loop()

    def begin(self, total_seconds: float, *, drains: bool = False) -> None:
        """From now on the call may be interrupted; that the client leaves is only seen by receiving.

        ``drains``: a client that leaves interrupts nothing, since a read that is cancelled cannot be taken up again.
        """
        self._drains = drains
        self._task = asyncio.current_task()
        self._is_open = self._is_young = True
        self._total_at = self._at = self._loop.time() + total_seconds
        self._nursery.add(self)

    def grow(self) -> None:
        """The call is not young any more: from now on its watch has its own timer and its own task."""
        self._is_young = False
        self._listening = self._loop.create_task(self._await_disconnect())
        self._schedule()

    def expect(self, what: Reason, seconds: float) -> None:
        """Something must happen within ``seconds`` from now."""
        at = self._loop.time() + seconds
        self._what, self._at = (what, at) if at < self._total_at else ("total", self._total_at)
        if not self._is_young and (self._timer is None or self._timer.when() > self._at):
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
        """``end``, and InterruptedCallError where the client has just left."""
        is_unheard = self._is_young
        self.end()
        if is_unheard:
            message = received_at_once(self._receive)
            self.is_client_gone = message is not None and message["type"] == "http.disconnect"
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
        if self.reason is None or self._task is None:
            raise asyncio.CancelledError
        self._task.uncancel()
        reason, self.reason = self.reason, None
        return InterruptedCallError(reason)

    def end(self) -> None:
        """Nothing interrupts any more."""
        self._is_open = False
        if self._is_young:
            self._is_young = False
            self._nursery.remove(self)
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None

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
        if self._is_open and self.reason is None and self._task is not None:
            self.reason = reason
            self._task.cancel()

    async def _await_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._is_open:
            self.is_client_gone = True
            if not self._drains:
                self._interrupt("client_left")
