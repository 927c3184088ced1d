"""Runs one model over literal rows of bronze, as the engine does, and gives its result as plain values."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from tollhouse.lake.contracts import Contract, load_contracts
from tollhouse.sql.dialects import duckdb_type, to_duckdb

PROJECT = Path(__file__).parents[2]
RELATIONS = {"bronze.raw_records": "raw_records", "silver.principals": "principals"}
PRINCIPAL_COLUMNS = (
    "principal VARCHAR, principal_type VARCHAR, teams VARCHAR[], groups VARCHAR[], cost_center VARCHAR,"
    " project VARCHAR, valid_from TIMESTAMPTZ, valid_to TIMESTAMPTZ"
)
INPUT = (
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_write_5m_input_tokens",
    "cache_write_1h_input_tokens",
)
OUTPUT = ("visible_output_tokens", "reasoning_output_tokens")
Row = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """Rows in the order of ingest, each column as a plain value, and DuckDB's type of each column."""

    rows: list[Row]
    types: dict[str, str]


class ModelRunner:
    """Models over rows: ``run('silver.invocations/litellm', [bronze row, ...])``."""

    def __init__(self) -> None:
        self._connection = connection = duckdb.connect(":memory:", config={"threads": 1})
        self._queries: dict[str, str] = {}
        self.contracts: Mapping[str, Contract] = load_contracts(PROJECT)
        bronze = self.contracts["bronze.raw_records"].column_types
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE raw_records ({', '.join(f'{n} {duckdb_type(t)}' for n, t in bronze)})")
        connection.execute(f"CREATE TABLE principals ({PRINCIPAL_COLUMNS})")

    def run(self, model: str, rows: list[Row], principals: list[Row] | None = None) -> Result:
        """The model's result over bronze rows, each of which needs a raw_text; the rest has defaults."""
        table, log_format = model.split("/")
        self._fill("raw_records", [_bronze_row(i, log_format, row) for i, row in enumerate(rows, 1)])
        self._fill("principals", principals or [])
        if model not in self._queries:
            self._queries[model] = to_duckdb(self.contracts[table].queries[log_format].read_text(), RELATIONS)
        cursor = self._connection.execute(f"SELECT * FROM ({self._queries[model]}) ORDER BY ingest_sequence, 1")
        types = {column[0]: str(column[1]) for column in cursor.description or []}
        return Result([dict(zip(types, map(plain, row), strict=True)) for row in cursor.fetchall()], types)

    def close(self) -> None:
        """Closes and forgets the connection: a runner that outlives its tests would make DuckDB report a leak."""
        self._connection.close()
        del self._connection

    def _fill(self, table: str, rows: list[Row]) -> None:
        self._connection.execute(f"DELETE FROM {table}")
        for row in rows:
            marks = ", ".join("?" * len(row))
            self._connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


def _bronze_row(number: int, log_format: str, row: Row) -> Row:
    defaults: Row = {
        "ingest_date": "2026-02-01",
        "ingest_sequence": number,
        "ingested_at": "2026-02-01 00:00:00+00",
        "source": "proxy",
        "format": log_format,
        "record_key": f"call-{number}",
        "object_path": "logs/a.json",
        "position": number - 1,
        "body_errors": [],
    }
    return defaults | row


def plain(value: Any) -> Any:
    """Times as ISO texts and decimals as texts without trailing zeros, so that YAML can say them."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def merged(base: Row, changes: Row) -> Row:
    """``base`` with ``changes`` over it, member by member where both have an object."""
    both = {key: merged(base[key], new) for key, new in changes.items() if _both_objects(base.get(key), new)}
    return base | changes | both


def _both_objects(old: object, new: object) -> bool:
    return isinstance(old, dict) and isinstance(new, dict)


def record_text(record: Row, json_members: list[str]) -> str:
    """The record as JSON text; the members named hold JSON as text, as SpendLogs rows do."""
    inner = {key: json.dumps(record[key]) for key in json_members if key in record and not isinstance(record[key], str)}
    return json.dumps(record | inner)
