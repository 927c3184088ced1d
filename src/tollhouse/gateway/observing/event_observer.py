"""What the observers of all protocols share: reading an event, and keeping raw what cannot be held."""

from typing import Any, TypeVar

import msgspec

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.observing.errors import error_of_body
from tollhouse.gateway.observing.json_text import UNREADABLE, Json, decode, read, read_head
from tollhouse.gateway.observing.observer import Observed


class WholeBody(msgspec.Struct):
    """What every protocol's whole body may hold."""

    error: Any = None


_Whole = TypeVar("_Whole", bound=WholeBody)


class EventObserver:
    """Reads events that are JSON objects; each protocol says in ``_take`` what they mean.

    Frames without data (comments, events longer than the framer's limit) are not kept.
    """

    __slots__ = ("_forgotten", "_raw", "_raw_bytes", "seen")

    def __init__(self) -> None:
        self.seen = Observed()
        self._raw: list[bytes] = []
        self._raw_bytes = 0
        self._forgotten = 0

    def observe(self, frame: Frame) -> int:
        """Take one event of a stream and say what it is: 0 or a sum of CONTENT, TERMINAL, ERROR and USAGE_ONLY."""
        data = frame.data
        if data is None:
            return 0
        try:
            event = decode(data)
        except UNREADABLE:
            return self._take_odd(data, frame)
        return self._take(event, frame) if type(event) is dict else self._take_other(frame)

    def raw_events(self) -> bytes:
        """The raw bytes of the events that ``assembled`` cannot hold, joined; b"" where there are none."""
        return b"".join(self._raw)

    @property
    def held_bytes(self) -> int:
        """What is held of the answer: what the model made, and raw events."""
        return self.seen.content_bytes - self._forgotten + self._raw_bytes

    def forget(self) -> None:
        """Let go of what is held, of which nothing will be asked; what ``seen`` says goes on."""
        self._raw.clear()
        self._raw_bytes = 0
        self._forgotten = self.seen.content_bytes
        self._forget_content()

    def _forget_content(self) -> None:
        """A protocol that holds nothing has nothing to forget."""

    def _read_whole(
        self, body: bytes, status: int, decoder: "msgspec.json.Decoder[_Whole]", kind: type[_Whole]
    ) -> _Whole | None:
        """The members of a whole unary body, its error noted; None if it is no object."""
        self.seen.is_complete = True
        head = read_head(body, decoder, kind)
        if status >= 400 or head is None or head.error is not None:
            self.seen.error = error_of_body(body)
        return head

    def _take(self, event: Json, frame: Frame) -> int:
        raise NotImplementedError

    def _take_odd(self, data: bytes, frame: Frame) -> int:
        """An event that msgspec refuses."""
        event, is_exact = read(data)
        if not isinstance(event, dict):
            return self._keep(frame)
        if not is_exact:
            self._keep(frame)
        return self._take(event, frame)

    def _take_other(self, frame: Frame) -> int:
        """An event that is JSON, but no object."""
        return self._keep(frame)

    def _keep(self, frame: Frame) -> int:
        if not self._raw or self._raw[-1] is not frame.raw:
            self._raw.append(frame.raw)
            self._raw_bytes += len(frame.raw)
        return 0
