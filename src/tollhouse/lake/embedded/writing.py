"""Queries as Parquet files of a table, with the statistics that go into its log."""

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
from deltalake.transaction import AddAction
from duckdb.sqltypes import DuckDBPyType

from tollhouse.errors import ContractError, StorageError
from tollhouse.lake.contracts import Column, Contract
from tollhouse.lake.embedded.reading import literal, quoted
from tollhouse.lake.types import duckdb_type

# 2.5 kB a row: groups of this size keep all cores busy on a batch and one group in memory under 50 MB.
_ROW_GROUP_ROWS = 16_384
# Bronze is written once and read once or twice: the quickest level costs a sixth more bytes and half the time.
_LEVELS = {"bronze": 1, "silver": 3, "gold": 3}


@dataclass(frozen=True)
class NewFile:
    """A Parquet file written for a table and not yet committed."""

    path: str
    size: int
    rows: int
    partition: Mapping[str, str]
    statistics: str

    def action(self) -> AddAction:
        """The Delta log entry that adds the file."""
        now_ms = time.time_ns() // 1_000_000
        return AddAction(self.path, self.size, self.partition, now_ms, data_change=True, stats=self.statistics)


def write_files(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    root: Path,
    query: str,
    *,
    values: Sequence[str] | None = None,
    is_compaction: bool = False,
) -> list[NewFile]:
    """Writes the rows of ``query`` (DuckDB SQL with the contract's columns) into files under ``root``.

    ``values`` are all values of the partition column that the rows have, where the caller knows them. Raises
    ContractError where the result does not match the contract, StorageError where the disk refuses; in both cases
    nothing of it remains.
    """
    check_columns(connection, contract, query)
    rows = list(_copies(connection, contract, root, query, values))
    try:
        written = [_new_file(contract, root, row) for row in rows if row[1] > 0]
        if not is_compaction:
            _check_nulls(contract, rows)
    except ContractError:
        _remove(row[0] for row in rows)
        raise
    _remove(row[0] for row in rows if row[1] == 0)
    return written


# DuckDB's own partitioning takes twice the time of writing each value's rows apart, as long as they are read quickly.
_FEW_VALUES = 40


def _copies(
    connection: duckdb.DuckDBPyConnection, contract: Contract, root: Path, query: str, values: Sequence[str] | None
) -> Iterator[tuple[Any, ...]]:
    partitions = contract.document.partitioned_by
    names = [column.name for column in contract.columns]
    if partitions and values is not None and len(values) <= _FEW_VALUES:
        kept = [name for name in names if name not in partitions]
        for value in values:
            chosen = f"SELECT * FROM ({query}) WHERE {quoted(partitions[0])} = DATE {literal(value)}"
            folder = root / f"{partitions[0]}={value}"
            for row in _copy(connection, contract, folder, chosen, kept, option="per_thread_output"):
                yield (*row[:5], {partitions[0]: value})
    elif partitions:
        option = f"partition_by ({', '.join(quoted(p) for p in partitions)})"
        yield from _copy(connection, contract, root, query, names, option=option)
    else:
        yield from _copy(connection, contract, root, query, names, option="per_thread_output")


def check_columns(
    connection: duckdb.DuckDBPyConnection, contract: Contract, query: str, *, extra: Iterable[str] = ()
) -> None:
    """Raises ContractError naming column and types where ``query`` does not give what ``contract`` promises.

    ``extra`` names columns that may come beside the contract's.
    """
    found = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {query}").fetchall()}
    for column in contract.columns:
        if column.name not in found:
            raise ContractError(f"{contract.table}: the query has no column {column.name!r} ({column.type})")
        _check_type(contract, column, found[column.name])
    unknown = sorted(set(found) - {column.name for column in contract.columns} - set(extra))
    if unknown:
        raise ContractError(
            f"{contract.table}: the query gives {', '.join(unknown)}, which {contract.file.name} does not declare"
        )


_NUMBER = re.compile(r"(TINYINT|SMALLINT|INTEGER|INT|BIGINT|HUGEINT|UBIGINT|DECIMAL\(\d+, ?\d+\)|DOUBLE|FLOAT)$")
_SPELLINGS = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ", "TEXT": "VARCHAR"}


def _family(duckdb_name: str) -> str:
    return "number" if _NUMBER.match(duckdb_name) else _SPELLINGS.get(duckdb_name, duckdb_name)


def _check_type(contract: Contract, column: Column, found: str) -> None:
    if not _agree(duckdb.sqltype(found), duckdb.sqltype(duckdb_type(column.type))):
        raise ContractError(
            f"{contract.table}: column {column.name!r} is {found} in the query, {column.type} in {contract.file.name}"
        )


def _agree(found: DuckDBPyType, expected: DuckDBPyType) -> bool:
    """Whether the types have the same shape and families; inside a nested one NULL fits every type."""
    if expected.id not in {"struct", "list", "map"} or found.id != expected.id:
        return _family(str(found)) == _family(str(expected))
    one: dict[str, Any] = dict(found.children)
    other: dict[str, Any] = dict(expected.children)
    return one.keys() == other.keys() and all(one[n].id == "null" or _agree(one[n], other[n]) for n in other)


def _copy(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    folder: Path,
    query: str,
    names: Sequence[str],
    *,
    option: str,
) -> list[tuple[Any, ...]]:
    types = {name: duckdb_type(kind) for name, kind in contract.column_types}
    columns = ", ".join(f"CAST({quoted(name)} AS {types[name]}) AS {quoted(name)}" for name in names)
    options = (
        f"format parquet, compression zstd, compression_level {_LEVELS[contract.layer]}, "
        f"row_group_size {_ROW_GROUP_ROWS}, return_stats, append, "
        f"filename_pattern 'part-{{uuid}}', {option}"
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copy = f"COPY (SELECT {columns} FROM ({query})) TO {literal(str(folder))} ({options})"
        return connection.execute(copy).fetchall()
    except (duckdb.IOException, OSError) as error:
        raise StorageError(
            f"cannot write files of {contract.table} under {folder}: {error}",
            hint="free space or mend permissions, then run the same command again; nothing was committed",
        ) from error


def _new_file(contract: Contract, root: Path, row: Sequence[Any]) -> NewFile:
    path, rows, size, _, statistics, partition = row[:6]
    relative = Path(path).relative_to(root).as_posix()
    # delta-rs misreads escaped surrogate pairs above U+1FFFF.
    text = json.dumps(_statistics(contract, rows, statistics), separators=(",", ":"), ensure_ascii=False)
    return NewFile(quote(relative, safe="/=-._"), size, rows, dict(partition or {}), text)


def _statistics(contract: Contract, rows: int, found: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Delta statistics of the columns that readers may skip by; none of columns that are tagged."""
    minimum: dict[str, Any] = {}
    maximum: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for column in contract.columns:
        stats = found.get(quoted(column.name))
        if stats is None or column.tag or column.name in contract.document.partitioned_by:
            continue
        if column.type.startswith(_NESTED):
            continue  # Delta wants their counts nested too, and a flat one makes readers drop all statistics.
        nulls[column.name] = int(stats["null_count"])
        if _is_bounded(column, stats):
            minimum[column.name] = _bound(column.type, stats["min"], is_upper=False)
            maximum[column.name] = _bound(column.type, stats["max"], is_upper=True)
    return {"numRecords": rows, "minValues": minimum, "maxValues": maximum, "nullCount": nulls}


_NESTED = ("ARRAY", "MAP", "STRUCT")
_SKIPPABLE = {"STRING", "BIGINT", "INT", "DATE", "TIMESTAMP"}


_LONGEST_BOUND = 64
_LAST_CHARACTER = "\U0010ffff"


def _is_bounded(column: Column, stats: Mapping[str, str]) -> bool:
    """DuckDB's bounds of long texts are cut, outwards; those of other types must be exact."""
    if column.type not in _SKIPPABLE or "min" not in stats or "max" not in stats:
        return False
    return column.type == "STRING" or (stats.get("min_is_exact") == "true" and stats.get("max_is_exact") == "true")


def _bound(databricks_type: str, text: str, *, is_upper: bool) -> Any:
    if databricks_type in {"BIGINT", "INT"}:
        return int(text)
    if databricks_type == "TIMESTAMP":
        return _timestamp_bound(text, is_upper=is_upper)
    if databricks_type == "STRING" and len(text) > _LONGEST_BOUND:
        return text[:_LONGEST_BOUND] + (_LAST_CHARACTER if is_upper else "")
    return text


def _timestamp_bound(text: str, *, is_upper: bool) -> str:
    """Delta keeps milliseconds: a bound is moved outwards, so that no row falls outside it."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    rest = moment.microsecond % 1000
    if rest:
        moment += timedelta(microseconds=(1000 - rest) if is_upper else -rest)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _check_nulls(contract: Contract, rows: Sequence[Sequence[Any]]) -> None:
    for column in contract.columns:
        if column.nullable or column.name in contract.document.partitioned_by:
            continue
        nulls = sum(int(row[4].get(quoted(column.name), {}).get("null_count", 0)) for row in rows)
        if nulls:
            raise ContractError(
                f"{contract.table}: column {column.name!r} must not be NULL, and is in {nulls} rows of the result"
            )


def _remove(paths: Iterable[str]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            Path(path).unlink()
