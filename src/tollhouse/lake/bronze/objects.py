"""Other gateways' log files into bronze: each version of an object once, the tail only where it has grown."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from tollhouse.errors import SettingsError, TollhouseError
from tollhouse.lake.bronze.batch import (
    OBJECTS,
    RAW,
    REJECTED,
    Batch,
    commit_batch,
    finish_batches,
    next_batch_number,
    next_sequence,
)
from tollhouse.lake.bronze.seen import Seen
from tollhouse.lake.embedded.reading import literal
from tollhouse.lake.embedded.writing import NewFile, write_files
from tollhouse.lake.engine import Written
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.settings import SourceSettings
from tollhouse.sources.framing import RECORD_SCHEMA, REJECTED_SCHEMA, Framer, FramingReport
from tollhouse.sources.listing import LocalStore, ObjectStore, SourceObject
from tollhouse.sources.registry import framer

_BATCH_BYTES = 256 << 20
_BATCH_OBJECTS = 5_000
_CHUNK = 1 << 20
SETTLING = timedelta(minutes=1)


@dataclass(frozen=True)
class Version:
    """What was last read of an object: its bytes up to ``size`` had ``sha256`` and held ``records``."""

    size: int
    sha256: str
    records: int


@dataclass(frozen=True)
class Reading:
    """An object to read: from ``from_byte`` on where ``known`` is a prefix of it."""

    found: SourceObject
    known: Version | None
    from_byte: int
    is_complete: bool


@dataclass
class Framing:
    """The rows of a batch while they stream past, and what was counted on the way."""

    store: ObjectStore
    frame: Framer
    readings: Sequence[Reading]
    next_sequence: int
    reports: list[tuple[Reading, FramingReport]] = field(default_factory=list[tuple[Reading, FramingReport]])
    rejected: list[pa.RecordBatch] = field(default_factory=list[pa.RecordBatch])
    error: TollhouseError | None = None

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Record batches of ROW_SCHEMA; an error is kept, since DuckDB would wrap it."""
        try:
            for reading in self.readings:
                yield from self._object(reading)
        except TollhouseError as error:
            self.error = error

    def _object(self, reading: Reading) -> Iterator[pa.RecordBatch]:
        report = FramingReport()
        first = reading.known.records if reading.known and reading.from_byte else 0
        with self.store.open(reading.found.path) as stream:
            batches = self.frame(
                stream, report, from_byte=reading.from_byte, first_position=first, is_complete=reading.is_complete
            )
            for batch in batches:
                if batch.rejected.num_rows:
                    self.rejected.append(_with_path(batch.rejected, reading.found.path))
                if batch.records.num_rows:
                    yield self._numbered(batch.records, reading.found.path)
        self.reports.append((reading, report))

    def _numbered(self, records: pa.RecordBatch, path: str) -> pa.RecordBatch:
        count = records.num_rows
        numbers = pa.array(range(self.next_sequence, self.next_sequence + count), pa.int64())
        self.next_sequence += count
        paths = pa.repeat(pa.scalar(path), count)
        return pa.RecordBatch.from_arrays([numbers, paths, *records.columns], schema=ROW_SCHEMA)


ROW_SCHEMA = pa.schema([("ingest_sequence", pa.int64()), ("object_path", pa.string()), *RECORD_SCHEMA])
_REJECT_SCHEMA = pa.schema([("object_path", pa.string()), *REJECTED_SCHEMA])


def _with_path(rejected: pa.RecordBatch, path: str) -> pa.RecordBatch:
    paths = pa.repeat(pa.scalar(path), rejected.num_rows)
    return pa.RecordBatch.from_arrays([paths, *rejected.columns], schema=_REJECT_SCHEMA)


def ingest_sources(lake: Lakehouse, as_of: datetime) -> Written:
    """Reads what is new in every source of the settings; what changed within the last minute waits."""
    done = Written()
    for source in lake.settings.sources:
        path = lake.settings.path(source.path)
        if path.exists():
            done = _sum(done, _ingest(lake, replace_path(source, path), as_of, settling=SETTLING))
    return done


def replace_path(source: SourceSettings, path: Path) -> SourceSettings:
    """The same source at an absolute path."""
    return SourceSettings(name=source.name, format=source.format, path=str(path))


def ingest_path(lake: Lakehouse, path: Path, log_format: str, source_name: str | None, as_of: datetime) -> Written:
    """Reads a file or folder at once. The source is the settings' one that holds the path, else named by the format.

    Raises SourceError for a path that cannot be read, SettingsError for a name that is already another format's.
    """
    holding = (s.name for s in lake.settings.sources if path.resolve().is_relative_to(lake.settings.path(s.path)))
    name = source_name or next(holding, log_format)
    for source in lake.settings.sources:
        if source.name == name and source.format != log_format:
            raise SettingsError(f"the source {name!r} of the settings has format {source.format!r}, not {log_format!r}")
    with lake.lock("bronze"):
        finish_batches(lake)
        return _ingest(lake, SourceSettings(name, log_format, str(path.resolve())), as_of, settling=None)


def _ingest(lake: Lakehouse, source: SourceSettings, as_of: datetime, *, settling: timedelta | None) -> Written:
    frame, store = framer(source.format), LocalStore()
    versions = _versions(lake, source.name)
    seen = Seen(lake.settings.state_dir / "seen", source.name)
    readings = _readings(store, source, versions, seen, settling)
    done = Written()
    while group := list(_take(readings)):
        done = _sum(done, _ingest_group(lake, source, Framing(store, frame, group, next_sequence(lake)), as_of))
    seen.save()
    return done


def _sum(one: Written, other: Written) -> Written:
    return replace(one, rows=one.rows + other.rows, rejected=one.rejected + other.rejected)


def _take(readings: Iterator[Reading]) -> Iterator[Reading]:
    size = 0
    for reading in islice(readings, _BATCH_OBJECTS):
        yield reading
        size += reading.found.size - reading.from_byte
        if size >= _BATCH_BYTES:
            return


def _versions(lake: Lakehouse, source: str) -> dict[str, Version]:
    rows = lake.connection.execute(
        "SELECT object_path, arg_max(struct_pack(b := object_bytes, s := object_sha256), batch), "
        "sum(framed_records + rejected_records) FILTER (batch >= whole) "
        "FROM (SELECT *, max(batch) FILTER (read_from_byte = 0) OVER (PARTITION BY object_path) AS whole "
        f"FROM {lake.relation(OBJECTS)} WHERE source = {literal(source)}) GROUP BY object_path"
    ).fetchall()
    return {path: Version(last["b"], last["s"], int(records)) for path, last, records in rows}


def _readings(
    store: ObjectStore, source: SourceSettings, versions: dict[str, Version], seen: Seen, settling: timedelta | None
) -> Iterator[Reading]:
    for found in store.list(source.path):
        now = datetime.now(UTC)
        is_settled = now - found.modified_at > SETTLING
        if settling is not None and not is_settled:
            continue
        known = versions.get(found.path)
        if known is None:
            yield Reading(found, None, 0, is_settled)
        elif seen.holds(found):
            continue
        elif _digest(store, found.path, found.size) != known.sha256:
            is_prefix = found.size > known.size and _digest(store, found.path, known.size) == known.sha256
            yield Reading(found, known, known.size if is_prefix else 0, is_settled)
        elif is_settled:
            seen.add(found)


def _digest(store: ObjectStore, path: str, size: int) -> str:
    """SHA-256 of the object's first ``size`` bytes."""
    digest, left = hashlib.sha256(), size
    with store.open(path) as stream:
        while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()


def _ingest_group(lake: Lakehouse, source: SourceSettings, framing: Framing, as_of: datetime) -> Written:
    number, first = next_batch_number(lake), framing.next_sequence
    day = as_of.date().isoformat()
    stamp = (
        f"DATE {literal(day)} AS ingest_date, TIMESTAMPTZ {literal(as_of.isoformat())} AS ingested_at, "
        f"{literal(source.name)} AS source"
    )
    raw = _write_rows(lake, framing, stamp, day)
    objects = [
        row for reading, report in framing.reports if (row := _object_row(framing.store, source, reading, report))
    ]
    if not objects:
        return Written()
    files = {
        RAW: raw,
        REJECTED: _write_table(
            lake,
            REJECTED,
            pa.Table.from_batches(framing.rejected, _REJECT_SCHEMA),
            f"SELECT *, {stamp}, {literal(source.format)} AS format, {number}::BIGINT AS batch FROM made_rows",
        ),
        OBJECTS: _write_table(
            lake,
            OBJECTS,
            pa.Table.from_pylist(objects, _OBJECT_SCHEMA),
            f"SELECT *, {number}::BIGINT AS batch, TIMESTAMPTZ {literal(as_of.isoformat())} AS ingested_at, "
            "NULL::BIGINT AS declared_records, NULL::VARCHAR AS spool_id, NULL::BIGINT AS spool_segment, "
            "NULL::BOOLEAN AS is_recovered FROM made_rows",
        ),
    }
    rows, rejected = sum(f.rows for f in raw), sum(batch.num_rows for batch in framing.rejected)
    marks = {f"source/{source.name}": number}
    commit_batch(lake, Batch(number, marks, files, first, framing.next_sequence - 1, day, rows, rejected))
    return Written(rows, (), None, rejected)


def _write_rows(lake: Lakehouse, framing: Framing, stamp: str, day: str) -> list[NewFile]:
    reader = pa.RecordBatchReader.from_batches(ROW_SCHEMA, framing.rows())
    connection = lake.connection
    connection.register("framed_rows", reader)
    try:
        query = f"SELECT *, {stamp}, NULL::VARCHAR AS spool_id, NULL::BIGINT AS spool_segment FROM framed_rows"
        written = write_files(connection, lake.contract(RAW), lake.path(RAW), query, values=[day])
    finally:
        connection.unregister("framed_rows")
    if framing.error is not None:
        raise framing.error
    return written


def _write_table(lake: Lakehouse, table: str, rows: pa.Table, query: str) -> list[NewFile]:
    if not rows.num_rows:
        return []
    lake.connection.register("made_rows", rows)
    try:
        return write_files(lake.connection, lake.contract(table), lake.path(table), query)
    finally:
        lake.connection.unregister("made_rows")


_OBJECT_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("format", pa.string()),
        ("object_path", pa.string()),
        ("object_bytes", pa.int64()),
        ("object_sha256", pa.string()),
        ("read_from_byte", pa.int64()),
        ("framed_records", pa.int64()),
        ("rejected_records", pa.int64()),
        ("framed_bytes", pa.int64()),
        ("rejected_bytes", pa.int64()),
        ("separator_bytes", pa.int64()),
    ]
)


def _object_row(
    store: ObjectStore, source: SourceSettings, reading: Reading, report: FramingReport
) -> dict[str, Any] | None:
    """One version of an object. Its bytes are the file's own size; of a compressed one those unpacked.

    None where only a torn tail, which waits for its end, has come to what is known.
    """
    consumed = (
        reading.found.size if report.is_compressed else report.read_from_byte + report.bytes_read - report.bytes_left
    )
    size = report.bytes_read if report.is_compressed else consumed
    digest = _digest(store, reading.found.path, consumed)
    is_read = report.framed_records or report.rejected_records
    if reading.known and digest == reading.known.sha256 and not is_read:
        return None
    return {
        "source": source.name,
        "format": source.format,
        "object_path": reading.found.path,
        "object_bytes": size,
        "object_sha256": digest,
        "read_from_byte": report.read_from_byte,
        "framed_records": report.framed_records,
        "rejected_records": report.rejected_records,
        "framed_bytes": report.framed_bytes,
        "rejected_bytes": report.rejected_bytes,
        "separator_bytes": report.separator_bytes,
    }
