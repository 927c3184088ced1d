import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tollhouse.errors import StorageError
from tollhouse.spool.disk import Disk
from tollhouse.spool.reader import list_segments, read_lines, recover, verify
from tollhouse.spool.records import Event
from tollhouse.spool.times import utc_now
from tollhouse.spool.writer import SpoolWriter

MakeEvent = Callable[[int], Event]
OpenWriter = Callable[..., SpoolWriter]


def all_sequences(root: Path) -> list[int | None]:
    return [line.sequence for segment in list_segments(root) for line in read_lines(segment)]


class FailingDisk(Disk):
    """The call named ``failing`` fails once, after it has worked ``after`` times; a failing write writes half."""

    def __init__(self, failing: str, after: int) -> None:
        self.failing = failing
        self.after = after
        self.calls = 0

    def _is_failing(self, name: str) -> bool:
        self.calls += name == self.failing
        return name == self.failing and self.calls == self.after + 1

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if self._is_failing("write"):
            os.write(descriptor, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(descriptor, data)

    def fdatasync(self, descriptor: int) -> None:
        if self._is_failing("fdatasync"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def fsync(self, descriptor: int) -> None:
        if self._is_failing("fsync"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def rename(self, source: Path, target: Path) -> None:
        if self._is_failing("rename"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        source.rename(target)


def test_a_full_disk_leaves_nothing_of_the_line_and_writing_goes_on_when_there_is_space(
    spool: OpenWriter, event: MakeEvent
) -> None:
    # Writes: slot.json, header, two records, and the third record fails.
    with spool(durability="os", disk=FailingDisk("write", after=4)) as writer:
        writer.append(event(1))
        writer.append(event(2))
        size = (writer.slot / "000000000001.open.jsonl").stat().st_size
        with pytest.raises(StorageError, match=r"000000000001.open.jsonl: No space left on device\n.*free space"):
            writer.append(event(3))
        assert (writer.slot / "000000000001.open.jsonl").stat().st_size == size
        assert writer.append(event(4)) == 3

    (segment,) = list_segments(writer.slot.parent)
    assert verify(segment)
    assert [b'"event-4"' in line.raw for line in read_lines(segment)] == [False, False, True]


def test_after_a_failed_sync_the_segment_is_suspect_and_a_new_one_is_opened(
    spool: OpenWriter, event: MakeEvent
) -> None:
    disk = FailingDisk("fdatasync", after=1)
    with spool(durability="strict", disk=disk) as writer:
        writer.append(event(1))
        with pytest.raises(StorageError, match=r"cannot sync .*Input/output error"):
            writer.append(event(2))
        assert disk.calls == 2
        assert writer.append(event(3)) == 3

    suspect, sound = list_segments(writer.slot.parent)
    assert (suspect.is_suspect, suspect.record_count, verify(suspect)) == (True, 2, True)
    assert (sound.is_suspect, sound.first_sequence, verify(sound)) == (False, 3, True)


def test_a_failed_background_sync_is_told_to_the_next_caller_once(spool: OpenWriter, event: MakeEvent) -> None:
    with spool(durability="interval", disk=FailingDisk("fdatasync", after=0)) as writer:
        writer.append(event(1))
        with pytest.raises(StorageError, match="cannot sync"):
            writer.tend()
        assert writer.append(event(2)) == 2

    assert [segment.is_suspect for segment in list_segments(writer.slot.parent)] == [True, False]


def test_a_failed_sync_at_the_seal_makes_the_segment_suspect(spool: OpenWriter, event: MakeEvent) -> None:
    # fsync calls before: slot.json, its folder, the root.
    writer = spool(durability="interval", disk=FailingDisk("fsync", after=3))
    writer.append(event(1))
    with pytest.raises(StorageError, match="cannot sync"):
        writer.close()

    (segment,) = list_segments(writer.slot.parent)
    assert (segment.is_sealed, segment.is_suspect, segment.record_count, verify(segment)) == (True, True, 1, True)


def test_a_seal_that_fails_to_rename_is_done_at_the_next_turn(
    spool: OpenWriter, event: MakeEvent, clock: Callable[..., object]
) -> None:
    # Renames before: slot.json when the slot is made, and again before the segment's.
    with spool(disk=FailingDisk("rename", after=2)) as writer:
        writer.append(event(1))
        clock.go(10)
        with pytest.raises(StorageError, match="cannot seal"):
            writer.tend()
        assert [segment.is_sealed for segment in list_segments(writer.slot.parent)] == [False]
        writer.tend()
        (segment,) = list_segments(writer.slot.parent)
        assert (segment.is_sealed, segment.is_suspect, verify(segment)) == (True, False, True)
        assert writer.append(event(2)) == 2


def test_a_seal_whose_folder_cannot_be_synced_is_done_at_the_next_turn(
    spool: OpenWriter, event: MakeEvent, clock: Callable[..., object]
) -> None:
    # Syncs before: slot.json and two folders, the segment, slot.json and its folder.
    with spool(disk=FailingDisk("fsync", after=6)) as writer:
        writer.append(event(1))
        clock.go(10)
        with pytest.raises(StorageError, match="cannot seal"):
            writer.tend()
        writer.tend()
        assert writer.append(event(2)) == 2

    assert [(segment.number, verify(segment)) for segment in list_segments(writer.slot.parent)] == [
        (1, True),
        (2, True),
    ]


def test_a_disk_too_full_for_a_footer_leaves_the_segment_to_a_later_seal(
    spool: OpenWriter, event: MakeEvent, clock: Callable[..., object]
) -> None:
    # Writes: slot.json, header, one record, and the footer fails.
    with spool(disk=FailingDisk("write", after=3)) as writer:
        writer.append(event(1))
        clock.go(10)
        with pytest.raises(StorageError, match="No space left on device"):
            writer.append(event(2))
        assert writer.append(event(2)) == 2

    assert [(segment.record_count, verify(segment)) for segment in list_segments(writer.slot.parent)] == [
        (1, True),
        (1, True),
    ]


class SlowDisk(Disk):
    """Its first fdatasync takes until ``go_on`` is set."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.syncs = 0

    def fdatasync(self, descriptor: int) -> None:
        self.syncs += 1
        self.begun.set()
        self.go_on.wait()


def test_strict_writers_that_wait_at_the_same_time_share_one_sync(spool: OpenWriter, event: MakeEvent) -> None:
    disk = SlowDisk()
    with spool(durability="strict", disk=disk) as writer:
        path = writer.slot / "000000000001.open.jsonl"
        threads = [threading.Thread(target=writer.append, args=(event(number),)) for number in range(9)]
        threads[0].start()
        disk.begun.wait()
        for thread in threads[1:]:
            thread.start()
        while path.read_bytes().count(b"\n") < 10:
            time.sleep(0.001)
        disk.go_on.set()
        for thread in threads:
            thread.join()

        assert disk.syncs == 2


class PowerCut(Disk):
    """Remembers how much of each file was synced."""

    def __init__(self) -> None:
        self.safe_bytes: dict[int, int] = {}

    def fdatasync(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        os.fdatasync(descriptor)
        self.safe_bytes[status.st_ino] = status.st_size


def test_strict_loses_nothing_when_the_power_goes(spool: OpenWriter, event: MakeEvent, tmp_path: Path) -> None:
    disk = PowerCut()
    writer = spool(durability="strict", disk=disk)
    acknowledged = [writer.append(event(number)) for number in range(20)]
    path = writer.slot / "000000000001.open.jsonl"
    kept = path.read_bytes()[: disk.safe_bytes[path.stat().st_ino]]
    writer.close()
    (writer.slot / "000000000001.jsonl").unlink()
    path.write_bytes(kept)

    recover(tmp_path / "spool", utc_now())
    assert all_sequences(tmp_path / "spool") == acknowledged


WRITE_UNTIL_REFUSED = """
import resource, sys
from tollhouse.errors import StorageError
from tollhouse.spool.records import Event
from tollhouse.spool.writer import SpoolWriter

resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
writer = SpoolWriter(sys.argv[1], durability="os")
count = 0
try:
    while True:
        count = writer.append(Event(recorded_at="t", event_id="x" * 900, event_type="audit", event_time="t"))
except StorageError as error:
    print(count, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
writer.append(Event(recorded_at="t", event_id="last", event_type="audit", event_time="t"))
writer.close()
"""


def test_a_file_size_limit_gives_a_clear_error_and_no_half_record(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITE_UNTIL_REFUSED, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert told.startswith("4 cannot write to ")
    assert "File too large" in told
    assert "ulimit -f" in told
    assert all_sequences(tmp_path) == [1, 2, 3, 4, 5]
    assert [verify(segment) for segment in list_segments(tmp_path)] == [True]
