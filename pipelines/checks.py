"""Asset checks, run inside the step that wrote the table, over what it has touched."""

from collections.abc import Iterator, Sequence

import dagster as dg

from pipelines.metadata import key_of
from tollhouse.lake.contracts import Contract
from tollhouse.lake.engine import Written
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.orchestration.checks import RECONCILIATION, Verdict, columns_match, key_is_unique, sums_are_balanced

COLUMNS, UNIQUE, BALANCED = "columns_match_contract", "key_is_unique", "sums_are_balanced"
_DESCRIPTIONS = {
    COLUMNS: "The stored table has the contract's columns with their types.",
    UNIQUE: "No key occurs twice in the dates that the run has touched.",
    BALANCED: "Every record of every source is accounted for.",
}


def names_of(contract: Contract) -> Sequence[str]:
    """Which checks a table has."""
    names = [COLUMNS]
    if contract.document.write != "append" and contract.document.partitioned_by == ["event_date"]:
        names.append(UNIQUE)
    if contract.table == RECONCILIATION:
        names.append(BALANCED)
    return names


def check_specs(contracts: Sequence[Contract]) -> list[dg.AssetCheckSpec]:
    """The checks of several tables, as Dagster announces them."""
    return [
        dg.AssetCheckSpec(name, asset=key_of(contract.table), description=_DESCRIPTIONS[name])
        for contract in contracts
        for name in names_of(contract)
    ]


def run_checks(lake: Lakehouse, contract: Contract, written: Written) -> list[dg.AssetCheckResult]:
    """The results of a table's checks; a failed one does not stop the road, it shows."""
    return [
        dg.AssetCheckResult(
            passed=verdict.passed, check_name=name, asset_key=key_of(contract.table), metadata=verdict.facts
        )
        for name, verdict in _verdicts(lake, contract, written)
    ]


def _verdicts(lake: Lakehouse, contract: Contract, written: Written) -> Iterator[tuple[str, Verdict]]:
    for name in names_of(contract):
        if name == COLUMNS:
            yield name, columns_match(lake, contract.table)
        elif name == UNIQUE:
            yield name, key_is_unique(lake, contract.table, written.dates)
        else:
            yield name, sums_are_balanced(lake)
