import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollhouse.spool.gaps import gaps
from tollhouse.spool.reader import delete, list_segments, read_lines, recover, verify
from tollhouse.spool.records import Event
from tollhouse.spool.segment import Segment
from tollhouse.spool.writer import SpoolWriter

NOW = datetime(2026, 3, 1, 13, tzinfo=UTC)
OpenWriter = Callable[..., SpoolWriter]
MakeEvent = Callable[[int], Event]


@pytest.fixture
def sealed(spool: OpenWriter, event: MakeEvent, tmp_path: Path) -> bytes:
    """The bytes of a sealed segment with four records; its slot stays behind without a segment."""
    with spool() as writer:
        for number in range(4):
            writer.append(event(number))
    path = writer.slot / "000000000001.jsonl"
    content = path.read_bytes()
    path.unlink()
    (writer.slot / "slot.json").write_text('{"spool_id":"a","format_version":1}')
    return content


@contextmanager
def left_open(root: Path, content: bytes) -> Iterator[Path]:
    path = root / "slot-0" / "000000000001.open.jsonl"
    path.write_bytes(content)
    yield root
    for left in (root / "slot-0").glob("*.jsonl"):
        left.unlink()
    (root / "slot-0" / "slot.json").write_text('{"spool_id":"a","format_version":1}')


def whole_lines(content: bytes) -> list[bytes]:
    return [line[:-1] for line in content.splitlines(keepends=True) if line.endswith(b"\n") and b'"sequence":' in line]


def records_of(segments: list[Segment]) -> list[bytes]:
    return [line.raw for segment in segments for line in read_lines(segment) if line.damage is None]


def test_a_tail_torn_at_any_byte_is_cut_back_to_the_last_whole_record(sealed: bytes, tmp_path: Path) -> None:
    root = tmp_path / "spool"
    records = [line for line in whole_lines(sealed) if b'"record":"EVENT"' in line]
    for end in range(len(sealed) + 1):
        expected = [line for line in whole_lines(sealed[:end]) if line in records]
        with left_open(root, sealed[:end]):
            recovered = recover(root, NOW)
            assert records_of(recovered) == expected, f"torn at byte {end}"
            assert recovered == list_segments(root)
            for segment in recovered:
                assert (segment.is_sealed, segment.record_count, verify(segment)) == (True, len(expected), True)
                assert segment.is_recovered == (end < len(sealed))
            assert bool(recovered) == (end > sealed.index(b"\n"))


def test_the_next_owner_of_a_torn_slot_continues_after_the_last_whole_record(
    sealed: bytes, tmp_path: Path, spool: OpenWriter, event: MakeEvent
) -> None:
    ends = [position for position, byte in enumerate(sealed) if byte == ord("\n")]
    for whole, end in enumerate(ends[:5]):
        with left_open(tmp_path / "spool", sealed[: end + 30]):
            with spool() as writer:
                assert writer.append(event(9)) == whole + 1
            first, second = list_segments(tmp_path / "spool")
            assert (first.is_recovered, first.record_count, second.number) == (True, whole, 2)


def test_a_whole_line_that_is_damaged_keeps_its_number_and_its_place(
    sealed: bytes, tmp_path: Path, spool: OpenWriter, event: MakeEvent
) -> None:
    end = sealed.rindex(b"\n", 0, -1) + 1
    damaged = bytearray(sealed[:end])
    damaged[-5] ^= 1
    with left_open(tmp_path / "spool", bytes(damaged)):
        (segment,) = recover(tmp_path / "spool", NOW)
        assert (segment.record_count, segment.last_sequence) == (4, 4)
        assert [line.sequence for line in read_lines(segment)] == [1, 2, 3, None]
        with spool() as writer:
            assert writer.append(event(9)) == 5


def test_a_tail_of_zeros_is_cut(sealed: bytes, tmp_path: Path) -> None:
    end = sealed.rindex(b"\n", 0, -1) + 1
    with left_open(tmp_path / "spool", sealed[:end] + bytes(5000)):
        (segment,) = recover(tmp_path / "spool", NOW)
        assert (segment.record_count, verify(segment)) == (4, True)


def test_a_slot_that_a_writer_holds_is_left_alone(spool: OpenWriter, event: MakeEvent, tmp_path: Path) -> None:
    with spool() as writer:
        writer.append(event(1))
        assert recover(tmp_path / "spool", NOW) == []
        assert [segment.is_sealed for segment in list_segments(tmp_path / "spool")] == [False]


def test_recovery_done_twice_changes_nothing(sealed: bytes, tmp_path: Path) -> None:
    with left_open(tmp_path / "spool", sealed[:-10]):
        recover(tmp_path / "spool", NOW)
        before = list_segments(tmp_path / "spool")
        assert recover(tmp_path / "spool", NOW) == []
        assert list_segments(tmp_path / "spool") == before


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.sampled_from(["append", "append", "seal", "crash", "tear", "recover", "delete"]), max_size=30))
def test_whatever_happens_each_acknowledged_record_is_there_once_until_deleted(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        writer = SpoolWriter(root, clock=lambda: NOW, durability="os")
        expected: list[int] = []
        for step in steps:
            if step == "append":
                record = b'{"record":"EVENT","event_id":"%d"}' % len(expected)
                expected.append(writer.append(record))
            elif step == "recover":
                recover(root, NOW)
            elif step == "delete":
                expected = delete_first_sealed(root, expected)
            else:
                writer.close(is_sealing=step == "seal")
                for path in root.glob("slot-0/*.open.jsonl") if step == "tear" else []:
                    path.write_bytes(path.read_bytes() + b'{"crc32c":"01234567","sequ')
                writer = SpoolWriter(root, clock=lambda: NOW, durability="os")
        writer.close()
        assert [line.sequence for segment in list_segments(root) for line in read_lines(segment)] == expected
        assert all(segment.is_sealed and verify(segment) for segment in list_segments(root))
        assert gaps(root, NOW + timedelta(days=1)) == []


def delete_first_sealed(root: Path, expected: list[int]) -> list[int]:
    for segment in list_segments(root):
        if segment.is_sealed:
            delete(segment)
            return [sequence for sequence in expected if sequence > (segment.last_sequence or 0)]
    return expected


WRITE_FOR_EVER = """
import os, sys
from tollhouse.spool.records import Event
from tollhouse.spool.writer import SpoolWriter

writer = SpoolWriter(sys.argv[1], segment_bytes=8000, durability=sys.argv[2])
while True:
    record = Event(recorded_at="t", event_id="x" * 300, event_type="audit", event_time="t")
    os.write(1, b"%d\\n" % writer.append(record))
"""


def kill_after(root: Path, acknowledged: int, durability: str) -> list[int]:
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(root), durability]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(acknowledged)]
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read()
    return told + [int(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]


def check_kills(root: Path, times: int) -> None:
    acknowledged: list[int] = []
    for kill in range(times):
        durability = ("os", "interval", "strict")[kill % 3]
        told = kill_after(root, 1 + kill * 37 % 120, durability)
        assert told[0] > (acknowledged[-1] if acknowledged else 0)
        acknowledged += told
    recover(root, NOW)
    segments = list_segments(root)
    lines = [line for segment in segments for line in read_lines(segment)]
    sequences = [line.sequence for line in lines]
    assert sequences == list(range(1, len(lines) + 1))
    assert set(acknowledged) <= set(sequences)
    assert all(segment.is_sealed and verify(segment) for segment in segments)
    assert {segment.spool_id for segment in segments} == {segments[0].spool_id}


def test_a_killed_writer_loses_no_acknowledged_record(tmp_path: Path) -> None:
    check_kills(tmp_path, 10)


@pytest.mark.proof
def test_a_thousand_killed_writers_lose_no_acknowledged_record(tmp_path: Path) -> None:
    for round_number in range(20):
        check_kills(tmp_path / str(round_number), 50)
        shutil.rmtree(tmp_path / str(round_number))
