"""Reading the request log: what segments there are, what is in them, what is missing.

Every function works beside running writers. A file that vanishes meanwhile was deleted or sealed by somebody else:
lists leave it out, and what reads one segment follows it to its sealed name or raises SourceError.
"""

import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from tollhouse.errors import SourceError, SpoolError
from tollhouse.spool.disk import Disk, storage_error
from tollhouse.spool.frame import read_head
from tollhouse.spool.recovery import catch_up, open_segments, seal_left_open
from tollhouse.spool.segment import (
    Segment,
    decode_seal,
    describe,
    is_footer_line,
    is_header_line,
    segment_path,
    segment_paths,
)
from tollhouse.spool.slot import locked, note_deletion, read_state, slot_folders


@dataclass(frozen=True)
class Line:
    """One line between header and footer. ``offset`` is where it begins in the file, in bytes.

    ``raw`` is the line without its newline. ``damage`` says why it is not what was written (then ``sequence`` and
    ``record`` are None), and is None for a whole record.
    """

    offset: int
    raw: bytes
    sequence: int | None
    record: str | None
    damage: str | None


def list_segments(root: Path | str) -> list[Segment]:
    """All segments under ``root``, open ones too, by creation, spool and number; none where ``root`` does not exist.

    Reads header and footer only. Raises SourceError for a folder or file without permission.
    """
    with _readable(Path(root)):
        slots = slot_folders(Path(root))
    found = [segment for slot in slots for segment in slot_segments(slot)]
    return sorted(found, key=lambda segment: (segment.created_at, segment.spool_id, segment.number))


def slot_segments(slot: Path) -> list[Segment]:
    """The segments of one slot by their numbers. Raises SourceError."""
    with _readable(slot):
        state = read_state(slot)
        paths = segment_paths(slot) if state else []
    found: dict[int, Segment] = {}
    for path in paths:
        segment = _describe(path, state.spool_id if state else "")
        if segment is not None:
            found[segment.number] = segment
    return [found[number] for number in sorted(found)]


def _describe(path: Path, spool_id: str) -> Segment | None:
    with _readable(path):
        try:
            return describe(path, spool_id)
        except FileNotFoundError:
            sealed = path.with_name(path.name.replace(".open.", "."))
        try:
            return describe(sealed, spool_id)
        except FileNotFoundError:
            return None


def recover(root: Path | str, now: datetime) -> list[Segment]:
    """Seal as recovered what dead writers left open under ``root``, cutting torn tails; the segments sealed.

    A slot whose lock a writer holds is left alone, and so is one with nothing to seal. Raises SpoolError without
    permission and StorageError when the disk refuses.
    """
    with _readable(Path(root)):
        slots = slot_folders(Path(root))
    sealed: list[Segment] = []
    for slot in slots:
        sealed.extend(_recover_slot(slot, now))
    return sealed


def _recover_slot(slot: Path, now: datetime) -> list[Segment]:
    try:
        if not open_segments(slot):
            return []
        with locked(slot / "lock", is_waiting=False) as is_free:
            state = read_state(slot) if is_free else None
            if state is None:
                return []
            state, paths = seal_left_open(slot, catch_up(slot, state), Disk(), now)
    except PermissionError as error:
        raise SpoolError(
            f"no permission to seal what a dead writer left open in {slot}: {error.filename or slot}",
            hint="run as the user who owns the spool, or give this user read and write permission on the folder",
        ) from error
    except OSError as error:
        raise storage_error("recover", slot, error) from error
    return [segment for path in paths if (segment := _describe(path, state.spool_id)) is not None]


def verify(segment: Segment) -> bool:
    """Whether the file's bytes before its footer have the footer's size and SHA-256; False for an open segment.

    Raises SourceError when the file has vanished or may not be read.
    """
    if segment.sha256 is None:
        return False
    with _opened(segment) as file:
        file.seek(max(0, segment.bytes - _FOOTER_BYTES))
        footer = file.read().removesuffix(b"\n").rsplit(b"\n", 1)[-1] + b"\n"
        seal = decode_seal(footer)
        if seal is None or seal.bytes + len(footer) != segment.bytes:
            return False
        file.seek(0)
        return _sha256(file, seal.bytes) == seal.sha256


_FOOTER_BYTES = 4096
_CHUNK_BYTES = 4 << 20


def _sha256(file: BinaryIO, size: int) -> str:
    digest = hashlib.sha256()
    while size > 0 and (chunk := file.read(min(_CHUNK_BYTES, size))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()


def read_lines(segment: Segment) -> Iterator[Line]:
    """Each record of ``segment`` in order, and each damaged line with the reason why it is set aside.

    Header and footer are left out, damaged ones too (``verify`` tells). The tail that a writer is just writing to an
    open segment is left out as well. Raises SourceError when the file has vanished or may not be read.
    """
    offset = 0
    with _opened(segment) as file:
        for line in file:
            start, offset = offset, offset + len(line)
            if (start == 0 and is_header_line(line)) or is_footer_line(line):
                continue
            if line.endswith(b"\n") or segment.is_sealed:
                yield _line(start, line)


def _line(offset: int, line: bytes) -> Line:
    head = read_head(line)
    raw = line.removesuffix(b"\n")
    if isinstance(head, str):
        return Line(offset, raw, None, None, head)
    if head.sequence is None:
        return Line(offset, raw, None, None, f"not a record: a {head.record} line has no sequence number")
    return Line(offset, raw, head.sequence, head.record, None)


def delete(segment: Segment) -> None:
    """Remove a sealed segment for good and note that it was on purpose, so that it never counts as missing.

    To be called only once the commit that took it in has been read again. A segment that is gone already is fine.
    Raises SpoolError for an open segment or without permission, StorageError when the disk refuses.
    """
    if not segment.is_sealed:
        raise SpoolError(f"{segment.path} is still open", hint="delete it once it is sealed and committed")
    try:
        note_deletion(Disk(), segment.path.parent, segment.number)
        segment.path.unlink(missing_ok=True)
    except FileNotFoundError:
        return
    except PermissionError as error:
        raise SpoolError(
            f"no permission to delete {segment.path}",
            hint=f"give this user write permission on {segment.path.parent}, or run as the user who owns the spool",
        ) from error
    except OSError as error:
        raise storage_error("delete", segment.path, error) from error


@contextmanager
def _opened(segment: Segment) -> Generator[BinaryIO]:
    sealed = segment_path(segment.path.parent, segment.number, is_open=False)
    with _readable(segment.path):
        path = segment.path if segment.path.exists() else sealed
        try:
            file = path.open("rb")
        except FileNotFoundError as error:
            raise SourceError(
                f"{segment.path} has vanished", hint="somebody deleted the segment; list the segments again"
            ) from error
    with file:
        yield file


@contextmanager
def _readable(path: Path) -> Generator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except PermissionError as error:
        raise SourceError(
            f"no permission to read {error.filename or path}",
            hint="give this user read permission on the spool's folders and files, or run as the user who owns them",
        ) from error
    except OSError as error:
        raise storage_error("read", path, error) from error
