"""The tables that Python makes: prices, price matches, principals; each is committed before its readers."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from tollhouse.lake.contracts import Contract
from tollhouse.lake.embedded import committing, writing
from tollhouse.lake.engine import Commit, DataFile, Written
from tollhouse.lake.evolution import writable
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.principals import file_states, principal_rows
from tollhouse.lake.transform import view_name
from tollhouse.lake.types import arrow_schema
from tollhouse.lake.watermarks import CHANGE_SEQUENCE, app_id, slices
from tollhouse.prices.matches import PAIRS_QUERY, match_models
from tollhouse.prices.negotiated import PriceBook, load_price_book
from tollhouse.prices.snapshot import price_table, source_version
from tollhouse.sql.dialects import to_duckdb

PRICES, MATCHES, PRINCIPALS = "silver.prices", "silver.price_matches", "silver.principals"
INVOCATIONS, RAW = "silver.invocations", "bronze.raw_records"


def price_book(lake: Lakehouse) -> PriceBook:
    """The negotiated prices of the settings' file, none where it is not set."""
    name = lake.settings.prices
    return load_price_book(lake.settings.path(name) if name else None)


def refresh_prices(lake: Lakehouse) -> Written:
    """Takes a new snapshot of the prices where the list's version or the negotiated prices have changed."""
    book = price_book(lake)
    with lake.lock(PRICES):
        if _version_in(lake, PRICES) == source_version(book):
            return Written()
        contract = lake.contract(PRICES)
        return _replace(lake, contract, price_table(arrow_schema(contract), book), {})


def refresh_matches(lake: Lakehouse) -> Written:
    """Matches the provider and model strings that are new, and all of them again where the prices have changed."""
    book = price_book(lake)
    mark = app_id(MATCHES, INVOCATIONS)
    contract = lake.contract(MATCHES)
    with lake.lock(MATCHES):
        source = lake.state(INVOCATIONS)
        state = lake.state(MATCHES, [mark])
        known = {(row[0], row[1]) for row in _rows(lake, f"SELECT provider, model FROM {lake.relation(MATCHES)}")}
        fresh = list(slices(source.files, CHANGE_SEQUENCE, state.transaction(mark), 1 << 20))
        found = {pair for part in fresh for pair in _pairs(lake, part.files)}
        high = fresh[-1].high if fresh else state.transaction(mark)
        if known and _version_in(lake, MATCHES) != source_version(book):
            rows = match_models(known | found, arrow_schema(contract), book)
            return _replace(lake, contract, rows, {mark: high})
        if not fresh:
            return Written()
        rows = match_models(found - known, arrow_schema(contract), book)
        return _append(lake, contract, rows, {mark: high})


def _pairs(lake: Lakehouse, files: Sequence[DataFile]) -> set[tuple[str, str]]:
    with lake.view(view_name(INVOCATIONS), lake.relation(INVOCATIONS, files)) as view:
        return {(row[0], row[1]) for row in _rows(lake, to_duckdb(PAIRS_QUERY, {INVOCATIONS: view}))}


def refresh_principals(lake: Lakehouse) -> Written:
    """Rebuilds silver.principals where IDENTITY records have come or the principals file has changed."""
    mark, file_mark = app_id(PRINCIPALS, RAW), "principals/file"
    contract = lake.contract(PRINCIPALS)
    name = lake.settings.principals
    states, digest = file_states(lake.settings.path(name) if name else None)
    with lake.lock(PRINCIPALS):
        state = lake.state(PRINCIPALS, [mark, file_mark])
        source = lake.state(RAW, ["ingest_sequence"])
        high = source.transaction("ingest_sequence")
        fresh = [f for f in source.files if f.may_hold("ingest_sequence", low=state.transaction(mark) + 1)]
        is_file_new = state.transaction(file_mark) != digest
        if not fresh and not is_file_new:
            return Written()
        found = _identities(lake, fresh, state.transaction(mark))
        if not found and not is_file_new:
            return _append(lake, contract, arrow_schema(contract).empty_table(), {mark: high})
        known = _rows(lake, f"SELECT {_columns(contract)} FROM {lake.relation(PRINCIPALS)} WHERE origin = 'spool'")
        names = [column.name for column in contract.columns]
        rows = principal_rows([dict(zip(names, row, strict=True)) for row in known], found, states)
        table = pa.Table.from_pylist(rows, arrow_schema(contract))
        return _replace(lake, contract, table, {mark: high, file_mark: digest})


def _identities(lake: Lakehouse, files: Sequence[DataFile], after: int) -> list[tuple[int, str]]:
    query = (
        f"SELECT ingest_sequence, raw_text FROM {lake.relation(RAW, files)} "
        f"WHERE record_kind = 'IDENTITY' AND ingest_sequence > {after} ORDER BY ingest_sequence"
    )
    return [(row[0], row[1]) for row in _rows(lake, query)]


def _columns(contract: Contract) -> str:
    return ", ".join(f'"{column.name}"' for column in contract.columns)


def _rows(lake: Lakehouse, query: str) -> list[tuple[Any, ...]]:
    return lake.connection.execute(query).fetchall()


def _version_in(lake: Lakehouse, table: str) -> str | None:
    rows = _rows(lake, f"SELECT max(source_version) FROM {lake.relation(table)}")
    return str(rows[0][0]) if rows[0][0] is not None else None


def _replace(lake: Lakehouse, contract: Contract, rows: pa.Table, marks: Mapping[str, int]) -> Written:
    return _write(lake, contract, rows, marks, is_replacing=True)


def _append(lake: Lakehouse, contract: Contract, rows: pa.Table, marks: Mapping[str, int]) -> Written:
    return _write(lake, contract, rows, marks, is_replacing=False)


def _write(
    lake: Lakehouse, contract: Contract, rows: pa.Table, marks: Mapping[str, int], *, is_replacing: bool
) -> Written:
    delta = writable(lake, contract.table)
    added: Sequence[writing.NewFile] = []
    if rows.num_rows:
        lake.connection.register("made_rows", rows)
        added = writing.write_files(lake.connection, contract, lake.path(contract.table), "SELECT * FROM made_rows")
        lake.connection.unregister("made_rows")
    removed = lake.state(contract.table, delta=delta).files if is_replacing else []
    version = committing.commit_files(delta, contract, Commit(marks, {}), added=added, removed=removed)
    return Written(rows.num_rows, (), version)
