"""Sealed segments of our own spool into bronze: whole segments, in the order of their numbers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import count
from operator import itemgetter

from tollhouse.lake.bronze.batch import OBJECTS, RAW, REJECTED, Batch, commit_batch, next_batch_number, next_sequence
from tollhouse.lake.embedded.reading import literal
from tollhouse.lake.embedded.writing import NewFile, write_files
from tollhouse.lake.engine import Written
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.sources.tollhouse_segments import FORMAT, Framed, frame_segments
from tollhouse.spool.gaps import SpoolGap, gaps
from tollhouse.spool.reader import list_segments, recover
from tollhouse.spool.segment import Segment

SOURCE = "spool"
_BATCH_BYTES = 256 << 20


@dataclass(frozen=True)
class _Turn:
    """What one batch reads: segments, gaps that stand for missing ones, and how far that brings each spool."""

    segments: Sequence[Segment]
    gaps: Sequence[SpoolGap]
    reached: Mapping[str, int]


def ingest_spool(lake: Lakehouse, as_of: datetime) -> Written:
    """Reads every sealed segment that follows the last one read, spool by spool; seals what dead writers left open.

    Returns the rows and rejects written. Raises StorageError or SourceError naming the path.
    """
    root = lake.settings.spool_dir
    done = Written()
    if not root.is_dir():
        return done
    recover(root, as_of)
    for turn in _turns(lake, as_of):
        batch = _stage(lake, turn, as_of)
        commit_batch(lake, batch)
        done = replace(done, rows=done.rows + batch.rows, rejected=done.rejected + batch.rejected)
    return done


def _turns(lake: Lakehouse, as_of: datetime) -> Iterator[_Turn]:
    segments = [segment for segment in list_segments(lake.settings.spool_dir) if segment.is_sealed]
    missing = {(gap.spool_id, gap.record.segment_number): gap for gap in gaps(lake.settings.spool_dir, as_of)}
    spools = sorted({segment.spool_id for segment in segments} | {spool for spool, number in missing if number})
    state = lake.state(RAW, [watermark(spool) for spool in spools])
    reached = {spool: max(state.transaction(watermark(spool)), 0) for spool in spools}
    present = {(segment.spool_id, segment.number): segment for segment in segments}
    rows = [_contiguous(spool, reached[spool], present, missing) for spool in spools]
    yield from _cut(list(_by_age(rows)), reached)


def _by_age(rows: Sequence[Iterable[Segment | SpoolGap]]) -> Iterator[Segment | SpoolGap]:
    """All spools' rows as one, oldest first; within a spool by number, since a wall clock may leap."""
    return (item for _, _, item in merge(*map(_aged, rows, count()), key=itemgetter(0, 1)))


def _aged(row: Iterable[Segment | SpoolGap], spool: int) -> Iterator[tuple[float, int, Segment | SpoolGap]]:
    age = 0.0
    for item in row:
        age = max(age, item.created_at.timestamp()) if isinstance(item, Segment) else age
        yield age, spool, item


def watermark(spool_id: str) -> str:
    """The application id under which a spool's last contiguous segment is committed."""
    return f"spool/{spool_id}"


def _contiguous(
    spool: str,
    after: int,
    present: Mapping[tuple[str, int], Segment],
    missing: Mapping[tuple[str, int | None], SpoolGap],
) -> Iterator[Segment | SpoolGap]:
    """What follows ``after`` without a hole; a segment that is missing for an hour counts as its gap record."""
    number = after + 1
    while True:
        item = present.get((spool, number)) or missing.get((spool, number))
        if item is None:
            return
        yield item
        number += 1


def _cut(ready: Sequence[Segment | SpoolGap], reached: Mapping[str, int]) -> Iterator[_Turn]:
    """Turns of bounded size."""
    now = dict(reached)
    segments, found, size = list[Segment](), list[SpoolGap](), 0
    for index, item in enumerate(ready):
        if isinstance(item, Segment):
            segments.append(item)
            size += item.bytes
            now[item.spool_id] = max(now[item.spool_id], item.number)
        else:
            found.append(item)
            now[item.spool_id] = max(now[item.spool_id], item.record.segment_number or 0)
        if size >= _BATCH_BYTES or index == len(ready) - 1:
            yield _Turn(segments, found, dict(now))
            segments, found, size = [], [], 0


def _stage(lake: Lakehouse, turn: _Turn, as_of: datetime) -> Batch:
    number, first = next_batch_number(lake), next_sequence(lake)
    framed = frame_segments(lake.connection, turn.segments, turn.gaps, first)
    day = as_of.date().isoformat()
    stamp = f"DATE {literal(day)} AS ingest_date, TIMESTAMPTZ {literal(as_of.isoformat())} AS ingested_at"
    query = f"SELECT *, {stamp}, {literal(SOURCE)} AS source, {literal(FORMAT)} AS format FROM ({framed.query})"
    contracts = {name: lake.contract(name) for name in (RAW, REJECTED, OBJECTS)}
    raw = write_files(lake.connection, contracts[RAW], lake.path(RAW), query, values=[day])
    files = {RAW: raw, REJECTED: _rejects(lake, framed, stamp, number), OBJECTS: _objects(lake, framed, as_of, number)}
    framed.close()
    return Batch(
        number=number,
        transactions={watermark(spool): segment for spool, segment in turn.reached.items()},
        files=files,
        first_sequence=first,
        last_sequence=framed.last_sequence,
        ingest_date=day,
        rows=sum(file.rows for file in raw),
        rejected=framed.rejected.num_rows,
    )


def _rejects(lake: Lakehouse, framed: Framed, stamp: str, batch: int) -> list[NewFile]:
    if not framed.rejected.num_rows:
        return []
    connection = lake.connection
    connection.register("framed_rejects", framed.rejected)
    query = (
        f"SELECT *, {stamp}, {literal(SOURCE)} AS source, {literal(FORMAT)} AS format, {batch}::BIGINT AS batch "
        "FROM framed_rejects"
    )
    try:
        return write_files(connection, lake.contract(REJECTED), lake.path(REJECTED), query)
    finally:
        connection.unregister("framed_rejects")


def _objects(lake: Lakehouse, framed: Framed, as_of: datetime, batch: int) -> list[NewFile]:
    connection = lake.connection
    connection.register("framed_objects", framed.objects)
    query = (
        f"SELECT *, {literal(SOURCE)} AS source, {literal(FORMAT)} AS format, 0::BIGINT AS read_from_byte, "
        f"{batch}::BIGINT AS batch, TIMESTAMPTZ {literal(as_of.isoformat())} AS ingested_at FROM framed_objects"
    )
    try:
        return write_files(connection, lake.contract(OBJECTS), lake.path(OBJECTS), query)
    finally:
        connection.unregister("framed_objects")
