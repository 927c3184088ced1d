"""The floor: DuckDB on all cores reads the segments as JSON with declared columns and writes them once as zstd Parquet.

Run as ``python benchmarks/floor.py SPOOL OUT``; prints the seconds of the one statement, without
any start-up: by the clock, and of all cores.
"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import get_args

import duckdb
import msgspec
from msgspec import inspect

from tollhouse.lake.embedded import writing
from tollhouse.spool.reader import list_segments
from tollhouse.spool.records import SpoolRecord

COMPRESSION = "compression zstd, compression_level 3"
_SCALARS: Sequence[tuple[type[inspect.Type], str]] = (
    (inspect.StrType, "VARCHAR"),
    (inspect.LiteralType, "VARCHAR"),
    (inspect.IntType, "BIGINT"),
    (inspect.FloatType, "DOUBLE"),
    (inspect.BoolType, "BOOLEAN"),
)


def columns() -> dict[str, str]:
    """Every member that a line of a segment may have, with its DuckDB type."""
    found = {"crc32c": "VARCHAR", "sequence": "BIGINT", "record": "VARCHAR"}
    for record in get_args(SpoolRecord):
        found |= _fields(record)
    return found


def _fields(struct: type[msgspec.Struct]) -> dict[str, str]:
    described = inspect.type_info(struct)
    assert isinstance(described, inspect.StructType)
    return {field.encode_name: _duckdb(field.type) for field in described.fields}


def _duckdb(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.UnionType):
        return _duckdb(next(each for each in kind.types if not isinstance(each, inspect.NoneType)))
    if isinstance(kind, inspect.ListType):
        return _duckdb(kind.item_type) + "[]"
    if isinstance(kind, inspect.StructType):
        return "STRUCT(" + ", ".join(f'"{name}" {of}' for name, of in _fields(kind.cls).items()) + ")"
    if isinstance(kind, inspect.DictType):
        value = _duckdb(kind.value_type)
        return "JSON" if value == "JSON" else f"MAP(VARCHAR, {value})"
    return next((name for scalar, name in _SCALARS if isinstance(kind, scalar)), "JSON")


def statement(segments: Sequence[Path], out: Path, declared: Mapping[str, str]) -> str:
    """The COPY, with the engine's own size of row groups."""
    paths = ", ".join(f"'{path}'" for path in segments)
    types = ", ".join(f"\"{name}\": '{kind}'" for name, kind in declared.items())
    return (
        f"COPY (SELECT * FROM read_json([{paths}], format='newline_delimited', columns={{{types}}}, "
        f"maximum_object_size=134217728)) TO '{out}' "
        f"(format parquet, {COMPRESSION}, row_group_size {row_group_rows()}, per_thread_output)"
    )


def row_group_rows() -> int:
    """As the engine writes them."""
    return int(vars(writing)["_ROW_GROUP_ROWS"])


def main(spool: str, out: str) -> None:
    """Writes the segments of ``spool`` under ``out``."""
    segments = [segment.path for segment in list_segments(Path(spool)) if segment.is_sealed]
    shutil.rmtree(out, ignore_errors=True)
    with duckdb.connect(config={"preserve_insertion_order": False}) as connection:
        copy = statement(segments, Path(out), columns())
        begun, spent = perf_counter(), process_time()
        connection.execute(copy)
        print(perf_counter() - begun, process_time() - spent)


if __name__ == "__main__":
    main(*sys.argv[1:])
