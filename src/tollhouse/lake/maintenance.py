"""Keeping tables small and quick: compaction, vacuum, log clean-up, closing dates, deleting read segments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from tollhouse.errors import LakeError
from tollhouse.lake.bronze.batch import finish_batches
from tollhouse.lake.bronze.segments import watermark
from tollhouse.lake.embedded import committing, snapshot, writing
from tollhouse.lake.engine import Commit, DataFile
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.spool.reader import delete, list_segments

SMALLEST_VACUUM_HOURS = 168
_SMALL_BYTES = 32 << 20
_GROUP_BYTES = 128 << 20
_CLOSABLE = ("silver.invocations", "silver.payloads", "silver.guardrail_checks")


@dataclass(frozen=True)
class Compacted:
    """Files before and after."""

    table: str
    files_before: int
    files_after: int


def compact(lake: Lakehouse, table: str | None = None) -> list[Compacted]:
    """Joins small files of a partition into larger ones, without changing a row; of all tables where none is named."""
    return [_compact(lake, name) for name in ([table] if table else lake.tables()) if lake.exists(name)]


def _compact(lake: Lakehouse, table: str) -> Compacted:
    contract = lake.contract(table)
    with lake.lock("bronze" if table.startswith("bronze.") else table):
        before = len(lake.state(table).files)
        for group in _groups(lake.state(table).files):
            delta = lake.delta(table)
            query = f"SELECT * FROM {lake.relation(table, group)}"
            added = writing.write_files(lake.connection, contract, lake.path(table), query, is_compaction=True)
            facts = {"step": "compact"}
            committing.commit_files(
                delta, contract, Commit({}, facts), added=added, removed=group, is_data_change=False
            )
        return Compacted(table, before, len(lake.state(table).files))


def _groups(files: Sequence[DataFile]) -> list[list[DataFile]]:
    """Small files of one partition, at least two, up to a bounded size together."""
    small = sorted((f for f in files if f.size < _SMALL_BYTES), key=lambda f: (sorted(f.partition.items()), f.path))
    groups: list[list[DataFile]] = []
    for _, found in groupby(small, key=lambda f: sorted(f.partition.items())):
        group, size = list[DataFile](), 0
        for file in found:
            if group and size + file.size > _GROUP_BYTES:
                groups.append(group)
                group, size = [], 0
            group.append(file)
            size += file.size
        groups.append(group)
    return [group for group in groups if len(group) > 1]


def vacuum(
    lake: Lakehouse, table: str | None = None, *, retention_hours: int | None = None, is_dry_run: bool = False
) -> dict[str, int]:
    """Deletes files that no version younger than ``retention_hours`` needs, orphans of dead runs too; files by table.

    Raises LakeError below 168 hours: a running writer's files, not yet committed, would be deleted.
    """
    hours = lake.settings.retention.vacuum_hours if retention_hours is None else retention_hours
    if hours < SMALLEST_VACUUM_HOURS:
        raise LakeError(
            f"a retention of {hours} hours is too short: files of running writers and readers would be deleted",
            hint=f"use {SMALLEST_VACUUM_HOURS} hours or more",
        )
    deleted: dict[str, int] = {}
    with lake.lock("bronze"):  # a batch that waits for its commit names files that only it knows
        finish_batches(lake)
    for name in [table] if table else lake.tables():
        if lake.exists(name):
            opened = lake.delta(name)
            deleted[name] = len(opened.vacuum(retention_hours=hours, dry_run=is_dry_run, full=True))
            if not is_dry_run:
                opened.create_checkpoint()
                opened.cleanup_metadata()
    return deleted


def close_dates(lake: Lakehouse, as_of: datetime) -> dict[str, int]:
    """Closes the dates of silver that are older than its retention and removes their rows; files removed by table.

    Gold keeps what it knows. A late record for a closed date goes to silver.rejected_records.
    """
    days = lake.settings.retention.silver_days
    if days is None:
        return {}
    limit = as_of.astimezone(UTC).date() - timedelta(days=days)
    return {table: _close(lake, table, limit) for table in _CLOSABLE if lake.exists(table)}


def _close(lake: Lakehouse, table: str, limit: date) -> int:
    contract = lake.contract(table)
    with lake.lock(table):
        state = lake.state(table)
        if state.properties.get(snapshot.CLOSED_BEFORE, "") < limit.isoformat():
            properties = {snapshot.CLOSED_BEFORE: limit.isoformat()}
            lake.delta(table).alter.set_table_properties(properties, raise_if_not_exists=False)
        old = [f for f in state.files if "1970-01-01" < f.partition["event_date"] < limit.isoformat()]
        if old:
            committing.commit_files(lake.delta(table), contract, Commit({}, {"step": "close"}), removed=old)
        return len(old)


def delete_segments(lake: Lakehouse, as_of: datetime) -> int:
    """Deletes segments that bronze has committed, as re-read from its log, and whose retention has passed."""
    keep = timedelta(hours=lake.settings.spool.retention_hours)
    segments = [s for s in list_segments(lake.settings.spool_dir) if s.is_sealed]
    state = lake.state("bronze.raw_records", sorted({watermark(s.spool_id) for s in segments}))
    old = [
        s
        for s in segments
        if s.number <= state.transaction(watermark(s.spool_id)) and s.sealed_at and s.sealed_at + keep < as_of
    ]
    for segment in old:
        delete(segment)
    return len(old)


def daily(lake: Lakehouse, as_of: datetime) -> dict[str, object]:
    """What should be done once a day; returns what was done, by name."""
    closed = close_dates(lake, as_of)
    compacted = [c for c in compact(lake) if c.files_after != c.files_before]
    return {
        "closed": closed,
        "compacted": {c.table: f"{c.files_before} → {c.files_after} files" for c in compacted},
        "vacuumed": vacuum(lake),
        "segments_deleted": delete_segments(lake, as_of),
    }
