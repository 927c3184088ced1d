"""One line of a segment: ``{"crc32c":"0a1b2c3d","sequence":17,"record":"OUTCOME",...}`` and a newline.

The checksum is the CRC32C of every byte between itself and the newline. Header and footer lines have no sequence.
"""

import json

import msgspec
from crc32c import crc32c

PREFIX = b'{"crc32c":"'
BODY_START = len(PREFIX) + 8 + 1

NOT_FRAMED = "not framed: the line does not begin with a crc32c member"
NOT_TERMINATED = "torn: the line has no newline"
BAD_CHECKSUM = "bad checksum: the bytes of the line are not those that were written"
NOT_JSON = "not JSON"


class Head(msgspec.Struct):
    """The members that every line has; header and footer have no ``sequence``."""

    record: str
    sequence: int | None = None


_heads = msgspec.json.Decoder(Head)


def frame(sequence: int, encoded: bytes) -> bytes:
    """The line of a record: ``encoded`` is its JSON object in UTF-8, not empty and without newline."""
    return _checksummed(b',"sequence":%d,%b' % (sequence, encoded[1:]))


def frame_mark(encoded: bytes) -> bytes:
    """The line of a header or footer, which has no sequence number."""
    return _checksummed(b",%b" % encoded[1:])


def _checksummed(body: bytes) -> bytes:
    return b'{"crc32c":"%08x"%b\n' % (crc32c(body), body)


def damage(line: bytes) -> str | None:
    """Why ``line`` (with its newline) is not what a writer wrote; None for a whole line."""
    if not line.endswith(b"\n"):
        return NOT_TERMINATED
    if line[: len(PREFIX)] != PREFIX or line[BODY_START - 1 : BODY_START] != b'"':
        return NOT_FRAMED
    if line[len(PREFIX) : BODY_START - 1] != b"%08x" % crc32c(memoryview(line)[BODY_START:-1]):
        return BAD_CHECKSUM
    return None


def read_head(line: bytes) -> Head | str:
    """The record kind and sequence of a whole line, or why the line is damaged."""
    reason = damage(line)
    if reason is not None:
        return reason
    try:
        return _heads.decode(line)
    except msgspec.DecodeError as error:
        return _lenient_head(line) or f"{NOT_JSON}: {error}"


def _lenient_head(line: bytes) -> Head | None:
    """A usage object, kept verbatim, may hold a lone surrogate: that is no strict JSON, and no reason to lose it."""
    try:
        return msgspec.convert(json.loads(line), Head)
    except (ValueError, msgspec.ValidationError):
        return None
