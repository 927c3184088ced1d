"""Cutting an object's bytes into records, line by line, value by value or row by row, within bounded memory."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from tollhouse.sources.framing import MAX_RECORD_BYTES, FramingReport, Piece
from tollhouse.sources.strict_json import NotJsonError, normalize

CHUNK_BYTES = 2**20
# What zlib unpacked of one read is lost where the read ends in damage: small reads lose little.
_PACKED_BYTES = 2**14
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"
_TOO_LARGE = f"larger than {MAX_RECORD_BYTES // 2**20} MiB, the most that a record may have"
_TORN = "torn: the file ends inside this record"

_SEPARATORS = re.compile(rb"[ \t\r\n,]*")
# Possessive: a torn string of 20 MiB is passed once, without a step of backtracking for each of its characters.
_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.DOTALL)
_SCALAR = re.compile(rb'(?:"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|[^,\]\n])++|\]')


class Readable(Protocol):
    """What a window reads from."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""
        ...


class Window:
    """The part of a stream that is in memory, and the offset of its reading position in the object."""

    def __init__(self, stream: Readable, head: bytes = b"", offset: int = 0) -> None:
        self._stream = stream
        self._base = offset
        self.data = head
        self.position = 0

    @property
    def offset(self) -> int:
        """Offset in the object of the next byte."""
        return self._base + self.position

    @property
    def pending(self) -> int:
        """Bytes in memory that are not consumed."""
        return len(self.data) - self.position

    def fill(self) -> bool:
        """Read on; False at the end. Reads double with what is pending, so that a large record costs linear time."""
        chunk = self._stream.read(max(CHUNK_BYTES, self.pending))
        self._base += self.position
        self.data = self.data[self.position :] + chunk
        self.position = 0
        return bool(chunk)

    def take(self, size: int) -> bytes:
        """Consume ``size`` bytes of memory."""
        start, self.position = self.position, self.position + size
        return self.data[start : self.position]

    def line(self) -> tuple[bytes | None, int]:
        """Consume a line with its end and return it and its size; None for one that is too large, b"" at the end."""
        searched = 0
        while (end := self.data.find(b"\n", self.position + searched)) < 0:
            searched = self.pending
            if searched > MAX_RECORD_BYTES:
                return None, self._skip_line()
            if not self.fill():
                return self.take(searched), searched
        size = end + 1 - self.position
        line = self.take(size)
        return (line if size <= MAX_RECORD_BYTES + 2 else None), size

    def skip_all(self) -> int:
        """Consume everything, and return how many bytes that was."""
        size = 0
        while True:
            size += len(self.take(self.pending))
            if not self.fill():
                return size

    def _skip_line(self) -> int:
        size = 0
        while (end := self.data.find(b"\n", self.position)) < 0:
            size += len(self.take(self.pending))
            if not self.fill():
                return size
        return size + len(self.take(end + 1 - self.position))


@dataclass(slots=True)
class Cutter:
    """Cuts what a window shows; bytes between records are counted here, those of records where they are checked."""

    window: Window
    report: FramingReport
    is_complete: bool = True

    def lines(self) -> Iterator[Piece]:
        """One record a line; blank lines separate. A last line without end is a record where it parses."""
        while True:
            offset = self.window.offset
            line, size = self.window.line()
            if line is None:
                yield Piece(offset, None, size, reason=_TOO_LARGE)
            elif not line:
                return
            elif not line.endswith(b"\n") and (reason := _torn(line)):
                yield from self._tail(offset, line, reason)
            else:
                yield from self._stripped(offset, line)

    def values(self, *, is_array: bool) -> Iterator[Piece]:
        """One record a JSON value, over any number of lines: the elements of an array, or values one after another."""
        if is_array:
            self._skip_separators()
            self._separate(1)
        while self._skip_separators():
            if is_array and self.window.data[self.window.position : self.window.position + 1] == b"]":
                self._separate(1)
                is_array = False
            else:
                yield from self._value()

    def rows(self) -> Iterator[Piece]:
        """One record a row of CSV, header first; a quoted field may hold line ends."""
        while True:
            offset = self.window.offset
            row, is_torn = self._row()
            if row is None:
                yield Piece(offset, None, self.window.offset - offset, reason=_TOO_LARGE)
            elif not row:
                return
            elif is_torn:
                yield from self._tail(offset, row, _TORN)
            else:
                yield from self._stripped(offset, row)

    def skip_byte_order_mark(self) -> None:
        """Count a byte order mark at the window's position as separator."""
        if self.window.data.startswith(BYTE_ORDER_MARK, self.window.position):
            self._separate(len(BYTE_ORDER_MARK))

    def _row(self) -> tuple[bytes | None, bool]:
        parts: list[bytes] = []
        size = quotes = 0
        while True:
            line, line_bytes = self.window.line()
            size += line_bytes
            if line is None or size > MAX_RECORD_BYTES:
                self.window.skip_all()
                return None, False
            quotes += line.count(b'"')
            parts.append(line)
            if not line or (quotes % 2 == 0):
                return b"".join(parts), quotes % 2 == 1 or not (line.endswith(b"\n") or self.is_complete)

    def _value(self) -> Iterator[Piece]:
        window = self.window
        offset = window.offset
        is_nested = window.data[window.position] in b"{["
        size = self._nested_end() if is_nested else self._scalar_end()
        if size is None:
            yield Piece(offset, None, window.skip_all(), reason=f"{_TOO_LARGE}; what follows it was not read")
        elif size < 0:
            yield from self._tail(offset, window.take(window.pending), _TORN)
        else:
            yield from self._stripped(offset, window.take(size))

    def _nested_end(self) -> int | None:
        """Return the size of the value at the window's position; -1 where it is torn, None where too large."""
        depth = seen = 0
        window = self.window
        while True:
            for token in _TOKENS.finditer(window.data, window.position + seen):
                size = token.end() - token.start()
                first = window.data[token.start()]
                if first == 0x22 and size == 1:
                    seen = token.start() - window.position
                    break
                depth += (first in b"{[") - (first in b"}]")
                seen = token.end() - window.position
                if depth == 0:
                    return seen if seen <= MAX_RECORD_BYTES else None
            if window.pending > MAX_RECORD_BYTES:
                return None
            if not window.fill():
                return -1

    def _scalar_end(self) -> int | None:
        while True:
            match = _SCALAR.match(self.window.data, self.window.position)
            size = match.end() - self.window.position if match else 1
            if size < self.window.pending:
                return size
            if self.window.pending > MAX_RECORD_BYTES:
                return None
            if not self.window.fill():
                return self.window.pending

    def _skip_separators(self) -> bool:
        while True:
            match = _SEPARATORS.match(self.window.data, self.window.position)
            self._separate(match.end() - self.window.position if match else 0)
            if self.window.pending:
                return True
            if not self.window.fill():
                return False

    def _separate(self, size: int) -> None:
        self.report.separator_bytes += len(self.window.take(size))

    def _stripped(self, offset: int, data: bytes) -> Iterator[Piece]:
        bare = data.strip(_BLANKS)
        self.report.separator_bytes += len(data) - len(bare)
        if bare:
            yield Piece(offset + len(data) - len(data.lstrip(_BLANKS)), bare, len(bare))

    def _tail(self, offset: int, data: bytes, reason: str) -> Iterator[Piece]:
        if self.is_complete:
            yield Piece(offset, data, len(data), reason=reason)
        else:
            self.report.bytes_left += len(data)


def _torn(line: bytes) -> str | None:
    """Say why a last line without end is no record."""
    if not line.strip(_BLANKS):
        return None
    try:
        normalize(line.strip(_BLANKS))
    except NotJsonError as error:
        return f"{_TORN} ({error.reason})"
    return None


class Unpacker:
    """Reads gzip, any number of members; ``damage`` says what was wrong, and everything before it is still read."""

    def __init__(self, stream: BinaryIO, head: bytes) -> None:
        self._stream = stream
        self._packed = head
        self._member = zlib.decompressobj(wbits=31)
        self.damage: str | None = None

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` unpacked bytes, none at the end or where the damage begins."""
        while self.damage is None:
            if not self._packed:
                self._packed = self._stream.read(_PACKED_BYTES)
            is_end = not self._packed
            unpacked = self._unpack(size)
            if unpacked:
                return unpacked
            if is_end:
                self._check_end()
                break
        return b""

    def _unpack(self, size: int) -> bytes:
        if self._member.eof and self._packed:
            self._member = zlib.decompressobj(wbits=31)
        try:
            unpacked = self._member.decompress(self._packed, size)
        except zlib.error as error:
            self.damage = f"gzip is damaged: {error}"
            return b""
        self._packed = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return unpacked

    def _check_end(self) -> None:
        if not self._member.eof:
            self.damage = "gzip is torn: the file ends inside it"
