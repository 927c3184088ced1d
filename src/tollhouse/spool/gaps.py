"""What is known to be missing from the spools: lost segments and lost records."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from tollhouse.errors import SourceError
from tollhouse.spool.reader import read_lines, slot_segments
from tollhouse.spool.records import Gap
from tollhouse.spool.segment import Segment
from tollhouse.spool.slot import read_deletions, read_state, slot_folders
from tollhouse.spool.times import to_text

PATIENCE = timedelta(hours=1)


@dataclass(frozen=True)
class SpoolGap:
    """A hole and the spool that it is in. The same hole gives the same record each time it is asked for."""

    spool_id: str
    record: Gap


def gaps(root: Path | str, now: datetime) -> list[SpoolGap]:
    """Segments missing for over an hour from their spool's row of numbers, and sequence numbers missing between two.

    Reads headers and footers only: what is damaged inside a segment is for ``segment_gaps``. A segment removed by
    ``delete`` is not missing. A missing segment's age is counted from when its successor was begun. ``now`` is aware.
    Raises SourceError without permission.
    """
    try:
        slots = slot_folders(Path(root))
    except PermissionError as error:
        raise SourceError(f"no permission to read {root}", hint="give this user read permission on it") from error
    return [gap for slot in slots for gap in _slot_gaps(slot, now)]


def _slot_gaps(slot: Path, now: datetime) -> Iterator[SpoolGap]:
    segments = slot_segments(slot)
    try:
        state, deletions = read_state(slot), read_deletions(slot)
        noted_at = (slot / "slot.json").stat().st_mtime
    except FileNotFoundError:
        return
    if state is None:
        return
    begun = {segment.number: segment.created_at for segment in segments}
    end = max([state.last_segment_number, *begun])
    found_at = datetime.fromtimestamp(noted_at, now.tzinfo)
    missing: list[Gap] = []
    for number in range(end, 0, -1):
        found_at = begun.get(number, found_at)
        if number not in begun and not deletions.holds(number) and now - found_at > PATIENCE:
            missing.append(_missing_segment(number, segments, found_at))
    for record in [*reversed(missing), *_holes(segments)]:
        yield SpoolGap(state.spool_id, record)


def _missing_segment(number: int, segments: list[Segment], found_at: datetime) -> Gap:
    before = [segment for segment in segments if segment.number == number - 1]
    after = [segment for segment in segments if segment.number == number + 1]
    return Gap(
        recorded_at=to_text(found_at + PATIENCE),
        reason=f"segment {number} is missing",
        segment_number=number,
        first_sequence=_after_last(before),
        last_sequence=None if not after or after[0].first_sequence is None else after[0].first_sequence - 1,
    )


def _after_last(segments: list[Segment]) -> int | None:
    last = segments[0].last_sequence if segments else None
    return None if last is None else last + 1


def _holes(segments: list[Segment]) -> Iterator[Gap]:
    """Sequence numbers missing between two segments whose own numbers follow each other."""
    filled = [segment for segment in segments if segment.is_sealed and segment.last_sequence is not None]
    for before, after in pairwise(filled):
        expected = _after_last([before])
        if expected is None or after.first_sequence is None or before.number + 1 != after.number:
            continue
        if expected < after.first_sequence:
            yield Gap(
                recorded_at=to_text(after.created_at),
                reason=f"sequence numbers between segment {before.number} and segment {after.number} are missing",
                segment_number=after.number,
                first_sequence=expected,
                last_sequence=after.first_sequence - 1,
            )


def segment_gaps(segment: Segment) -> list[Gap]:
    """Sequence numbers that one sealed segment should hold and does not, with the damage found in their place.

    Reads the whole segment. Raises SourceError when it has vanished or may not be read.
    """
    found: list[Gap] = []
    expected = segment.first_sequence
    lost_bytes, reasons = 0, list[str]()
    for line in read_lines(segment):
        if line.sequence is None:
            lost_bytes += len(line.raw) + 1
            reasons.append(f"{line.damage} (at byte {line.offset})")
            continue
        if expected is not None and line.sequence > expected:
            found.append(_lost(segment, expected, line.sequence - 1, lost_bytes, reasons))
        expected, lost_bytes, reasons = line.sequence + 1, 0, []
    if expected is not None and segment.last_sequence is not None and expected <= segment.last_sequence:
        found.append(_lost(segment, expected, segment.last_sequence, lost_bytes, reasons))
    return found


def _lost(segment: Segment, first: int, last: int, lost_bytes: int, reasons: Iterable[str]) -> Gap:
    return Gap(
        recorded_at=to_text(segment.sealed_at or segment.created_at),
        reason="; ".join(reasons) or "the lines are not there",
        segment_number=segment.number,
        first_sequence=first,
        last_sequence=last,
        lost_bytes=lost_bytes,
    )
