"""Merge as copy-on-write: only the files that hold a replaced row are rewritten."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from tollhouse.lake.contracts import Contract
from tollhouse.lake.embedded.reading import literal, quoted
from tollhouse.lake.embedded.writing import NewFile, write_files
from tollhouse.lake.engine import DataFile
from tollhouse.lake.lakehouse import Lakehouse


@dataclass(frozen=True)
class MergePlan:
    """Files to add and remove, and what else the merge changed."""

    added: Sequence[NewFile]
    removed: Sequence[DataFile]
    dates: Sequence[str]
    ingest_dates: Sequence[str]
    rows: int


def plan_merge(lake: Lakehouse, contract: Contract, files: Sequence[DataFile], incoming: str) -> MergePlan:
    """Plans the merge of the rows in the DuckDB table ``incoming`` into the table's ``files``.

    A row replaces the rows that are equal in ``merge_on``, unless one of them is greater by (precedence,
    ingest_sequence); then it is left out. ``incoming`` itself loses its duplicates first.
    """
    connection = lake.connection
    keep_greatest(connection, contract, incoming)
    candidates = _candidates(connection, contract, files, incoming)
    touched = _decide(lake, contract, candidates, incoming) if candidates else []
    dates, ingest_dates, rows = _touched_dates(connection, contract, incoming, bool(candidates))
    query = f"SELECT {_names(contract)} FROM {incoming}"
    if touched:
        existing = lake.relation(contract.table, touched)
        query += f" UNION ALL SELECT {_names(contract)} FROM {existing} t ANTI JOIN replaced r ON {_on(contract)}"
    values = dates if contract.document.partitioned_by == ["event_date"] else None
    added = write_files(connection, contract, lake.path(contract.table), query, values=values) if rows else []
    connection.execute("DROP TABLE IF EXISTS replaced")
    return MergePlan(added, touched, dates, ingest_dates, rows)


def keep_greatest(connection: duckdb.DuckDBPyConnection, contract: Contract, incoming: str) -> None:
    """Leaves one row per key in ``incoming``, the greatest by (precedence, ingest_sequence).

    Windows over whole rows would copy every body: a count decides first, then single rows are deleted.
    """
    key = ", ".join(quoted(name) for name in contract.document.key)
    total, distinct = connection.execute(f"SELECT count(*), count(DISTINCT ({key})) FROM {incoming}").fetchall()[0]
    if total == distinct:
        return
    order = f"{contract.document.precedence} DESC, {_sequence(contract)} DESC, rowid DESC"
    connection.execute(
        f"DELETE FROM {incoming} WHERE rowid IN (SELECT rowid FROM {incoming} "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {order}) > 1)"
    )


def _sequence(contract: Contract) -> str:
    names = {column.name for column in contract.columns}
    return "ingest_sequence" if "ingest_sequence" in names else "0"


def _candidates(
    connection: duckdb.DuckDBPyConnection, contract: Contract, files: Sequence[DataFile], incoming: str
) -> list[DataFile]:
    """Files that can hold a key of ``incoming``, by partition and by the key's statistics."""
    if not files:
        return []
    key = contract.merge_on[0]
    partition = contract.document.partitioned_by[0] if contract.document.partitioned_by else None
    group = f"CAST({quoted(partition)} AS VARCHAR)" if partition else "''"
    bounds = connection.execute(
        f"SELECT {group}, min({quoted(key)}), max({quoted(key)}) FROM {incoming} GROUP BY ALL"
    ).fetchall()
    ranges = {row[0]: (row[1], row[2]) for row in bounds}
    found: list[DataFile] = []
    for file in files:
        bound = ranges.get(file.partition.get(partition, "") if partition else "")
        if bound and file.may_hold(key, *bound):
            found.append(file)
    return found


def _on(contract: Contract, left: str = "t", right: str = "r") -> str:
    return " AND ".join(f"{left}.{quoted(name)} = {right}.{quoted(name)}" for name in contract.merge_on)


def _names(contract: Contract) -> str:
    return ", ".join(quoted(column.name) for column in contract.columns)


def _decide(lake: Lakehouse, contract: Contract, candidates: Sequence[DataFile], incoming: str) -> list[DataFile]:
    """Deletes from ``incoming`` what loses, notes in ``replaced`` what wins, returns the files to rewrite."""
    connection = lake.connection
    sequence, precedence = _sequence(contract), contract.document.precedence
    has_ingest_date = "ingest_date" in {column.name for column in contract.columns}
    ingest_date = "ingest_date" if has_ingest_date else "NULL::DATE"
    keys = ", ".join(f"t.{quoted(name)}" for name in contract.merge_on)
    existing = lake.relation(contract.table, candidates, extra=["filename"])
    connection.execute(
        "CREATE OR REPLACE TABLE matched AS "
        f"SELECT {keys}, t.filename, t.old_rank, t.old_sequence, t.old_ingest_date FROM "
        f"(SELECT *, {precedence} AS old_rank, {sequence} AS old_sequence, {ingest_date} AS old_ingest_date "
        f"FROM {existing}) t SEMI JOIN {incoming} r ON {_on(contract)}"
    )
    lost = "(m.old_rank, m.old_sequence) > (i.new_rank, i.new_sequence)"
    if contract.document.insert_only_formats:
        formats = ", ".join(literal(name) for name in contract.document.insert_only_formats)
        lost = f"({lost} OR i.log_format IN ({formats}))"
    loser_keys = ", ".join(f"i.{quoted(name)}" for name in contract.merge_on)
    ranked = f"(SELECT *, {precedence} AS new_rank, {sequence} AS new_sequence FROM {incoming}) i"
    connection.execute(
        f"CREATE OR REPLACE TABLE losers AS SELECT DISTINCT {loser_keys} FROM {ranked} "
        f"JOIN matched m ON {_on(contract, 'm', 'i')} WHERE {lost}"
    )
    connection.execute(f"DELETE FROM {incoming} t USING losers r WHERE {_on(contract)}")
    connection.execute(
        f"CREATE OR REPLACE TABLE replaced AS SELECT m.* FROM matched m ANTI JOIN losers r ON {_on(contract, 'm')}"
    )
    names = {row[0] for row in connection.execute("SELECT DISTINCT filename FROM replaced").fetchall()}
    connection.execute("DROP TABLE matched; DROP TABLE losers")
    root = lake.path(contract.table)
    return [file for file in candidates if str(root / file.path) in names]


def _touched_dates(
    connection: duckdb.DuckDBPyConnection, contract: Contract, incoming: str, has_replaced: bool
) -> tuple[list[str], list[str], int]:
    columns = {column.name for column in contract.columns}
    rows = connection.execute(f"SELECT count(*) FROM {incoming}").fetchall()[0][0]
    dates = _distinct(connection, f"SELECT event_date FROM {incoming}") if "event_date" in columns else []
    if "ingest_date" not in columns:
        return dates, [], rows
    query = f"SELECT ingest_date FROM {incoming}"
    if has_replaced:
        query += " UNION SELECT old_ingest_date FROM replaced"
    return dates, _distinct(connection, query), rows


def _distinct(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return sorted(str(row[0]) for row in connection.execute(f"SELECT DISTINCT * FROM ({query})").fetchall() if row[0])
