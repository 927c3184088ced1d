"""Change of mind: added columns, and dates that an older model made."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby

import deltalake
import pyarrow as pa

from tollhouse.errors import ContractError
from tollhouse.lake.contracts import Contract
from tollhouse.lake.embedded.snapshot import MODEL_HASH, STALE_DATES, statistics_property
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.types import arrow_schema


def writable(lake: Lakehouse, table: str) -> deltalake.DeltaTable:
    """The Delta table ready for a commit under today's contract; call it with the table's lock held.

    New columns are added, nested ones too. Where the model has changed, the dates it has made are noted as stale.
    Raises ContractError where a column was removed or has changed its type.
    """
    contract = lake.contract(table)
    delta = lake.delta(table)
    if _adds_columns(contract, delta):
        empty = pa.schema([pa.field(f.name, f.type) for f in arrow_schema(contract)]).empty_table()
        deltalake.write_deltalake(str(lake.path(table)), empty, mode="append", schema_mode="merge")
        lake.delta(table).alter.set_table_properties(statistics_property(contract), raise_if_not_exists=False)
        delta = lake.delta(table)
    if contract.queries and delta.metadata().configuration.get(MODEL_HASH) != contract.model_hash:
        _note_model(lake, contract, delta)
        delta = lake.delta(table)
    return delta


def _adds_columns(contract: Contract, delta: deltalake.DeltaTable) -> bool:
    found = {field.name: pa.field(field).type for field in delta.schema().fields}
    expected = {field.name: field.type for field in arrow_schema(contract)}
    removed = sorted(set(found) - set(expected))
    if removed:
        raise ContractError(
            f"{contract.table} has the column {removed[0]!r}, which {contract.file.name} no longer declares",
            hint="declare it again: columns are added by themselves, and never removed",
        )
    changed = [name for name in expected if name in found and not _same(found[name], expected[name])]
    for name in changed:
        if not _extends(found[name], expected[name]):
            raise ContractError(
                f"{contract.table}: column {name!r} is {found[name]} in the table and {expected[name]} in "
                f"{contract.file.name}",
                hint="a column keeps its type; add a new column instead",
            )
    return bool(changed) or set(expected) != set(found)


def _same(one: pa.DataType, other: pa.DataType) -> bool:
    return _plain(one) == _plain(other)


def _plain(kind: pa.DataType) -> object:
    """A type without the names that Arrow and Delta give to elements, and without nullability."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return ("list", _plain(kind.value_type))
    if pa.types.is_map(kind):
        return ("map", _plain(kind.key_type), _plain(kind.item_type))
    if pa.types.is_struct(kind):
        return ("struct", tuple((field.name, _plain(field.type)) for field in kind))
    return str(kind).replace("large_string", "string")


def _extends(old: pa.DataType, new: pa.DataType) -> bool:
    """Whether ``new`` is ``old`` with fields added somewhere inside."""
    if pa.types.is_list(old) and pa.types.is_list(new):
        return _extends(old.value_type, new.value_type)
    if pa.types.is_map(old) and pa.types.is_map(new):
        return _extends(old.item_type, new.item_type)
    if pa.types.is_struct(old) and pa.types.is_struct(new):
        fields = {field.name: field.type for field in new}
        return all(field.name in fields and _extends(field.type, fields[field.name]) for field in old)
    return _same(old, new)


def _note_model(lake: Lakehouse, contract: Contract, delta: deltalake.DeltaTable) -> None:
    days = sorted({*stale_dates(lake, contract.table), *partition_dates(lake, contract.table)})
    properties = {MODEL_HASH: contract.model_hash, STALE_DATES: encode_dates(days)}
    delta.alter.set_table_properties(properties, raise_if_not_exists=False)


def partition_dates(lake: Lakehouse, table: str) -> list[str]:
    """The dates that the table has rows of; none for a table that is not cut by date."""
    partitions = lake.contract(table).document.partitioned_by
    if not partitions or not lake.exists(table):
        return []
    return sorted({file.partition[partitions[0]] for file in lake.state(table).files})


def stale_dates(lake: Lakehouse, table: str) -> list[str]:
    """The dates of the table that a model other than today's has made."""
    if not lake.exists(table):
        return []
    return decode_dates(lake.state(table).properties.get(STALE_DATES, "[]"))


def set_stale_dates(lake: Lakehouse, table: str, days: Sequence[str]) -> None:
    """Notes ``days`` as those still to rebuild."""
    lake.delta(table).alter.set_table_properties({STALE_DATES: encode_dates(days)}, raise_if_not_exists=False)


def stale_tables(lake: Lakehouse) -> dict[str, list[str]]:
    """Every table with stale dates, and these."""
    found = {table: stale_dates(lake, table) for table in lake.tables()}
    return {table: days for table, days in found.items() if days}


def encode_dates(days: Sequence[str]) -> str:
    """Dates as JSON ranges: a table property should not grow with history."""
    ordered = [date.fromisoformat(day) for day in sorted(set(days))]
    runs = [list(run) for _, run in groupby(enumerate(ordered), key=lambda pair: pair[1] - timedelta(days=pair[0]))]
    return json.dumps([[str(run[0][1]), str(run[-1][1])] for run in runs])


def decode_dates(text: str) -> list[str]:
    """The inverse of ``encode_dates``."""
    days: list[str] = []
    for first, last in json.loads(text):
        day, end = date.fromisoformat(first), date.fromisoformat(last)
        while day <= end:
            days.append(str(day))
            day += timedelta(days=1)
    return days
