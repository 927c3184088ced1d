"""A segment file: its name, its header and footer lines, and what they tell a reader."""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tollhouse.spool.frame import damage, frame_mark, read_head
from tollhouse.spool.times import from_text

_MARK_BYTES = 4096
_NAME = re.compile(r"(\d{12})(\.open)?\.jsonl")


class SegmentHeader(msgspec.Struct, tag_field="record", tag="SEGMENT", kw_only=True):
    """First line of a segment. ``first_sequence`` is the number of its first record, written or still to come."""

    format_version: int
    spool_id: str
    segment_number: int
    first_sequence: int
    created_at: str


class Seal(msgspec.Struct, tag_field="record", tag="SEAL", kw_only=True):
    """Last line of a sealed segment.

    ``record_count`` counts the lines between header and footer, ``bytes`` and ``sha256`` cover every byte before the
    footer. ``last_sequence`` is null when there is no record. ``is_recovered``: sealed after its writer had died.
    ``is_suspect``: the disk reported an error while the segment was written, so compare the SHA-256 before use.
    """

    spool_id: str
    segment_number: int
    created_at: str
    record_count: int
    first_sequence: int
    last_sequence: int | None
    bytes: int
    sha256: str
    sealed_at: str
    is_recovered: bool = False
    is_suspect: bool = False


_headers = msgspec.json.Decoder(SegmentHeader)
_seals = msgspec.json.Decoder(Seal)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Segment:
    """A segment as its header and footer describe it.

    ``bytes`` is the size of the whole file. ``record_count`` and the sequences count what lies between header and
    footer (damaged lines too, each of which had a number); while a segment is open they are 0 and None. ``sha256`` is
    None while the segment is open or when its footer cannot be read.
    """

    path: Path
    spool_id: str
    number: int
    is_sealed: bool
    is_recovered: bool
    record_count: int
    first_sequence: int | None
    last_sequence: int | None
    bytes: int
    sha256: str | None
    created_at: datetime
    sealed_at: datetime | None
    is_suspect: bool = False


@dataclass(frozen=True)
class Scan:
    """Every line of a file in short: its header if whole, its footer if whole, and what lies between."""

    header: SegmentHeader | None
    seal: Seal | None
    record_count: int
    first_sequence: int | None
    last_sequence: int | None
    whole_bytes: int


def segment_path(slot: Path, number: int, *, is_open: bool) -> Path:
    """Where segment ``number`` of a slot lies while it is written and once it is sealed."""
    return slot / (f"{number:012}.open.jsonl" if is_open else f"{number:012}.jsonl")


def segment_number(path: Path) -> int | None:
    """The number in a segment's file name; None for any other file."""
    match = _NAME.fullmatch(path.name)
    return None if match is None else int(match[1])


def is_open_name(path: Path) -> bool:
    return path.name.endswith(".open.jsonl")


def segment_paths(slot: Path) -> list[Path]:
    """The segment files of a slot in the order of their numbers, sealed before open."""
    found = [path for path in slot.iterdir() if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.name.split(".")[0])


def encode_mark(mark: SegmentHeader | Seal) -> bytes:
    """The line of a header or footer."""
    return frame_mark(_encoder.encode(mark))


def decode_header(line: bytes) -> SegmentHeader | None:
    """The header that ``line`` is, None when it is damaged or something else."""
    try:
        return None if damage(line) else _headers.decode(line)
    except msgspec.DecodeError:
        return None


def decode_seal(line: bytes) -> Seal | None:
    """The footer that ``line`` is, None when it is damaged or something else."""
    try:
        return None if damage(line) else _seals.decode(line)
    except msgspec.DecodeError:
        return None


def is_header_line(line: bytes) -> bool:
    """Whether a segment's first line is its header, be it damaged; False when a lost newline glued a record to it."""
    return b',"sequence":' not in line


def is_footer_line(line: bytes) -> bool:
    """Whether a line is a footer, be it damaged, and not a record."""
    start = line[:64]
    return b'"record":"SEAL"' in start and b',"sequence":' not in start


def scan(path: Path) -> Scan:
    """Read all lines of ``path``. A damaged line is taken for a record and given the number after its neighbour's."""
    header: SegmentHeader | None = None
    seal: Seal | None = None
    sequences: list[int | None] = []
    whole_bytes = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            is_first = whole_bytes == 0
            whole_bytes += len(line)
            if is_first and is_header_line(line):
                header = decode_header(line)
            elif is_footer_line(line):
                seal = decode_seal(line)
            else:
                seal = None
                head = read_head(line)
                sequences.append(None if isinstance(head, str) else head.sequence)
    first, last = _outer_sequences(sequences, None if header is None else header.first_sequence)
    return Scan(header, seal, len(sequences), first, last, whole_bytes)


def _outer_sequences(sequences: list[int | None], first: int | None) -> tuple[int | None, int | None]:
    known = [(place, sequence) for place, sequence in enumerate(sequences) if sequence is not None]
    if not known:
        start = 1 if first is None else first
        return (start, start + len(sequences) - 1) if sequences else (first, None)
    place, sequence = known[-1]
    return known[0][1] - known[0][0] if first is None else first, sequence + len(sequences) - 1 - place


def describe(path: Path, spool_id: str) -> Segment | None:
    """The segment at ``path`` out of its first and last lines; None when it has not even a header yet.

    ``spool_id`` is the slot's. A sealed segment whose footer is damaged is read through to count its lines, and is
    suspect. Raises OSError.
    """
    number = segment_number(path)
    is_open = is_open_name(path)
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        header = decode_header(file.readline(_MARK_BYTES))
        file.seek(max(0, status.st_size - _MARK_BYTES))
        seal = None if is_open else decode_seal(_last_line(file.read(_MARK_BYTES)))
    if number is None or (header is None and is_open):
        return None
    if seal is not None:
        return _sealed(path, number, seal, status.st_size)
    return _without_footer(path, number, header, spool_id, status)


def _without_footer(
    path: Path, number: int, header: SegmentHeader | None, spool_id: str, status: os.stat_result
) -> Segment:
    is_open = is_open_name(path)
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    lines = None if is_open else scan(path)
    return Segment(
        path=path,
        spool_id=spool_id if header is None else header.spool_id,
        number=number,
        is_sealed=not is_open,
        is_recovered=False,
        record_count=0 if lines is None else lines.record_count,
        first_sequence=None if lines is None or lines.last_sequence is None else lines.first_sequence,
        last_sequence=None if lines is None else lines.last_sequence,
        bytes=status.st_size,
        sha256=None,
        created_at=modified if header is None else from_text(header.created_at),
        sealed_at=None if is_open else modified,
        is_suspect=not is_open,
    )


def _sealed(path: Path, number: int, seal: Seal, size: int) -> Segment:
    first = None if seal.last_sequence is None else seal.first_sequence
    return Segment(
        path=path,
        spool_id=seal.spool_id,
        number=number,
        is_sealed=True,
        is_recovered=seal.is_recovered,
        record_count=seal.record_count,
        first_sequence=first,
        last_sequence=seal.last_sequence,
        bytes=size,
        sha256=seal.sha256,
        created_at=from_text(seal.created_at),
        sealed_at=from_text(seal.sealed_at),
        is_suspect=seal.is_suspect,
    )


def _last_line(tail: bytes) -> bytes:
    start = tail.rfind(b"\n", 0, len(tail) - 1) + 1
    return tail[start:]
