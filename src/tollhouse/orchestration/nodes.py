"""The steps of the road as nodes of a graph whose edges come from contracts and queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tollhouse.lake.contracts import Contract
from tollhouse.lake.run import STEPS, Step
from tollhouse.sql.dialects import parse_model, tables_of


@dataclass(frozen=True)
class TableNode:
    """One table: its contract, and the tables that it is computed from."""

    contract: Contract
    inputs: frozenset[str]


@dataclass(frozen=True)
class StepNode:
    """What runs as one piece: one step, then the steps that amend its tables."""

    name: str
    job: str
    steps: Sequence[Step]
    tables: Sequence[TableNode]


def step_nodes(contracts: Mapping[str, Contract], steps: Sequence[Step] = STEPS) -> list[StepNode]:
    """Every step that writes tables, in the order of ``steps``; a table belongs to the first step that writes it."""
    nodes: list[StepNode] = []
    taken: set[str] = set()
    for step in steps:
        if step.amends is not None:
            nodes = [_amended(node, step) for node in nodes]
            continue
        tables = [name for name in step.tables if name not in taken]
        taken.update(tables)
        nodes.append(StepNode(step.name, step.job, [step], [_table(name, contracts) for name in tables]))
    return nodes


def _amended(node: StepNode, step: Step) -> StepNode:
    names = {table.contract.table for table in node.tables}
    return replace(node, steps=[*node.steps, step]) if step.amends in names else node


def _table(name: str, contracts: Mapping[str, Contract]) -> TableNode:
    return TableNode(contracts[name], inputs_of(contracts[name], contracts))


def inputs_of(contract: Contract, contracts: Mapping[str, Contract]) -> frozenset[str]:
    """The tables that ``contract``'s table is computed from: declared, and read by its queries.

    Rejects come from what drives the tables that reject to it. Raises QueryError for a query that is not SQL.
    """
    document = contract.document
    named = {document.driving, *document.lookups, *document.lookup_by_date}
    for file in contract.queries.values():
        named |= tables_of(parse_model(file.read_text(), where=str(file)))
    named |= {other.document.driving for other in contracts.values() if other.document.rejects_to == contract.table}
    return frozenset(name for name in named if name is not None and name in contracts and name != contract.table)
