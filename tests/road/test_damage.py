"""Our own log, damaged: what is left of it reaches gold, what is lost is named."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from road.asked import CALLS, REFUSED
from road.calls import admit, outcome, own_id
from road.roads import AS_OF, Road, make_road

from tollhouse.spool.segment import segment_path


@pytest.fixture
def road(tmp_path: Path) -> Road:
    return make_road(tmp_path)


def _damage(path: Path, *edits: tuple[int, bytes]) -> None:
    """Put bytes over the middle of the lines of these numbers (0 is the segment's header)."""
    lines = path.read_bytes().splitlines(keepends=True)
    for number, new in edits:
        middle = len(lines[number]) // 2
        lines[number] = lines[number][:middle] + new + lines[number][middle + len(new) :]
    path.write_bytes(b"".join(lines))


def _numbers(road: Road) -> list[str]:
    return sorted(row["request_id"] for row in road.ask(CALLS))


def test_a_flipped_bit_in_our_own_log_sets_one_record_aside_and_reading_goes_on(road: Road) -> None:
    road.append(*[outcome(number) for number in range(1, 7)])
    path = segment_path(road.slot, 1, is_open=False)
    _damage(path, (2, b"\x01"), (4, b"\xff\xfe\x00\x80"))
    road.run()
    assert _numbers(road) == ["request-1", "request-3", "request-5", "request-6"]
    refused = road.ask(REFUSED)
    assert [row["reason"].split(":")[0] for row in refused] == ["bad checksum", "bad checksum"]
    assert [row["is_base64"] for row in refused] == [False, True]
    assert road.totals()["bronze_rejected"] == 2
    road.assert_sound()


def test_a_torn_tail_is_cut_off_and_what_came_before_it_is_read(road: Road) -> None:
    with road.writing() as writer:
        writer.append(outcome(1))
        writer.append(outcome(2))
        writer.close(is_sealing=False)
    path = segment_path(road.slot, 1, is_open=True)
    path.write_bytes(path.read_bytes()[:-100])
    road.run()
    assert _numbers(road) == ["request-1"]
    road.assert_sound()


def test_a_segment_without_its_footer_is_read_line_by_line(road: Road) -> None:
    road.append(outcome(1), outcome(2))
    path = segment_path(road.slot, 1, is_open=False)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    road.run()
    assert _numbers(road) == ["request-1", "request-2"]
    road.assert_sound()


def test_an_empty_segment_is_an_object_without_records(road: Road) -> None:
    with road.writing():
        pass
    road.forge(1)
    road.run()
    assert road.totals()["objects"] == 1
    road.assert_sound()


def test_a_missing_segment_becomes_a_gap_record_after_an_hour(road: Road) -> None:
    for number in range(1, 4):
        road.append(outcome(number), admit(number + 10), moment=AS_OF + timedelta(minutes=number))
    segment_path(road.slot, 2, is_open=False).unlink()
    road.run(AS_OF + timedelta(minutes=30))
    assert _numbers(road) == ["request-1", "request-11"]
    later = AS_OF + timedelta(hours=2)
    road.run(later)
    assert _numbers(road) == ["request-1", "request-11", "request-13", "request-3"]
    (gap,) = road.ask("SELECT raw_text, spool_segment FROM bronze.raw_records WHERE record_kind = 'GAP'")
    assert (gap["spool_segment"], json.loads(gap["raw_text"])["reason"]) == (2, "segment 2 is missing")
    assert road.totals()["gap_records"] == 1
    road.assert_sound(later)


def test_the_same_call_in_a_later_segment_is_the_same_row(road: Road) -> None:
    road.append(admit(1), outcome(1))
    road.run()
    road.append(outcome(1, status_code=202), moment=AS_OF + timedelta(days=7))
    road.run(AS_OF + timedelta(days=7))
    (row,) = road.ask(CALLS)
    assert (row["invocation_id"], row["status_code"]) == (own_id(1), 202)
    assert road.totals()["duplicate_records"] == 1
    road.assert_sound(AS_OF + timedelta(days=7))
