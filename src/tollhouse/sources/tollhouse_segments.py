"""Tollhouse's own segments as rows of bronze.

A segment whose SHA-256 equals its footer's holds exactly what its writer wrote, so DuckDB reads its lines unchecked.
One that was recovered, is suspect or does not match is read line by line, each against its own checksum.
"""

import base64
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb
import msgspec
import pyarrow as pa

from tollhouse.errors import SourceError
from tollhouse.sources.strict_json import NotJsonError, normalize_record, suspect_sql
from tollhouse.spool.gaps import SpoolGap
from tollhouse.spool.reader import Line, read_lines, verify
from tollhouse.spool.segment import Segment

FORMAT = "tollhouse"
BODIES = ("request_body", "response_body")
# {"crc32c":"xxxxxxxx","sequence":17,"record":"OUTCOME","recorded_at":...,"invocation_id" or "event_id":"...": the
# head of a line has one shape, and cutting it is quicker than any pattern.
_SEQUENCE = "CAST(split_part(substr(raw_text, 33, 20), ',', 1) AS BIGINT)"
_KIND = """split_part(substr(raw_text, 33, 64), '"', 4)"""
_KEY = """nullif(split_part(split_part(substr(raw_text, 40, 200), '_id":"', 2), '"', 1), '')"""
_KEYED = "('ADMIT', 'ATTEMPT', 'OUTCOME', 'EVENT')"

_ROWS = pa.schema([("file", pa.string()), ("raw_text", pa.string())])
_REJECTS = pa.schema(
    [
        ("object_path", pa.string()),
        ("position", pa.int64()),
        ("record_bytes", pa.int64()),
        ("reason", pa.string()),
        ("raw_text", pa.string()),
        ("is_base64", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Framed:
    """``query`` gives the rows (without when and whence they were ingested); ``objects`` one row a segment."""

    query: str
    objects: pa.Table
    rejected: pa.Table
    last_sequence: int
    connection: duckdb.DuckDBPyConnection

    def close(self) -> None:
        """Lets go of the tables that ``query`` reads."""
        for name in ("segment_places", "mended_lines", "normalized_records", "gap_records"):
            self.connection.unregister(name)
        self.connection.execute("DROP TABLE IF EXISTS line_marks")


def frame_segments(
    connection: duckdb.DuckDBPyConnection, segments: Sequence[Segment], gaps: Sequence[SpoolGap], first_sequence: int
) -> Framed:
    """Frames whole segments; rows get ingest_sequence from ``first_sequence`` on, rising with their place.

    Raises SourceError where a segment cannot be read.
    """
    places, last = _places(segments, first_sequence)
    gap_rows = _gap_rows(gaps, last + 1)
    with ThreadPoolExecutor(2) as pool:  # hashing frees the interpreter
        soundness = list(pool.map(is_sound, segments))
    sound = [segment for segment, is_whole in zip(segments, soundness, strict=True) if is_whole]
    connection.register("segment_places", places)
    connection.register("gap_records", gap_rows)
    lines, rejected, line_bytes = _mark(connection, segments, sound)
    connection.register("normalized_records", _normalized(connection))
    objects = _objects(connection, segments, rejected, line_bytes)
    return Framed(_query(lines), objects, rejected, last + gap_rows.num_rows, connection)


def _mark(
    connection: duckdb.DuckDBPyConnection, segments: Sequence[Segment], sound: Sequence[Segment]
) -> tuple[str, pa.Table, dict[str, int]]:
    """Notes of each line its number, size and whether it needs a closer look.

    Returns the query of the lines, what was rejected, and the bytes of all lines of each segment read line by line.
    """
    # Buffers of the larger limit cost twice the time; and one line that is no JSON stops DuckDB for its whole file.
    for limit in (_USUAL_BYTES, _LARGEST_BYTES, None):
        readable = sound if limit else [segment for segment in sound if _is_readable(connection, segment)]
        mended, rejected, line_bytes = _mend([segment for segment in segments if segment not in readable])
        connection.register("mended_lines", mended)
        lines = _lines(readable, has_mended=mended.num_rows > 0, limit=limit or _LARGEST_BYTES)
        with suppress(duckdb.InvalidInputException):
            connection.execute(
                f"CREATE OR REPLACE TABLE line_marks AS SELECT file, {_SEQUENCE} AS sequence, "
                f"strlen(raw_text) AS bytes, CASE WHEN {_SUSPECT} THEN raw_text END AS suspect_text FROM ({lines})"
            )
            return lines, rejected, line_bytes
    paths = ", ".join(str(segment.path) for segment in segments)
    raise SourceError(f"none of the segments {paths} can be read", hint="run `tollhouse doctor`")


def _is_readable(connection: duckdb.DuckDBPyConnection, segment: Segment) -> bool:
    try:
        connection.execute(f"SELECT count(raw_text) FROM ({_lines([segment], has_mended=False, limit=_LARGEST_BYTES)})")
    except duckdb.Error:
        return False
    return True


_USUAL_BYTES, _LARGEST_BYTES = 16 << 20, 80 << 20

# The record around the bodies was written by us and hashes to its seal; the attempts hold the providers' own usage.
_SUSPECT = (
    f"CASE WHEN {_KIND} <> 'OUTCOME' THEN NOT json_valid(raw_text) "
    "ELSE coalesce(TRY(list_bool_or(list_transform(json_extract_string(raw_text, ['$.request_body', '$.response_body', "
    "'$.attempts', '$.request_body_encoding', '$.response_body_encoding']), lambda b: coalesce(b = 'base64', false) "
    f"OR ({suspect_sql('b')})))), true) END"
)


def is_sound(segment: Segment) -> bool:
    """Whether the file is byte for byte what its living writer sealed."""
    return not segment.is_recovered and not segment.is_suspect and verify(segment)


def _open(segment: Segment) -> BinaryIO:
    try:
        return segment.path.open("rb")
    except OSError as error:
        raise SourceError(
            f"cannot read segment {segment.path}: {error}", hint="mend permissions, then run again"
        ) from error


def _places(segments: Sequence[Segment], first: int) -> tuple[pa.Table, int]:
    """Where each segment's records go: ingest_sequence = record's sequence + shift."""
    rows: list[dict[str, object]] = []
    for segment in segments:
        begin, end = _sequences(segment)
        rows.append(
            {
                "file": str(segment.path),
                "spool_id": segment.spool_id,
                "spool_segment": segment.number,
                "shift": first - begin,
            }
        )
        first += 0 if end is None else end - begin + 1
    schema = pa.schema(
        [("file", pa.string()), ("spool_id", pa.string()), ("spool_segment", pa.int64()), ("shift", pa.int64())]
    )
    return pa.Table.from_pylist(rows, schema), first - 1


def _sequences(segment: Segment) -> tuple[int, int | None]:
    """First and last sequence number; counted where the footer cannot be read."""
    if segment.sha256 is not None:
        return segment.first_sequence or 0, segment.last_sequence
    found = [line.sequence for line in read_lines(segment) if line.sequence is not None]
    return (min(found), max(found)) if found else (0, None)


def _lines(sound: Sequence[Segment], *, has_mended: bool, limit: int) -> str:
    parts: list[str] = []
    if sound:
        paths = ", ".join("'" + str(segment.path).replace("'", "''") + "'" for segment in sound)
        parts.append(
            "SELECT json::VARCHAR AS raw_text, filename AS file "
            f"FROM read_ndjson_objects([{paths}], filename=true, maximum_object_size={limit})"
        )
    if has_mended or not parts:
        parts.append("SELECT raw_text, file FROM mended_lines")
    union = " UNION ALL ".join(parts)
    return f"""SELECT raw_text, file FROM ({union}) WHERE substr(raw_text, 21, 12) = ',"sequence":'"""


def _query(lines: str) -> str:
    return f"""
        SELECT l.sequence + p.shift AS ingest_sequence, l.record_kind, l.record_key, l.file AS object_path,
          l.sequence AS position, p.spool_id, p.spool_segment, l.raw_text, n.normalized_text, n.body_errors
        FROM (
          SELECT raw_text, file, {_SEQUENCE} AS sequence, {_KIND} AS record_kind,
            CASE WHEN {_KIND} IN {_KEYED} THEN {_KEY} END AS record_key
          FROM ({lines})
        ) l JOIN segment_places p USING (file)
        LEFT JOIN normalized_records n ON n.file = l.file AND n.sequence = l.sequence
        UNION ALL BY NAME
        SELECT ingest_sequence, 'GAP' AS record_kind, spool_id AS object_path, position, spool_id, spool_segment,
          raw_text
        FROM gap_records
    """


_NORMALIZED = pa.schema(
    [
        ("file", pa.string()),
        ("sequence", pa.int64()),
        ("normalized_text", pa.string()),
        ("body_errors", pa.list_(pa.string())),
    ]
)


def _normalized(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Only the records that the vectorised check suspects reach Python; most are strict JSON throughout."""
    rows: list[dict[str, object]] = []
    found = connection.execute("SELECT file, sequence, suspect_text FROM line_marks WHERE suspect_text IS NOT NULL")
    while batch := found.fetchmany(256):
        for file, sequence, text in batch:
            try:
                normalized, errors = normalize_record(text, BODIES)
            except NotJsonError:
                continue  # silver says what is missing in it
            if normalized is not None or errors:
                rows.append(
                    {"file": file, "sequence": sequence, "normalized_text": normalized, "body_errors": errors or None}
                )
    return pa.Table.from_pylist(rows, _NORMALIZED)


def _mend(segments: Sequence[Segment]) -> tuple[pa.Table, pa.Table, dict[str, int]]:
    good: list[dict[str, object]] = []
    bad: list[dict[str, object]] = []
    line_bytes = {str(segment.path): 0 for segment in segments}
    for segment in segments:
        for line in read_lines(segment):
            line_bytes[str(segment.path)] += len(line.raw)
            if line.damage is None:
                good.append({"file": str(segment.path), "raw_text": line.raw.decode()})
            else:
                bad.append(_reject(segment.path, line))
    return pa.Table.from_pylist(good, _ROWS), pa.Table.from_pylist(bad, _REJECTS), line_bytes


def _reject(path: Path, line: Line) -> dict[str, object]:
    try:
        text, is_base64 = line.raw.decode(), False
    except UnicodeDecodeError:
        text, is_base64 = base64.b64encode(line.raw).decode(), True
    return {
        "object_path": str(path),
        "position": line.offset,
        "record_bytes": len(line.raw),
        "reason": line.damage,
        "raw_text": text,
        "is_base64": is_base64,
    }


def _gap_rows(found: Sequence[SpoolGap], first: int) -> pa.Table:
    rows = [
        {
            "ingest_sequence": first + index,
            "position": gap.record.first_sequence or 0,
            "spool_id": gap.spool_id,
            "spool_segment": gap.record.segment_number,
            "raw_text": msgspec.json.encode(gap.record).decode(),
        }
        for index, gap in enumerate(found)
    ]
    fields = [("ingest_sequence", pa.int64()), ("position", pa.int64()), ("spool_id", pa.string())]
    return pa.Table.from_pylist(rows, pa.schema([*fields, ("spool_segment", pa.int64()), ("raw_text", pa.string())]))


def _objects(
    connection: duckdb.DuckDBPyConnection,
    segments: Sequence[Segment],
    rejected: pa.Table,
    line_bytes: Mapping[str, int],
) -> pa.Table:
    lost = _by_object(rejected)
    counted = connection.execute("SELECT file, count(*), sum(bytes) FROM line_marks GROUP BY file").fetchall()
    framed = {file: (count, int(size)) for file, count, size in counted}
    rows = [
        {
            "object_path": str(segment.path),
            "object_bytes": segment.bytes,
            "object_sha256": segment.sha256 or "",
            "framed_records": framed.get(str(segment.path), (0, 0))[0],
            "framed_bytes": framed.get(str(segment.path), (0, 0))[1],
            "rejected_records": lost.get(str(segment.path), (0, 0))[0],
            "rejected_bytes": lost.get(str(segment.path), (0, 0))[1],
            "separator_bytes": _separators(segment, line_bytes.get(str(segment.path))),
            "declared_records": segment.record_count if segment.sha256 else None,
            "spool_id": segment.spool_id,
            "spool_segment": segment.number,
            "is_recovered": segment.is_recovered,
        }
        for segment in segments
    ]
    text = ("object_path", "object_sha256", "spool_id")
    return pa.Table.from_pylist(rows, pa.schema([(name, _kind(name, text)) for name in _OBJECT_COLUMNS]))


_OBJECT_COLUMNS = (
    "object_path", "object_bytes", "object_sha256", "framed_records", "framed_bytes", "rejected_records",
    "rejected_bytes", "separator_bytes", "declared_records", "spool_id", "spool_segment", "is_recovered",
)  # fmt: skip


def _kind(name: str, text: Sequence[str]) -> pa.DataType:
    if name in text:
        return pa.string()
    return pa.bool_() if name == "is_recovered" else pa.int64()


def _by_object(rejected: pa.Table) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for row in rejected.select(["object_path", "record_bytes"]).to_pylist():
        number, size = counts.get(row["object_path"], (0, 0))
        counts[row["object_path"]] = (number + 1, size + row["record_bytes"])
    return counts


def _separators(segment: Segment, line_bytes: int | None) -> int:
    """Header, footer and the line end of each record; ``line_bytes`` is given where every line was read."""
    if line_bytes is not None:
        return segment.bytes - line_bytes
    with _open(segment) as file:
        header = len(file.readline())
        file.seek(max(0, segment.bytes - 4096))
        footer = len(file.read().rstrip(b"\n").rsplit(b"\n", 1)[-1]) + 1
    return header + footer + segment.record_count
