from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tollhouse.spool.gaps import gaps
from tollhouse.spool.reader import delete, list_segments
from tollhouse.spool.records import Event
from tollhouse.spool.writer import SpoolWriter

OpenWriter = Callable[..., SpoolWriter]
MakeEvent = Callable[[int], Event]
HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def root(spool: OpenWriter, event: MakeEvent, tmp_path: Path) -> Path:
    """Five sealed segments of two records each, all begun at the same time."""
    with spool(segment_bytes=600) as writer:
        for number in range(10):
            writer.append(event(number))
    assert [segment.record_count for segment in list_segments(tmp_path / "spool")] == [2] * 5
    return tmp_path / "spool"


def test_a_missing_segment_becomes_a_gap_after_an_hour(root: Path, clock: Callable[[], object]) -> None:
    (root / "slot-0" / "000000000003.jsonl").unlink()

    assert gaps(root, clock() + HOUR) == []
    (gap,) = gaps(root, clock() + HOUR + MOMENT)
    assert gap.spool_id == list_segments(root)[0].spool_id
    assert (gap.record.segment_number, gap.record.first_sequence, gap.record.last_sequence) == (3, 5, 6)
    assert (gap.record.reason, gap.record.recorded_at) == ("segment 3 is missing", "2026-03-01T13:00:00.000000Z")
    assert gaps(root, clock() + 9 * HOUR) == [gap]


def test_missing_segments_in_a_row_are_a_gap_each(root: Path, clock: Callable[[], object]) -> None:
    for number in (1, 2, 3):
        (root / "slot-0" / f"00000000000{number}.jsonl").unlink()

    found = [gap.record for gap in gaps(root, clock() + 2 * HOUR)]
    assert [(gap.segment_number, gap.first_sequence, gap.last_sequence) for gap in found] == [
        (1, None, None),
        (2, None, None),
        (3, None, 6),
    ]


def test_a_missing_newest_segment_is_known_from_the_slot(root: Path, clock: Callable[[], object]) -> None:
    (root / "slot-0" / "000000000005.jsonl").unlink()

    (gap,) = gaps(root, clock() + timedelta(days=36500))
    assert (gap.record.segment_number, gap.record.first_sequence, gap.record.last_sequence) == (5, 9, None)


def test_a_segment_deleted_on_purpose_is_not_missing(root: Path, clock: Callable[[], object]) -> None:
    for segment in reversed(list_segments(root)[:4]):
        delete(segment)

    assert gaps(root, clock() + 2 * HOUR) == []
    assert (root / "slot-0" / "deleted.json").read_bytes() == b'{"ranges":[[1,4]]}\n'


def test_numbers_missing_between_two_segments_are_a_gap(root: Path, clock: Callable[[], object]) -> None:
    (root / "slot-0" / "000000000005.jsonl").rename(root / "slot-0" / "000000000003.jsonl")
    state = root / "slot-0" / "slot.json"
    state.write_text(state.read_text().replace('"last_segment_number":5', '"last_segment_number":4'))

    (gap,) = gaps(root, clock())
    assert (gap.record.first_sequence, gap.record.last_sequence) == (5, 8)


def test_a_spool_that_does_not_exist_has_no_gaps(tmp_path: Path, clock: Callable[[], object]) -> None:
    assert gaps(tmp_path / "none", clock()) == []
