"""The segment that is being written: whole lines only, one group sync at a time, a seal at the end."""

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

from tollhouse.errors import StorageError
from tollhouse.spool.disk import Disk, storage_error
from tollhouse.spool.segment import Seal, SegmentHeader, encode_mark, segment_path


class OpenSegment:
    """One open file. ``append`` and the seals need the writer's lock, ``sync_through`` may run beside them."""

    def __init__(self, slot: Path, header: SegmentHeader, disk: Disk, opened_at: float) -> None:
        self.header = header
        self.path = segment_path(slot, header.segment_number, is_open=True)
        self.opened_at = opened_at
        self.size = 0
        self.record_count = 0
        self._disk = disk
        self._digest = hashlib.sha256()
        self._synced = 0
        self._is_syncing = False
        self._sync_error: OSError | None = None
        self._group = threading.Condition()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        try:
            self._descriptor = os.open(self.path, flags, 0o640)
        except OSError as error:
            raise storage_error("create", self.path, error) from error
        try:
            self._append(encode_mark(header))
        except StorageError:
            os.close(self._descriptor)
            with contextlib.suppress(OSError):
                self.path.unlink()
            raise

    @property
    def next_sequence(self) -> int:
        return self.header.first_sequence + self.record_count

    @property
    def unsynced_bytes(self) -> int:
        return self.size - self._synced

    def append(self, line: bytes) -> None:
        """Write a record's line. StorageError when the disk refuses, and then nothing of the line remains."""
        self._append(line)
        self.record_count += 1

    def _append(self, line: bytes) -> None:
        try:
            written = self._disk.write(self._descriptor, line)
            if written != len(line):
                self._disk.write_all(self._descriptor, line[written:])
        except OSError as error:
            self._cut_back(self.size, error)
            raise storage_error("write to", self.path, error) from error
        self.size += len(line)
        self._digest.update(line)

    def _cut_back(self, size: int, cause: OSError) -> None:
        try:
            self._disk.truncate(self._descriptor, size)
        except OSError as error:
            self._sync_error = error
            raise storage_error("cut back a half-written line of", self.path, error) from cause

    @property
    def is_broken(self) -> bool:
        """Whether the disk has failed in a way after which nothing more may be written here."""
        return self._sync_error is not None

    def sync_through(self, size: int, sync: Callable[[int], None]) -> None:
        """Return once the first ``size`` bytes are on the disk; callers at the same time share one ``sync``.

        After an error the file is never synced again, since the kernel may have dropped the pages: every later call
        raises StorageError.
        """
        with self._group:
            while self._is_syncing and self._synced < size:
                self._group.wait()
            if self._sync_error is not None:
                raise storage_error("sync", self.path, self._sync_error) from self._sync_error
            if self._synced >= size:
                return
            self._is_syncing = True
        reached = self.size
        failure: OSError | None = None
        try:
            sync(self._descriptor)
        except OSError as error:
            failure = error
        with self._group:
            self._is_syncing = False
            self._sync_error = failure or self._sync_error
            self._synced = self._synced if failure else max(reached, self._synced)
            self._group.notify_all()
        if failure is not None:
            raise storage_error("sync", self.path, failure) from failure

    def footer(self, sealed_at: str, *, is_suspect: bool) -> Seal:
        """The footer over everything that was written so far."""
        header, count = self.header, self.record_count
        return Seal(
            spool_id=header.spool_id,
            segment_number=header.segment_number,
            created_at=header.created_at,
            record_count=count,
            first_sequence=header.first_sequence,
            last_sequence=header.first_sequence + count - 1 if count else None,
            bytes=self.size,
            sha256=self._digest.hexdigest(),
            sealed_at=sealed_at,
            is_suspect=is_suspect,
        )

    def write_footer(self, seal: Seal) -> None:
        """Append the footer; StorageError leaves the segment as it was."""
        self._append(encode_mark(seal))

    def rewrite_footer(self, seal: Seal) -> None:
        """Put ``seal`` after the records in the place of whatever stands there. Raises OSError."""
        self._disk.truncate(self._descriptor, seal.bytes)
        self._disk.write_all(self._descriptor, encode_mark(seal))

    def close(self) -> None:
        """Close the file once no sync runs on it."""
        with self._group:
            while self._is_syncing:
                self._group.wait()
            os.close(self._descriptor)
