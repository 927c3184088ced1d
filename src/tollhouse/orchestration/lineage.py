"""Column lineage of a table, kept by the hash of its model: working it out takes up to half a second a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tollhouse.lake.contracts import Contract
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.sql.dialects import parse_model, tables_of
from tollhouse.sql.lineage import Source, column_lineage

Lineage = Mapping[str, Sequence[Source]]


def lineage_of(lake: Lakehouse, table: str) -> Lineage:
    """For each column of ``table`` the columns that it comes from, over all its queries; empty where it has none."""
    contract = lake.contract(table)
    if not contract.queries:
        return {}
    kept = lake.settings.state_dir / "lineage" / f"{table}-{contract.model_hash[:16]}.json"
    if not kept.is_file():
        _keep(kept, _compute(contract, lake.contracts))
    return msgspec.json.decode(kept.read_bytes(), type=dict[str, list[Source]])


def _compute(contract: Contract, contracts: Mapping[str, Contract]) -> dict[str, list[Source]]:
    names = [column.name for column in contract.columns]
    found: dict[str, set[Source]] = {name: set() for name in names}
    for file in contract.queries.values():
        tree = parse_model(file.read_text(), where=str(file))
        columns = {table: dict(contracts[table].column_types) for table in tables_of(tree)}
        for name, sources in column_lineage(tree, columns, where=str(file)).items():
            if name in found:
                found[name].update(sources)
    return {name: sorted(sources) for name, sources in found.items()}


def _keep(file: Path, lineage: dict[str, list[Source]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.encode(lineage))
    draft.replace(file)
