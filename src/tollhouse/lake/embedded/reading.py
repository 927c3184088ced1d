"""Delta tables as DuckDB relations: the list of active files, never a folder."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tollhouse.lake.contracts import Contract
from tollhouse.lake.engine import DataFile
from tollhouse.lake.types import duckdb_type


def literal(text: str) -> str:
    """``text`` as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """``name`` as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def relation(contract: Contract, root: Path, files: Sequence[DataFile], *, extra: Iterable[str] = ()) -> str:
    """A parenthesised query over ``files`` with the contract's columns; ``extra`` adds reader columns as filename."""
    if not files:
        return _empty(contract, extra)
    paths = ", ".join(literal(str(root / file.path)) for file in files)
    partitions = contract.document.partitioned_by
    types = ", ".join(f"{literal(p)}: {duckdb_type(contract.column(p).type)}" for p in partitions)
    hive = f", hive_partitioning=true, hive_types={{{types}}}" if partitions else ", hive_partitioning=false"
    more = "".join(f", {name}=true" for name in extra)
    source = f"read_parquet([{paths}], union_by_name=true{hive}{more})"
    present = f"SELECT * FROM {source}"
    return f"(SELECT {_columns(contract, extra)} FROM ({present} UNION ALL BY NAME {_empty(contract, ())}))"


def _columns(contract: Contract, extra: Iterable[str]) -> str:
    return ", ".join([*(quoted(c.name) for c in contract.columns), *extra])


def _empty(contract: Contract, extra: Iterable[str]) -> str:
    columns = [f"CAST(NULL AS {duckdb_type(c.type)}) AS {quoted(c.name)}" for c in contract.columns]
    columns += [f"CAST(NULL AS VARCHAR) AS {name}" for name in extra]
    return f"(SELECT {', '.join(columns)} WHERE false)"
