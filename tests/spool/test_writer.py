import hashlib
import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from crc32c import crc32c

from tollhouse.errors import SpoolError
from tollhouse.spool.reader import list_segments, read_lines, recover, verify
from tollhouse.spool.records import Attempt, CallOutcome, Event
from tollhouse.spool.times import utc_now
from tollhouse.spool.writer import SpoolWriter

MakeEvent = Callable[[int], Event]
OpenWriter = Callable[..., SpoolWriter]


def all_sequences(root: Path) -> list[int | None]:
    return [line.sequence for segment in list_segments(root) for line in read_lines(segment)]


def test_a_line_is_a_checksum_then_the_sequence_then_the_record(spool: OpenWriter, event: MakeEvent) -> None:
    with spool() as writer:
        assert [writer.append(event(number)) for number in range(3)] == [1, 2, 3]

    lines = (writer.slot / "000000000001.jsonl").read_bytes().splitlines(keepends=True)
    assert [line[10:20] for line in lines] == [b'"%08x"' % crc32c(line[20:-1]) for line in lines]
    assert lines[2][20:51] == b',"sequence":2,"record":"EVENT",'
    said = [msgspec.json.decode(line) for line in lines]
    assert [line["record"] for line in said] == ["SEGMENT", "EVENT", "EVENT", "EVENT", "SEAL"]
    assert said[2] | {"crc32c": ""} == {"crc32c": "", "sequence": 2, **msgspec.to_builtins(event(1))}


def test_the_footer_says_count_sequences_size_and_sha256_of_all_before_it(spool: OpenWriter, event: MakeEvent) -> None:
    with spool() as writer:
        for number in range(5):
            writer.append(event(number))

    lines = (writer.slot / "000000000001.jsonl").read_bytes().splitlines(keepends=True)
    header, footer = msgspec.json.decode(lines[0]), msgspec.json.decode(lines[-1])
    before = b"".join(lines[:-1])
    assert (header["spool_id"], header["segment_number"], header["first_sequence"]) == (writer.spool_id, 1, 1)
    assert (footer["record_count"], footer["first_sequence"], footer["last_sequence"]) == (5, 1, 5)
    assert (footer["bytes"], footer["sha256"]) == (len(before), hashlib.sha256(before).hexdigest())
    assert (footer["sealed_at"], footer["is_recovered"]) == ("2026-03-01T12:00:00.000000Z", False)


def test_a_segment_is_sealed_when_it_is_full_and_when_it_is_old(
    spool: OpenWriter, event: MakeEvent, clock: Callable[..., object]
) -> None:
    with spool(segment_bytes=700) as writer:
        for number in range(4):
            writer.append(event(number))
        clock.go(9.9)
        writer.tend()
        before = [(segment.record_count, segment.is_sealed) for segment in list_segments(writer.slot.parent)]
        clock.go(0.1)
        writer.tend()
        after = [(segment.record_count, segment.is_sealed) for segment in list_segments(writer.slot.parent)]

    assert before == [(3, True), (0, False)]
    assert after == [(3, True), (1, True)]


@pytest.mark.parametrize("durability", ["strict", "interval", "os"])
def test_an_idle_segment_is_sealed_in_the_background(tmp_path: Path, event: MakeEvent, durability: str) -> None:
    with SpoolWriter(tmp_path, durability=durability, segment_seconds=0.05) as writer:
        writer.append(event(1))
        while not all(segment.is_sealed for segment in list_segments(tmp_path)):
            time.sleep(0.01)
        assert writer.append(event(2)) == 2

    assert [(segment.number, segment.record_count, verify(segment)) for segment in list_segments(tmp_path)] == [
        (1, 1, True),
        (2, 1, True),
    ]


def test_the_same_records_at_the_same_times_give_the_same_bytes(
    tmp_path: Path, event: MakeEvent, clock: Callable[..., object]
) -> None:
    for name in ("one", "two"):
        with SpoolWriter(tmp_path / name, clock=clock, spool_id="a-spool", segment_bytes=4000) as writer:
            for number in range(50):
                writer.append(event(number) if name == "one" else msgspec.json.encode(event(number)))

    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name / "slot-0").iterdir()} for name in ("one", "two")
    )
    assert len(one) > 3
    assert one == two


def test_two_writers_at_once_take_two_slots_and_the_next_continues_the_first(
    spool: OpenWriter, event: MakeEvent
) -> None:
    with spool() as first, spool(spool_id="the-other") as second:
        assert [first.append(event(1)), first.append(event(2)), second.append(event(3))] == [1, 2, 1]
        assert (first.slot.name, second.slot.name) == ("slot-0", "slot-1")
        assert second.spool_id == "the-other"

    with spool(spool_id="ignored") as third:
        assert (third.slot, third.spool_id, third.append(event(4))) == (first.slot, first.spool_id, 3)

    segments = [segment for segment in list_segments(first.slot.parent) if segment.spool_id == first.spool_id]
    assert [(segment.number, segment.first_sequence) for segment in segments] == [(1, 1), (2, 3)]


def test_number_and_sequence_go_on_when_every_segment_is_gone(spool: OpenWriter, event: MakeEvent) -> None:
    with spool() as writer:
        writer.append(event(1))
        writer.append(event(2))
    (writer.slot / "000000000001.jsonl").unlink()

    with spool() as writer:
        assert writer.append(event(3)) == 3
    assert [segment.number for segment in list_segments(writer.slot.parent)] == [2]


@pytest.mark.parametrize("durability", ["strict", "interval", "os"])
def test_threads_share_a_writer_without_losing_or_repeating_a_number(
    tmp_path: Path, event: MakeEvent, durability: str
) -> None:
    got: list[list[int]] = [[] for _ in range(4)]
    with SpoolWriter(tmp_path, durability=durability, segment_bytes=5000) as writer:

        def write(mine: list[int]) -> None:
            mine.extend(writer.append(event(number)) for number in range(100))

        threads = [threading.Thread(target=write, args=(mine,)) for mine in got]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert all(mine == sorted(mine) for mine in got)
    assert all_sequences(tmp_path) == list(range(1, 401)) == sorted(itertools.chain(*got))
    assert all(verify(segment) for segment in list_segments(tmp_path))


def test_usage_with_newlines_is_put_on_one_line_with_its_numbers_as_they_were(spool: OpenWriter) -> None:
    attempt = Attempt(
        destination_name="d",
        destination_type="external",
        destination_model="m",
        provider="p",
        attempt_number=1,
        action="INITIAL_ATTEMPT",
        start_time="2026-03-01T12:00:00.000000Z",
        usage=msgspec.Raw(b'{\n  "input_tokens": 7,\n  "score": 1.10\n}'),
    )
    with spool() as writer:
        writer.append(
            CallOutcome(
                recorded_at="t",
                invocation_id="i",
                request_id="r",
                event_time="t",
                outcome="completed",
                status_code=200,
                attempts=[attempt],
            )
        )

    (line,) = read_lines(list_segments(writer.slot.parent)[0])
    assert b'"usage":{"input_tokens":7,"score":1.10}' in line.raw


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b'{"record":"EVENT","x":"\xff"}', "not JSON in UTF-8"),
        (b'{"record":"EVENT"', "not JSON in UTF-8"),
        (b'{"event_id":"1","record":"EVENT"}', "first member must be"),
        (b"", "not JSON in UTF-8"),
        (b"[1]", "not JSON in UTF-8"),
    ],
)
def test_bytes_that_are_no_record_are_refused(spool: OpenWriter, record: bytes, message: str) -> None:
    with spool() as writer, pytest.raises(SpoolError, match=message):
        writer.append(record)
    assert list_segments(writer.slot.parent) == []


def test_a_lone_surrogate_is_refused_and_writing_goes_on(spool: OpenWriter, event: MakeEvent) -> None:
    with spool() as writer:
        with pytest.raises(SpoolError, match="Event record cannot be written as JSON"):
            writer.append(msgspec.structs.replace(event(1), event_id="\ud800"))
        assert writer.append(event(1)) == 1


def test_a_writer_that_leaves_without_sealing_leaves_what_a_killed_one_does(
    spool: OpenWriter, event: MakeEvent, tmp_path: Path
) -> None:
    writer = spool()
    writer.append(event(1))
    writer.close(is_sealing=False)

    assert [segment.is_sealed for segment in list_segments(tmp_path / "spool")] == [False]
    assert [segment.is_recovered for segment in recover(tmp_path / "spool", utc_now())] == [True]


def test_a_closed_writer_refuses(spool: OpenWriter, event: MakeEvent) -> None:
    with spool() as writer:
        pass
    writer.close()
    with pytest.raises(SpoolError, match="is closed"):
        writer.append(event(1))


def test_a_slot_of_a_newer_format_is_refused(spool: OpenWriter) -> None:
    with spool() as writer:
        pass
    (writer.slot / "slot.json").write_text('{"spool_id":"a","format_version":99}')
    with pytest.raises(SpoolError, match="format version 99"):
        spool()


def test_a_slot_whose_state_is_damaged_is_refused_by_name(spool: OpenWriter) -> None:
    with spool() as writer:
        pass
    (writer.slot / "slot.json").write_text("")
    with pytest.raises(SpoolError, match=r"slot-0/slot.json is damaged"):
        spool()
