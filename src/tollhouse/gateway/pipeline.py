"""What happens to each event between the provider and the client. A guardrail is a stage of it."""

from typing import Protocol

from tollhouse.gateway.framing.frame import Frame, Framer
from tollhouse.gateway.observing.observer import USAGE_ONLY, Observer
from tollhouse.gateway.translation.answer import Failed
from tollhouse.gateway.translation.halves import AnswerReader, AnswerWriter


class Pipeline(Protocol):
    """Takes the provider's events and gives the client's, each keeping its raw bytes.

    ``upstream`` observes what the provider sent, ``shown`` what the client gets; ``said`` is all that the provider's
    events were, as ``Observer.observe`` says it.
    """

    upstream: Observer
    shown: Observer
    said: int

    def take(self, frame: Frame) -> list[Frame]:
        """The client's events that one of the provider's makes possible: none, one or several."""
        ...

    def finish(self) -> list[Frame]:
        """The client's last events, once the provider's stream has ended."""
        ...

    def break_off(self, failed: Failed, /) -> list[Frame]:
        """The client's last events where the provider's stream broke: none where the protocol is the same."""
        ...

    def flags(self, frame: Frame, /) -> int:
        """What an event that ``take`` or ``finish`` has just given is, as ``Observer.observe`` says it."""
        ...


class Passing:
    """The same protocol on both sides: events pass as they are, save a usage chunk that the client did not ask for."""

    __slots__ = ("_flags", "_hides_usage", "said", "shown", "upstream")

    def __init__(self, observer: Observer, *, hides_usage: bool) -> None:
        self.upstream = observer
        self.shown = observer
        self.said = 0
        self._hides_usage = hides_usage
        self._flags = 0

    def take(self, frame: Frame) -> list[Frame]:
        self._flags = flags = self.upstream.observe(frame)
        self.said |= flags
        return [] if flags & USAGE_ONLY and self._hides_usage else [frame]

    def finish(self) -> list[Frame]:
        return []

    def break_off(self, _: Failed, /) -> list[Frame]:
        return []

    def flags(self, _: Frame, /) -> int:
        return self._flags


class Translating:
    """Another family's protocol: events are read, and written anew in the caller's."""

    __slots__ = ("_framer", "_reader", "_writer", "said", "shown", "upstream")

    def __init__(
        self, upstream: Observer, shown: Observer, reader: AnswerReader, writer: AnswerWriter, framer: Framer
    ) -> None:
        self.upstream = upstream
        self.shown = shown
        self.said = 0
        self._reader = reader
        self._writer = writer
        self._framer = framer

    def take(self, frame: Frame) -> list[Frame]:
        self.said |= self.upstream.observe(frame)
        return self._framed(self._writer.write(self._reader.read(frame)))

    def finish(self) -> list[Frame]:
        return [*self._framed(self._writer.finish()), *self._framer.finish()]

    def break_off(self, failed: Failed, /) -> list[Frame]:
        return [*self._framed(self._writer.write([failed])), *self.finish()]

    def flags(self, frame: Frame, /) -> int:
        return self.shown.observe(frame)

    def _framed(self, events: list[bytes]) -> list[Frame]:
        return self._framer.feed(b"".join(events)) if events else []
