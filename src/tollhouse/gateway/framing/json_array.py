"""A stream that is one JSON array, as Gemini sends it without ``alt=sse``, cut after each element."""

import re

from tollhouse.gateway.framing.frame import Frame

# All up to the next bracket outside strings; it stops before a string that has not ended.
_PLAIN = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
# The rest of a string up to its closing quote; it stops before a backslash whose other half has not come.
_IN_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


class JsonArrayFramer:
    """Cuts after each element that is an object or an array; ``limit_bytes`` is the most that is held back.

    Separators, brackets and elements of other kinds stand before the next element in its frame, or in a last frame
    without data. A longer element passes as it comes, in frames without data. A lone object is an element too, and what
    is no JSON at all is the data of one frame at the end.
    """

    __slots__ = (
        "_base",
        "_depth",
        "_element",
        "_held",
        "_is_in_string",
        "_is_oversize",
        "_limit",
        "_position",
        "has_unread",
    )

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held = bytearray()
        self._position = 0
        self._element = -1
        self._depth = 0
        self._base = -1
        self._is_in_string = False
        self._is_oversize = False
        self.has_unread = False

    def feed(self, chunk: bytes) -> list[Frame]:
        """The elements that ``chunk`` completes."""
        self._held += chunk
        frames: list[Frame] = []
        while self._advance():
            self._step(frames)
        if self._is_oversize or len(self._held) > self._limit:
            self._is_oversize = self.has_unread = True
            self._cut(self._position, frames)
        return frames

    def finish(self) -> list[Frame]:
        """What is left at the end of the stream: an element that was cut, or what closes the array."""
        raw = bytes(self._held)
        self._held.clear()
        if not raw:
            return []
        if self._is_oversize:
            return [Frame(raw, None)]
        is_foreign = self._base < 0
        data = raw if is_foreign else raw[self._element :] if self._element >= 0 else b""
        return [Frame(raw, data.strip() or None)]

    def _advance(self) -> bool:
        """Go to the next bracket; False where the bytes end before it."""
        held = self._held
        while True:
            pattern = _IN_STRING if self._is_in_string else _PLAIN
            found = pattern.match(held, self._position)
            self._position = found.end() if found else len(held)
            if self._position == len(held) or held[self._position] == 0x5C:
                return False
            if held[self._position] != 0x22:
                return True
            self._is_in_string = not self._is_in_string
            self._position += 1

    def _step(self, frames: list[Frame]) -> None:
        is_opening = self._held[self._position] in b"{["
        if self._base < 0:
            self._base = 1 if self._held[self._position] == 0x5B else 0
        if is_opening and self._depth == self._base:
            self._element = self._position
        self._depth += 1 if is_opening else -1
        self._position += 1
        if not is_opening and self._depth <= self._base:
            self._cut(self._position, frames)
            self._is_oversize = False

    def _cut(self, end: int, frames: list[Frame]) -> None:
        raw = bytes(self._held[:end])
        is_readable = self._element >= 0 and len(raw) <= self._limit and not self._is_oversize
        self.has_unread = self.has_unread or len(raw) > self._limit
        if raw:
            frames.append(Frame(raw, raw[self._element :] if is_readable else None))
        del self._held[:end]
        self._position -= end
        self._element = -1
