"""Writing the request log: one writer a process, one slot a writer."""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self

import msgspec

from tollhouse.errors import SpoolError, StorageError
from tollhouse.spool.disk import Disk, storage_error
from tollhouse.spool.frame import Head, frame
from tollhouse.spool.open_segment import OpenSegment
from tollhouse.spool.records import FORMAT_VERSION, SpoolRecord
from tollhouse.spool.recovery import advanced, catch_up, seal_left_open
from tollhouse.spool.segment import Seal, SegmentHeader, segment_path
from tollhouse.spool.slot import SlotState, take_slot, write_state
from tollhouse.spool.times import to_text, utc_now

Durability = Literal["strict", "interval", "os"]

SEGMENT_BYTES = 64 * 1024 * 1024
SEGMENT_SECONDS = 10.0
SYNC_BYTES = 4 * 1024 * 1024
SYNC_SECONDS = 0.1

_encode_record = msgspec.json.Encoder().encode
_heads = msgspec.json.Decoder(Head)


class Written(NamedTuple):
    """A record's sequence number, its segment, and where in it the record ends."""

    sequence: int
    segment: OpenSegment
    size: int


class SpoolWriter:
    """Appends records to the first free slot under ``root``, from any number of threads of one process.

    ``durability`` says what ``append`` waits for beyond ``write(2)``: ``strict`` for a group fdatasync, ``interval``
    for nothing, with a sync each 100 ms or 4 MiB, ``os`` for nothing, and nothing is ever synced. A segment is sealed
    at ``segment_bytes`` or ``segment_seconds`` after it was begun, idle or not.

    With a ``clock`` of its own (aware times) a writer has no background thread: it seals in ``append``, ``tend`` and
    ``close`` only, so that the same records at the same times under the same ``spool_id`` give the same bytes.
    ``spool_id`` is for a slot that is new; an old one keeps its own.

    Raises SpoolError for a slot that cannot be used and StorageError for a disk that refuses.
    """

    def __init__(
        self,
        root: Path | str,
        *,
        durability: Durability = "interval",
        segment_bytes: int = SEGMENT_BYTES,
        segment_seconds: float = SEGMENT_SECONDS,
        clock: Callable[[], datetime] | None = None,
        spool_id: str | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.durability: Durability = durability
        self._segment_bytes = segment_bytes
        self._segment_seconds = segment_seconds
        self._now = clock or utc_now
        self._ticks = time.monotonic if clock is None else lambda: self._now().timestamp()
        self._disk = disk or Disk()
        self._lock = threading.Lock()
        self._tending = threading.Lock()
        self._wake = threading.Event()
        self._retired: deque[tuple[OpenSegment, Seal]] = deque()
        self._segment: OpenSegment | None = None
        self._alarm: StorageError | None = None
        self._is_closed = False
        self.slot, self._slot_lock, state = take_slot(Path(root), self._disk, spool_id)
        self._state = self._begin(state)
        self._next_number = self._state.last_segment_number + 1
        self._next_sequence = self._state.last_sequence + 1
        self._thread: threading.Thread | None = None
        if clock is None:
            self._thread = threading.Thread(target=self._tend_until_closed, name="tollhouse-spool", daemon=True)
            self._thread.start()

    @property
    def spool_id(self) -> str:
        """The id of the slot, the same for ever."""
        return self._state.spool_id

    def append(self, record: SpoolRecord | bytes) -> int:
        """Write one record and return its sequence number; it survives a SIGKILL of this process.

        ``bytes`` is a record that was encoded before: one JSON object in UTF-8 whose first member is ``record``.
        Raises SpoolError for a record that cannot be a line and StorageError when the disk refuses: then the record
        is not in the log, but after a failed sync, which leaves it open whether the record is on the disk.
        """
        return self.append_encoded(_checked(record) if isinstance(record, bytes) else _encoded(record))

    def append_encoded(self, encoded: bytes) -> int:
        """``append`` for a caller that vouches for ``encoded``: a whole record as one line of JSON in UTF-8.

        Raises SpoolError where it holds a line's end, and what ``append`` raises.
        """
        written = self.write(encoded)
        if self.durability == "strict":
            self.sync(written)
        return written.sequence

    def write(self, encoded: bytes) -> Written:
        """``append_encoded`` without its waiting for the disk, which ``sync`` does."""
        if b"\n" in encoded:
            raise SpoolError("an encoded record holds a newline", hint="encode it without white space between members")
        with self._lock:
            segment = self._writable()
            sequence = self._next_sequence
            segment.append(frame(sequence, encoded))
            self._next_sequence = sequence + 1
            size = segment.size
        if size >= self._segment_bytes or (self.durability == "interval" and segment.unsynced_bytes >= SYNC_BYTES):
            self._wake.set()
        return Written(sequence, segment, size)

    def sync(self, written: Written) -> None:
        """Return once it is on the disk, and all before it in its segment; callers at the same time share a sync.

        Raises StorageError where the disk refuses: it stays open whether the record is on the disk.
        """
        self._sync(written.segment, written.size)

    def tend(self) -> None:
        """Sync what is not, unless ``durability`` is ``os``, and seal what is due: one step of the background thread.

        Raises StorageError when the disk refuses.
        """
        self._take_turn()
        self._raise_alarm()

    def close(self, *, is_sealing: bool = True) -> None:
        """Seal the open segment and leave the slot. Raises StorageError for what could not be sealed or synced.

        Without ``is_sealing`` the slot is left as a killed process leaves it, for whoever recovers it.
        """
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        try:
            if is_sealing:
                self._seal_all()
        finally:
            for segment in [*(segment for segment, _ in self._retired), self._segment]:
                if segment is not None:
                    segment.close()
            os.close(self._slot_lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, state: SlotState) -> SlotState:
        try:
            state, _ = seal_left_open(self.slot, catch_up(self.slot, state), self._disk, self._now())
        except OSError as error:
            os.close(self._slot_lock)
            raise storage_error("seal what the last owner left open in", self.slot, error) from error
        except SpoolError:
            os.close(self._slot_lock)
            raise
        return state

    def _writable(self) -> OpenSegment:
        if self._is_closed:
            raise SpoolError(f"the spool writer of {self.slot} is closed", hint="open a new SpoolWriter")
        self._raise_alarm()
        segment = self._segment
        if segment is not None and segment.is_broken:
            self._abandon(segment)
        elif segment is not None and self._is_due(segment):
            self._retire(segment)
        if self._thread is None:
            self._seal_retired()
            self._raise_alarm()
        return self._segment or self._open()

    def _is_due(self, segment: OpenSegment) -> bool:
        return segment.size >= self._segment_bytes or self._ticks() - segment.opened_at >= self._segment_seconds

    def _open(self) -> OpenSegment:
        header = SegmentHeader(
            format_version=FORMAT_VERSION,
            spool_id=self._state.spool_id,
            segment_number=self._next_number,
            first_sequence=self._next_sequence,
            created_at=to_text(self._now()),
        )
        self._segment = OpenSegment(self.slot, header, self._disk, self._ticks())
        self._next_number += 1
        return self._segment

    def _sync(self, segment: OpenSegment, size: int) -> None:
        try:
            segment.sync_through(size, self._disk.fdatasync)
        except StorageError:
            with self._lock:
                self._abandon(segment)
            raise

    def _retire(self, segment: OpenSegment) -> None:
        seal = segment.footer(to_text(self._now()), is_suspect=False)
        segment.write_footer(seal)
        self._segment = None
        self._retired.append((segment, seal))
        self._wake.set()

    def _abandon(self, segment: OpenSegment) -> None:
        """Leave a segment that the disk failed; it is sealed as suspect, without another sync."""
        if self._segment is segment:
            self._segment = None
            self._retired.append((segment, segment.footer(to_text(self._now()), is_suspect=True)))
            self._wake.set()

    def _seal_retired(self) -> None:
        """Seal all that is retired, in order; what cannot be sealed stays for the next turn. Raises StorageError."""
        with self._tending:
            while self._retired:
                segment, seal = self._retired[0]
                self._finish(segment, seal)
                segment.close()
                self._retired.popleft()

    def _seal_all(self) -> None:
        if self._segment is not None:
            self._retire(self._segment)
        self._seal_retired()
        self._raise_alarm()

    def _finish(self, segment: OpenSegment, seal: Seal) -> None:
        if self.durability != "os" and not seal.is_suspect:
            try:
                segment.sync_through(segment.size, self._disk.fsync)
            except StorageError as error:
                self._alarm = error
                seal = msgspec.structs.replace(seal, is_suspect=True)
        self._publish(segment, seal)

    def _publish(self, segment: OpenSegment, seal: Seal) -> None:
        """Give the segment its sealed name; a suspect one gets a footer that says so."""
        is_synced = self.durability != "os"
        try:
            if seal.is_suspect:
                segment.rewrite_footer(seal)
            self._state = advanced(self._state, seal.segment_number, seal)
            write_state(self._disk, self.slot, self._state, is_synced=is_synced)
            if segment.path.exists():
                self._disk.rename(segment.path, segment_path(self.slot, seal.segment_number, is_open=False))
            if is_synced:
                self._disk.sync_folder(self.slot)
        except OSError as error:
            raise storage_error("seal", segment.path, error) from error

    def _take_turn(self) -> None:
        with self._lock:
            segment = self._segment
        if segment is not None and self.durability != "os":
            try:
                self._sync(segment, segment.size)
            except StorageError as error:
                self._alarm = error
        with self._lock:
            segment = self._segment
            if segment is not None and self._is_due(segment):
                self._retire(segment)
        self._seal_retired()

    def _raise_alarm(self) -> None:
        alarm, self._alarm = self._alarm, None
        if alarm is not None:
            raise alarm

    def _tend_until_closed(self) -> None:
        while not self._is_closed:
            self._wake.wait(SYNC_SECONDS)
            self._wake.clear()
            # A full disk is the next append's to report, and the next turn tries again.
            with contextlib.suppress(StorageError):
                self._take_turn()


def _encoded(record: SpoolRecord) -> bytes:
    try:
        encoded = _encode_record(record)
    except (UnicodeEncodeError, TypeError, OverflowError) as error:
        raise SpoolError(
            f"a {type(record).__name__} record cannot be written as JSON: {error}",
            hint="give bodies that are not UTF-8 as base64, and plain JSON values elsewhere",
        ) from error
    if b"\n" in encoded or not encoded.isascii():
        return _checked(encoded)
    return encoded


def _checked(encoded: bytes) -> bytes:
    """``encoded`` as one line of UTF-8 JSON; SpoolError when it is not a record."""
    try:
        encoded.decode()
        if b"\n" in encoded:
            encoded = msgspec.json.format(encoded, indent=-1)
        _heads.decode(encoded)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise SpoolError(
            f"a record is not JSON in UTF-8: {error}; it begins {encoded[:80]!r}",
            hint="pass one JSON object whose first member is record",
        ) from error
    if not encoded.startswith(b'{"record":"'):
        raise SpoolError(f"a record begins {encoded[:80]!r}", hint='its first member must be {"record": "<KIND>", ...}')
    return encoded
