"""Literal rows through the real gold models, in DuckDB."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tollhouse.lake.contracts import load_contracts
from tollhouse.lake.types import arrow_schema
from tollhouse.prices.matches import match_models
from tollhouse.prices.negotiated import PriceBook
from tollhouse.prices.snapshot import price_table
from tollhouse.sql.dialects import cast_to_contract, parse_model, to_duckdb

PROJECT = Path(__file__).parents[2]
CONTRACTS = load_contracts(PROJECT)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
BUCKETS = (
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_write_5m_input_tokens",
    "cache_write_1h_input_tokens",
    "visible_output_tokens",
    "reasoning_output_tokens",
)


def schema_of(table: str) -> pa.Schema:
    return arrow_schema(CONTRACTS[table])


@cache
def listed_prices() -> pa.Table:
    return price_table(schema_of("silver.prices"))


def prices_of(book: PriceBook | None = None) -> pa.Table:
    return price_table(schema_of("silver.prices"), book) if book else listed_prices()


def matches_of(calls: Sequence[Mapping[str, Any]], book: PriceBook | None = None) -> pa.Table:
    made = [made for call in calls for made in (call["attempts"] or [call])]
    pairs = [(a["provider"], a[name]) for a in made for name in ("destination_model", "response_model") if a[name]]
    return match_models(pairs, schema_of("silver.price_matches"), book)


def attempt(number: int = 1, **values: Any) -> dict[str, Any]:
    """An upstream call that went well: 100 tokens in, 10 out, at openai's gpt-4o."""
    usage = dict.fromkeys(BUCKETS, 0) | {"uncached_input_tokens": 100, "visible_output_tokens": 10}
    made = {
        "attempt_number": number, "action": "INITIAL_ATTEMPT" if number == 1 else "FALLBACK",
        "destination_name": "gpt", "destination_type": "EXTERNAL_FOUNDATION_MODEL", "destination_model": "gpt-4o",
        "provider": "openai", "response_model": None, "start_time": NOON, "latency_ms": 500,
        "time_to_first_byte_ms": 100, "status_code": 200, "service_tier": None, "is_batch": False, "is_billable": True,
        "usage_source": "provider", "other_usage": [],
    }  # fmt: skip
    return made | usage | values


def failed_attempt(number: int = 1, **values: Any) -> dict[str, Any]:
    """An upstream call that the provider refused: no usage."""
    return attempt(number) | dict.fromkeys(BUCKETS) | {"status_code": 500, "usage_source": "none"} | values


def invocation(number: int, *attempts: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A final call of team 'search' at NOON, with the given attempts; usage is that of the last one."""
    last = attempts[-1] if attempts else failed_attempt(provider=None, destination_model=None, destination_name=None)
    shared = {
        name: last[name]
        for name in (*BUCKETS, "provider", "destination_model", "response_model", "destination_name",
                     "destination_type", "status_code", "service_tier", "is_batch", "usage_source", "other_usage")
    }  # fmt: skip
    call = {
        "invocation_id": f"inv-{number}", "event_date": date(2026, 11, 2), "event_time": NOON,
        "ingest_date": date(2026, 11, 2), "invocation_state": "final", "outcome": "completed", "source": "client",
        "log_source": "spool", "log_format": "tollhouse", "source_record_key": str(number), "ingest_sequence": number,
        "change_sequence": 1, "is_time_suspect": False, "data_issues": [], "team": "search", "cost_center": "cc-1",
        "project": "unattributed", "groups": [], "requester": "ada@example.com", "endpoint_name": "chat",
        "is_stream": False, "request_tags": [], "is_billable": True, "attempt_count": len(attempts),
        "attempts": list(attempts), "latency_ms": 600, "time_to_first_byte_ms": 150,
    }  # fmt: skip
    return shared | call | values


def run_model(table: str, relations: Mapping[str, pa.Table | Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The rows of a model over the given rows, its columns cast to the contract's types."""
    contract = CONTRACTS[table]
    tables = {name: _arrow(name, rows) for name, rows in relations.items()}
    query = cast_to_contract(parse_model(contract.queries[""].read_text(), where=table), contract.column_types)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, rows in tables.items():
            connection.register(name, rows)
        result = connection.sql(to_duckdb(query, {name: name for name in tables})).to_arrow_table()
        return result.to_pylist(maps_as_pydicts="strict")


def _arrow(name: str, rows: pa.Table | Sequence[Mapping[str, Any]]) -> pa.Table:
    return rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows), schema=schema_of(name))


def costs_of(calls: Sequence[Mapping[str, Any]], book: PriceBook | None = None) -> list[dict[str, Any]]:
    """gold.costs of the calls at list prices, in the order of call and attempt."""
    relations = {
        "silver.invocations": calls,
        "silver.prices": prices_of(book),
        "silver.price_matches": matches_of(calls, book),
    }
    return sorted(run_model("gold.costs", relations), key=lambda row: (row["invocation_id"], row["attempt_number"]))
