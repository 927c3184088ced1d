"""The way of an answer to the client: framed, observed, held back while another attempt could still replace it."""

import json
import time

from tollhouse.gateway.attempt import AttemptState
from tollhouse.gateway.call import Call
from tollhouse.gateway.client import Client
from tollhouse.gateway.framing.frame import Frame, Framer
from tollhouse.gateway.headers import Pairs
from tollhouse.gateway.observing.observer import CONTENT, ERROR, TERMINAL
from tollhouse.gateway.pipeline import Pipeline
from tollhouse.gateway.translation.answer import Failed
from tollhouse.spool.records import StreamEvents

_MOST_EVENTS = 100_000


class StreamRelay:
    """One attempt's stream on its way to the client.

    Nothing is sent before ``is_committed``. The terminal event stays in ``held`` until the call's record is written:
    whoever has it knows that the call is logged.
    """

    __slots__ = (
        "_absorbed",
        "_attempt",
        "_call",
        "_client",
        "_framer",
        "_headers",
        "_is_forgetful",
        "_last",
        "_most",
        "_pipeline",
        "event_count",
        "has_content",
        "held",
        "is_committed",
        "is_terminal",
        "moments",
        "shown",
        "size",
        "sizes",
    )

    def __init__(
        self,
        call: Call,
        attempt: AttemptState,
        client: Client,
        *,
        headers: Pairs,
        framer: Framer,
        pipeline: Pipeline,
        is_held: bool,
    ) -> None:
        self._call = call
        self._attempt = attempt
        self._client = client
        self._headers = headers
        self._framer = framer
        self._pipeline = pipeline
        self.shown = pipeline.shown
        self.held: list[bytes] = []
        self._last = b""
        self._most = call.payloads.max_bytes
        self._is_forgetful = False
        self._absorbed = 0
        self.is_committed = not is_held
        self.is_terminal = False
        self.has_content = False
        self.size = 0
        self.event_count = 0
        self.moments: list[int] = []
        self.sizes: list[int] = []

    @property
    def content_type(self) -> str | None:
        """What the head says of the body."""
        return next((value.decode("latin-1") for name, value in self._headers if name == b"content-type"), None)

    @property
    def is_over(self) -> bool:
        """Whether the provider has sent its terminal event."""
        return bool(self._pipeline.said & TERMINAL)

    @property
    def has_error(self) -> bool:
        """Whether the provider has sent an error inside its stream."""
        return bool(self._pipeline.said & ERROR)

    @property
    def events(self) -> StreamEvents:
        """When each event came, and its size; of a very long stream the first 100,000."""
        return StreamEvents(milliseconds=self.moments, bytes=self.sizes)

    @property
    def is_cut(self) -> bool:
        """Whether what the client got cannot be logged whole: an event was too long to be read, or all to be held."""
        is_unread = self._framer.has_unread and self.shown is self._pipeline.upstream
        return is_unread or self._is_forgetful

    def absorb(self, chunk: bytes) -> None:
        """Read what has come from the provider; ``pass_on`` sends it."""
        self._take_frames(self._framer.feed(chunk))
        if self._framer.has_unread and not self.has_content:
            self._note_content()  # whatever the event is
        self._absorbed += len(chunk)
        if self._absorbed > self._most:
            self._forget()

    def finish(self) -> None:
        """The provider's stream has ended; of one without its terminal event ``break_off`` writes the end."""
        self._take_frames([frame for frame in self._framer.finish() if self.is_over or self._is_whole(frame)])
        seen = self._pipeline.upstream.seen
        if seen.is_complete or seen.error is not None:
            self._hold(self._pipeline.finish())

    def _is_whole(self, frame: Frame) -> bool:
        """Whether the last event of a stream, which lacks its end, is one: a part of an event is nobody's, and a
        comma alone would stand before the array's own error.
        """
        if frame.data is None or frame.data == b"[DONE]":
            return self._call.style == "sse"
        try:
            json.loads(frame.data)
        except (ValueError, RecursionError):
            return False
        return True

    def break_off(self, failed: Failed) -> None:
        """The provider's stream broke: an event of which only a part has come is nobody's."""
        self._hold(self._pipeline.break_off(failed))

    def _take_frames(self, frames: list[Frame]) -> None:
        for frame in frames:
            self._hold(self._pipeline.take(frame))

    def _hold(self, frames: list[Frame]) -> None:
        now = (time.monotonic_ns() - self._call.started_ns) // 1_000_000
        for frame in frames:
            flags = self._pipeline.flags(frame)
            if flags & CONTENT and not self.has_content:
                self._note_content()
            if flags & TERMINAL:
                self.is_terminal = True
            size = len(frame.raw)
            self.size += size
            self.event_count += 1
            if self.event_count <= _MOST_EVENTS:
                self.moments.append(now)
                self.sizes.append(size)
            self.held.append(frame.raw)
            self._last = frame.raw

    def _forget(self) -> None:
        """Hold no more of a stream than may be logged of it."""
        for observer in (self.shown, self._pipeline.upstream):
            if observer.held_bytes > self._most:
                observer.forget()
                self._is_forgetful = True

    def _note_content(self) -> None:
        self.has_content = True
        self._attempt.note_first_byte()
        self._call.record.time_to_first_byte_ms = self._call.elapsed_ms()

    def after_last(self, event: bytes) -> bytes:
        """``event`` as it must follow what has been passed on, which may have ended inside an event."""
        is_inside = bool(self._last) and not self._last.endswith((b"\n\n", b"\r\r", b"\r\n\r\n"))
        return b"\n\n" + event if is_inside and self._call.style == "sse" else event

    async def pass_on(self) -> None:
        """Send what may be sent: nothing before the commitment, and no terminal event."""
        if not self.is_committed and not self.has_content:
            return
        if self.is_terminal or not self.held:
            return
        await self.commit()
        data, self.held = b"".join(self.held), []
        await self._client.write(data)

    async def commit(self) -> None:
        """Send the head: from now on there is no other attempt."""
        self.is_committed = True
        if not self._client.has_started:
            await self._client.start(200, self._headers)

    async def end(self, last: bytes = b"") -> None:
        """Send all that is held, and ``last``, as the end of the response."""
        await self.commit()
        await self._client.end(b"".join([*self.held, last]))
