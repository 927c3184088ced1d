from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
import yaml

from tollhouse.sql.dialects import duckdb_type

PROJECT = Path(__file__).parents[2]
ATTEMPT = (
    "{'attempt_number': 0, 'action': 'INITIAL_ATTEMPT', 'destination_name': 'anthropic', 'latency_ms': 1500,"
    " 'start_time': TIMESTAMPTZ '2026-08-07 13:31:47.741Z', 'status_code': 200}"
)
ROWS = {
    "silver.invocations": [
        {
            "invocation_id": "'a'", "event_date": "DATE '2026-08-07'", "invocation_state": "'final'",
            "event_time": "TIMESTAMPTZ '2026-08-07 13:31:47.7Z'", "request_id": "'r'", "source": "'client'",
            "requester": "'ann@example.com'", "endpoint_name": "'my-chat'", "destination_name": "'anthropic'",
            "destination_type": "'EXTERNAL_FOUNDATION_MODEL'", "status_code": "200", "input_tokens": "1651",
            "output_tokens": "4", "total_tokens": "1655", "uncached_input_tokens": "9", "latency_ms": "2111",
            "cache_read_input_tokens": "1642", "cache_write_5m_input_tokens": "0", "cache_write_1h_input_tokens": "0",
            "reasoning_output_tokens": "0", "attempts": f"[{ATTEMPT}]", "request_tags": "MAP {'feature': 'search'}",
        },
        {"invocation_id": "'b'", "event_date": "DATE '2026-08-07'", "invocation_state": "'pending'"},
        {
            "invocation_id": "'c'", "event_date": "DATE '2026-08-08'", "invocation_state": "'in_doubt'",
            "source": "'judge'", "endpoint_name": "'code'", "attempts": "[]",
        },
    ],
    "silver.payloads": [
        {
            "invocation_id": "'a'", "event_date": "DATE '2026-08-07'", "endpoint_name": "'my-chat'",
            "request": "'{}'", "response": "'{}'", "sampling_fraction": "1", "logging_error_codes": "[]",
        },
    ],
    "silver.prices": [
        {
            "price_provider": "'anthropic'", "price_model": "'claude-sonnet-4-5'", "service_tier": "'standard'",
            "is_batch": "false", "unit": "'uncached_input_tokens'", "tier_start_tokens": "0",
            "time_of_day_start_s": "0", "time_of_day_end_s": "86400", "usd_per_unit": "0.000003000000",
        },
    ],
    "gold.costs": [
        {
            "invocation_id": f"'{name}'", "event_date": "DATE '2026-08-07'", "attempt_number": "0",
            "event_time": f"TIMESTAMPTZ '2026-08-07 13:{minute}:00Z'", "requester": "'ann@example.com'",
            "endpoint_name": "'my-chat'", "provider": "'anthropic'", "destination_model": "'claude-sonnet-4-5'",
            "request_tags": "MAP {'feature': 'search'}", "cost_usd": cost, "pricing_status": f"'{status}'",
        }
        for name, minute, cost, status in [
            ("a", "10", "0.25", "priced"), ("d", "50", "0.5", "partial"), ("e", "51", "NULL", "unpriced"),
            ("f", "52", "0", "not_billable"),
        ]
    ],
}  # fmt: skip


@dataclass
class SmallLake:
    """Every table of the project as one Parquet file each, most of them empty."""

    root: Path
    project: Path = PROJECT
    columns: dict = field(default_factory=dict)

    def tables(self):
        return list(self.columns)

    def relation_sql(self, table):
        return f"(SELECT * FROM read_parquet(['{self.root / table}.parquet']))"

    def write(self, connection, table, rows):
        kinds = self.columns[table]
        selects = [self._select(row, kinds) for row in rows] or [self._select({}, kinds) + " WHERE false"]
        connection.execute(f"COPY ({' UNION ALL '.join(selects)}) TO '{self.root / table}.parquet'")

    def _select(self, row, kinds):
        assert row.keys() <= kinds.keys()
        casts = (f'CAST({row.get(name, "NULL")} AS {duckdb_type(kind)}) AS "{name}"' for name, kind in kinds.items())
        return "SELECT " + ", ".join(casts)


@pytest.fixture(scope="session")
def small_lake(tmp_path_factory):
    lake = SmallLake(tmp_path_factory.mktemp("lake"))
    for file in sorted((PROJECT / "models").rglob("*.yml")):
        document = yaml.safe_load(file.read_text())
        lake.columns[document["table"]] = {column["name"]: column["type"] for column in document["columns"]}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in lake.columns:
            lake.write(connection, table, ROWS.get(table, []))
    return lake
