"""What is checked of a table once its step has written it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.types import delta_schema

RECONCILIATION = "gold.reconciliation"


@dataclass(frozen=True)
class Verdict:
    """Whether a check passed, and the numbers behind it."""

    passed: bool
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


def columns_match(lake: Lakehouse, table: str) -> Verdict:
    """Whether the stored table has the contract's columns with their types, in any order."""
    stored = {column.name: str(column.type) for column in lake.delta(table).schema().fields}
    promised = {column.name: str(column.type) for column in delta_schema(lake.contract(table)).fields}
    wrong = sorted(name for name in stored.keys() | promised.keys() if stored.get(name) != promised.get(name))
    return Verdict(not wrong, {"columns": len(promised), "wrong": ", ".join(wrong)})


def key_is_unique(lake: Lakehouse, table: str, dates: Sequence[date]) -> Verdict:
    """Whether no key occurs twice within ``dates``, those that a run touched: the cost does not grow with history."""
    contract = lake.contract(table)
    days = {day.isoformat() for day in dates}
    files = [file for file in lake.state(table).files if file.partition.get("event_date") in days]
    if not files:
        return Verdict(passed=True, facts={"rows": 0, "duplicates": 0})
    key = ", ".join(f'"{name}"' for name in contract.document.key)
    relation = lake.relation(table, files)
    counted = f"SELECT count(*) AS n FROM {relation} GROUP BY {key}"
    found = lake.connection.execute(f"SELECT sum(n)::BIGINT, sum(n - 1)::BIGINT FROM ({counted})").fetchone() or (0, 0)
    return Verdict(found[1] == 0, {"rows": found[0], "duplicates": found[1], "dates": ", ".join(sorted(days))})


def sums_are_balanced(lake: Lakehouse) -> Verdict:
    """Whether every record of every source and ingest date is accounted for."""
    query = (
        f"SELECT source || ' ' || ingest_date FROM {lake.relation(RECONCILIATION)} WHERE NOT is_balanced ORDER BY ALL"
    )
    unbalanced = [row[0] for row in lake.connection.execute(query).fetchall()]
    return Verdict(not unbalanced, {"unbalanced": ", ".join(unbalanced), "count": len(unbalanced)})
