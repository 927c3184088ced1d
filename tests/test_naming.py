import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tollhouse.lake.contracts import Column, Contract, load_contracts

PROJECT = Path(__file__).parents[1]
CONTRACTS = load_contracts(PROJECT)
INTERVALS = {"valid_from", "valid_to"}
TIMES_WITHOUT_SUFFIX = {*INTERVALS, "deadline", "event_hour"}
COUNT_AND_LIST = {"attempts"}
UNIT_SUFFIXES = {"ms": ("_ms",), "bytes": ("_bytes", "_byte"), "tokens": ("_tokens",)}
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def columns() -> Iterator[tuple[Contract, Column]]:
    for contract in CONTRACTS.values():
        for column in contract.columns:
            yield contract, column


def offenders(*found: str) -> None:
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_table_is_a_layer_and_a_name_in_snake_case(name: str) -> None:
    layer, table = name.split(".")

    assert layer in {"bronze", "silver", "gold"}
    assert SNAKE.fullmatch(table)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_table_is_plural_or_ends_in_its_grain(name: str) -> None:
    assert name.endswith(("s", "_hourly", "_daily")) or name == "gold.reconciliation"


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_grain_is_one_sentence(name: str) -> None:
    grain = CONTRACTS[name].document.grain

    assert grain.startswith("One row per ")
    assert grain.endswith(".")
    assert "\n" not in grain.strip()


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_rollup_has_the_column_of_its_grain(name: str) -> None:
    names = {column.name for column in CONTRACTS[name].columns}

    assert not name.endswith("_hourly") or "event_hour" in names
    assert not name.endswith("_daily") or "event_date" in names


def test_columns_are_in_snake_case_and_described() -> None:
    offenders(
        *(
            f"{contract.table}.{column.name}"
            for contract, column in columns()
            if not SNAKE.fullmatch(column.name) or not column.description.strip().endswith(".")
        )
    )


def test_a_column_with_a_unit_has_it_in_its_name() -> None:
    offenders(
        *(
            f"{contract.table}.{column.name} is in {column.unit}"
            for contract, column in columns()
            if column.unit in UNIT_SUFFIXES and not column.name.endswith(UNIT_SUFFIXES[column.unit])
        ),
        *(
            f"{contract.table}.{column.name} is in USD"
            for contract, column in columns()
            if column.unit == "USD" and not ("_usd" in column.name or column.name.startswith("usd_"))
        ),
    )


def test_a_column_with_a_unit_in_its_name_says_so_in_its_contract() -> None:
    endings = ("_ms", "_bytes", "_tokens", "_usd")
    offenders(
        *(
            f"{contract.table}.{column.name} has no unit"
            for contract, column in columns()
            if column.name.endswith(endings) and column.unit is None and "usage" not in column.name
        )
    )


def test_booleans_and_only_booleans_begin_with_is_or_has() -> None:
    offenders(
        *(
            f"{contract.table}.{column.name} is a {column.type}"
            for contract, column in columns()
            if column.name.startswith(("is_", "has_")) != (column.type == "BOOLEAN")
        )
    )


def test_timestamps_end_in_time_or_at() -> None:
    offenders(
        *(
            f"{contract.table}.{column.name}"
            for contract, column in columns()
            if column.type.startswith("TIMESTAMP")
            and not column.name.endswith(("_time", "_at"))
            and column.name not in TIMES_WITHOUT_SUFFIX
        )
    )


def test_dates_end_in_date() -> None:
    offenders(
        *(
            f"{contract.table}.{column.name}"
            for contract, column in columns()
            if column.type == "DATE" and not column.name.endswith("_date") and column.name not in INTERVALS
        )
    )


def test_money_is_decimal() -> None:
    offenders(
        *(
            f"{contract.table}.{column.name} is {column.type}"
            for contract, column in columns()
            if column.unit == "USD" and "DECIMAL" not in column.type
        )
    )


def test_the_same_name_has_the_same_type_everywhere() -> None:
    types: dict[str, dict[str, str]] = {}
    named = ((contract, column) for contract, column in columns() if column.name not in INTERVALS | COUNT_AND_LIST)
    for contract, column in named:
        kind = column.type.split("(")[0] if column.type.startswith("DECIMAL") else column.type
        types.setdefault(column.name, {})[kind] = contract.table
    offenders(*(f"{name}: {kinds}" for name, kinds in types.items() if len(kinds) > 1))
