"""Sealing what a dead writer left open. The caller holds the slot's lock."""

import hashlib
import os
from datetime import datetime
from pathlib import Path

from tollhouse.spool.disk import Disk
from tollhouse.spool.segment import (
    Scan,
    Seal,
    encode_mark,
    is_open_name,
    scan,
    segment_number,
    segment_path,
    segment_paths,
)
from tollhouse.spool.slot import SlotState, write_state
from tollhouse.spool.times import to_text


def open_segments(slot: Path) -> list[Path]:
    """The segments of a slot that are not sealed. Raises OSError."""
    return [path for path in segment_paths(slot) if is_open_name(path)]


def seal_left_open(slot: Path, state: SlotState, disk: Disk, now: datetime) -> tuple[SlotState, list[Path]]:
    """Cut the torn tail of each open segment and seal it as recovered: the slot's new state and the sealed paths.

    A segment without one whole line is removed, since nothing in it was ever acknowledged. Raises OSError.
    """
    sealed: list[Path] = []
    for path in open_segments(slot):
        lines = scan(path)
        if lines.whole_bytes == 0:
            path.unlink()
            continue
        number = segment_number(path) or 0
        target = segment_path(slot, number, is_open=False)
        seal = lines.seal or _footer(path, number, lines, state, now)
        _seal(path, seal, lines, disk)
        state = advanced(state, number, lines)
        write_state(disk, slot, state, is_synced=True)
        disk.rename(path, target)
        disk.sync_folder(slot)
        sealed.append(target)
    return state, sealed


def advanced(state: SlotState, number: int, lines: Scan | Seal) -> SlotState:
    """The state of a slot in which segment ``number`` with ``lines`` is sealed too."""
    return SlotState(
        spool_id=state.spool_id,
        format_version=state.format_version,
        last_segment_number=max(number, state.last_segment_number),
        last_sequence=max(lines.last_sequence or (lines.first_sequence or 1) - 1, state.last_sequence),
    )


def catch_up(slot: Path, state: SlotState) -> SlotState:
    """The state as the files tell it where ``slot.json`` lags behind them. Raises OSError."""
    for path in segment_paths(slot):
        number = segment_number(path) or 0
        if number > state.last_segment_number and not is_open_name(path):
            state = advanced(state, number, scan(path))
    return state


def _footer(path: Path, number: int, lines: Scan, state: SlotState, now: datetime) -> Seal:
    header = lines.header
    with path.open("rb") as file:
        digest = _sha256(file.fileno(), lines.whole_bytes)
        modified = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, now.tzinfo)
    return Seal(
        spool_id=state.spool_id if header is None else header.spool_id,
        segment_number=number,
        created_at=to_text(modified) if header is None else header.created_at,
        record_count=lines.record_count,
        first_sequence=lines.first_sequence or state.last_sequence + 1,
        last_sequence=lines.last_sequence,
        bytes=lines.whole_bytes,
        sha256=digest,
        sealed_at=to_text(now),
        is_recovered=True,
    )


def _seal(path: Path, seal: Seal, lines: Scan, disk: Disk) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    try:
        disk.truncate(descriptor, lines.whole_bytes)
        if lines.seal is None:
            try:
                disk.write_all(descriptor, encode_mark(seal))
            except OSError:
                disk.truncate(descriptor, lines.whole_bytes)
                raise
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(descriptor: int, size: int) -> str:
    digest = hashlib.sha256()
    offset = 0
    while offset < size and (block := os.pread(descriptor, min(1 << 20, size - offset), offset)):
        digest.update(block)
        offset += len(block)
    return digest.hexdigest()
