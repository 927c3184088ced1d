"""A framed event: what the response path hands from stage to stage."""

from typing import Protocol

import msgspec


class Frame(msgspec.Struct, gc=False):
    """One event of a stream, or the whole body of a unary response.

    ``raw`` is its bytes exactly as they came, separators included: joined, the frames are the stream. ``data`` is what
    it says (the joined data lines of an SSE event, one element of a JSON array, a unary body); None where it says
    nothing (a comment, a blank line, brackets) or is longer than the framer's limit.
    """

    raw: bytes
    data: bytes | None


class Framer(Protocol):
    """Cuts chunks as they come, wherever they were split; memory stays within its limit.

    ``has_unread``: an event was longer than the limit, so that nobody has read it.
    """

    has_unread: bool

    def feed(self, chunk: bytes) -> list[Frame]:
        """The events that ``chunk`` completes."""
        ...

    def finish(self) -> list[Frame]:
        """What is left at the end of the stream: an event that lacks its blank line is one."""
        ...
