"""A slot: the folder of one spool, which keeps its id, its row of segment numbers and its sequence for ever.

``lock`` is held (flock) by the one process that writes. ``slot.json`` is written by the holder of that lock only,
``deleted.json`` by whoever deletes segments, under ``deleted.lock``.
"""

import fcntl
import os
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from tollhouse.errors import SpoolError
from tollhouse.spool.disk import Disk, storage_error
from tollhouse.spool.records import FORMAT_VERSION

_State = TypeVar("_State")


class SlotState(msgspec.Struct, frozen=True, kw_only=True):
    """``slot.json``: whose slot it is and how far its sealed segments go (0: there is none yet)."""

    spool_id: str
    format_version: int
    last_segment_number: int = 0
    last_sequence: int = 0


class Deletions(msgspec.Struct, frozen=True, kw_only=True):
    """``deleted.json``: the numbers of deleted segments as inclusive ranges, rising and apart."""

    ranges: list[tuple[int, int]] = []

    def holds(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.ranges)

    def adding(self, number: int) -> "Deletions":
        merged: list[tuple[int, int]] = []
        for first, last in sorted([*self.ranges, (number, number)]):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        return Deletions(ranges=merged)


def slot_folders(root: Path) -> list[Path]:
    """The slots under ``root`` in the order of their numbers; none where ``root`` does not exist. Raises OSError."""
    if not root.exists():
        return []
    found = [path for path in root.iterdir() if path.name.startswith("slot-") and path.name[5:].isdecimal()]
    return sorted(found, key=lambda path: int(path.name[5:]))


def read_state(slot: Path) -> SlotState | None:
    """The slot's state; None while its first owner is still making it. Raises OSError, SpoolError when unreadable."""
    return _read_json(slot / "slot.json", SlotState)


def write_state(disk: Disk, slot: Path, state: SlotState, *, is_synced: bool) -> None:
    disk.replace_file(slot / "slot.json", msgspec.json.encode(state) + b"\n", is_synced=is_synced)


def read_deletions(slot: Path) -> Deletions:
    """Which segments were deleted on purpose."""
    return _read_json(slot / "deleted.json", Deletions) or Deletions()


def note_deletion(disk: Disk, slot: Path, number: int) -> None:
    """Remember durably that segment ``number`` was deleted on purpose."""
    with locked(slot / "deleted.lock", is_waiting=True):
        content = msgspec.json.encode(read_deletions(slot).adding(number))
        disk.replace_file(slot / "deleted.json", content + b"\n")


def try_lock(path: Path) -> int | None:
    """The descriptor that holds the lock ``path``, or None while another process has it. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def locked(path: Path, *, is_waiting: bool) -> Generator[bool]:
    """Hold the lock ``path``; yields False when another has it and ``is_waiting`` is not set."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if is_waiting else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def take_slot(root: Path, disk: Disk, spool_id: str | None) -> tuple[Path, int, SlotState]:
    """Take the first slot under ``root`` that nobody holds, making it if need be: its folder, lock and state.

    ``spool_id`` is the id of a slot that is new; an old slot keeps its own.
    """
    number = 0
    while True:
        slot = root / f"slot-{number}"
        try:
            slot.mkdir(parents=True, exist_ok=True)
            lock = try_lock(slot / "lock")
        except OSError as error:
            raise storage_error("take the spool's slot", slot, error) from error
        if lock is not None:
            return slot, lock, _claim(slot, lock, disk, spool_id)
        number += 1


def _claim(slot: Path, lock: int, disk: Disk, spool_id: str | None) -> SlotState:
    try:
        state = read_state(slot)
        if state is None:
            state = SlotState(spool_id=spool_id or str(uuid.uuid4()), format_version=FORMAT_VERSION)
            write_state(disk, slot, state, is_synced=True)
            disk.sync_folder(slot.parent)
        _check_version(slot, state)
    except OSError as error:
        os.close(lock)
        raise storage_error("take the spool's slot", slot, error) from error
    except SpoolError:
        os.close(lock)
        raise
    return state


def _check_version(slot: Path, state: SlotState) -> None:
    if state.format_version != FORMAT_VERSION:
        raise SpoolError(
            f"{slot / 'slot.json'} has format version {state.format_version}, this program writes {FORMAT_VERSION}",
            hint="start the gateway with an empty spool folder, or with the version that made this one",
        )


def _read_json(path: Path, kind: type[_State]) -> _State | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise SpoolError(
            f"{path} is damaged: {error}",
            hint=f"restore {path.name} from a copy, or move the folder {path.parent} away to begin a new slot",
        ) from error
