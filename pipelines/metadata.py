"""Contracts, states and lineage as Dagster's metadata."""

from typing import Any

import dagster as dg

from tollhouse.lake.contracts import Contract
from tollhouse.lake.engine import Written
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.orchestration.lineage import lineage_of
from tollhouse.orchestration.nodes import TableNode


def key_of(table: str) -> dg.AssetKey:
    """``silver.invocations`` as silver / invocations."""
    return dg.AssetKey(table.split("."))


def spec_of(node: TableNode) -> dg.AssetSpec:
    """A table's asset, out of its contract."""
    contract = node.contract
    return dg.AssetSpec(
        key_of(contract.table),
        deps=[key_of(name) for name in sorted(node.inputs)],
        description=contract.document.grain,
        group_name=contract.layer,
        owners=[f"team:{contract.document.owner}"],
        kinds={"deltalake", "sql" if contract.document.made_by == "sql" else "python"},
        code_version=contract.model_hash[:16],
        metadata=_promises(contract),
    )


def _promises(contract: Contract) -> dict[str, Any]:
    return {
        "grain": contract.document.grain,
        "key": ", ".join(contract.document.key),
        "write": contract.document.write,
        "partitioned_by": ", ".join(contract.document.partitioned_by),
        "dagster/column_schema": _schema(contract),
        "dagster/table_name": contract.table,
    }


def _schema(contract: Contract) -> dg.TableSchema:
    return dg.TableSchema([_column(contract, position) for position in range(len(contract.columns))])


def _column(contract: Contract, position: int) -> dg.TableColumn:
    column = contract.columns[position]
    return dg.TableColumn(
        column.name,
        type=column.type,
        description=column.description,
        constraints=dg.TableColumnConstraints(nullable=column.nullable),
        tags={name: value for name, value in (("unit", column.unit), ("guard", column.tag)) if value},
    )


def state_metadata(lake: Lakehouse, table: str, written: Written) -> dict[str, Any]:
    """What the table is after a run, and what the run did to it."""
    state = lake.state(table)
    lineage = {
        column: [dg.TableColumnDep(key_of(source), name) for source, name in sources]
        for column, sources in lineage_of(lake, table).items()
    }
    return {
        "delta_version": state.version,
        "files": len(state.files),
        "rows_written": written.rows,
        "rows_rejected": written.rejected,
        "dates_touched": len(written.dates),
        "dagster/row_count": state.rows,
    } | ({"dagster/column_lineage": dg.TableColumnLineage(lineage)} if lineage else {})
