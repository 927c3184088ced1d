"""Results of queries as a table for people, CSV, JSON lines or Parquet."""

import base64
import csv
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

FORMATS = ("table", "csv", "json", "parquet")
SHOWN_ROWS = 200
CELL_WIDTH = 60
_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)


def write_rows(reader: pa.RecordBatchReader, kind: str, out: TextIO) -> None:
    """Write the rows as ``table``, ``csv`` or ``json`` (an object a line; decimals and times as text)."""
    if kind == "table":
        out.writelines(f"{line}\n" for line in table_lines(reader))
    elif kind == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(reader.schema.names)
        writer.writerows([_cell(value, "") for value in row] for row in _rows(reader))
    else:
        out.writelines(_json_line(reader.schema.names, row) for row in _rows(reader))


def _json_line(names: list[str], row: list[Any]) -> str:
    return json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n"


def write_parquet(reader: pa.RecordBatchReader, path: Path) -> None:
    """Write the rows as one Parquet file."""
    with pq.ParquetWriter(path, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)


def table_lines(reader: pa.RecordBatchReader) -> Iterator[str]:
    """The rows as aligned text: at most 200 of them, cells of at most 60 characters, NULL written out."""
    rows = _rows(reader)
    shown = [[_shortened(_cell(_rounded(value), "NULL")) for value in row] for row in islice(rows, SHOWN_ROWS)]
    is_cut = next(rows, None) is not None
    for index in [i for i, field in enumerate(reader.schema) if pa.types.is_decimal(field.type)]:
        _align_points(shown, index)
    names = [_shortened(name) for name in reader.schema.names]
    widths = [max(map(len, column)) for column in zip(names, *shown, strict=True)]
    right = [any(is_number(field.type) for is_number in _NUMBERS) for field in reader.schema]
    yield _line(names, widths, right)
    yield "  ".join("─" * width for width in widths)
    for row in shown:
        yield _line(row, widths, right)
    count = f"{len(shown)} row{'' if len(shown) == 1 else 's'}"
    yield f"(first {count}; there are more: add --format csv, json or parquet for all)" if is_cut else f"({count})"


def _rounded(value: object) -> object:
    """A float as people read it: 27943.7 rather than 27943.699999999993."""
    return f"{value:.12g}" if isinstance(value, float) else value


def _align_points(rows: list[list[str]], column: int) -> None:
    """Give all numbers of a decimal column as many decimals as the longest has."""
    digits = max((len(row[column].partition(".")[2]) for row in rows), default=0)
    for row in rows:
        whole, _, decimals = row[column].partition(".")
        if digits and whole != "NULL":
            row[column] = f"{whole}.{decimals.ljust(digits, '0')}"


def _line(cells: Iterable[str], widths: list[int], right: list[bool]) -> str:
    parts = zip(cells, widths, right, strict=True)
    return "  ".join(cell.rjust(width) if is_right else cell.ljust(width) for cell, width, is_right in parts).rstrip()


def _shortened(text: str) -> str:
    flat = text.replace("\n", "⏎").replace("\t", " ")
    return flat if len(flat) <= CELL_WIDTH else f"{flat[: CELL_WIDTH - 1]}…"


def _cell(value: object, null: str) -> str:
    if value is None:
        return null
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)


def _rows(reader: pa.RecordBatchReader) -> Iterator[list[Any]]:
    for batch in reader:
        columns = ([plain(value, column.type) for value in column.to_pylist()] for column in batch.columns)
        yield from map(list, zip(*columns, strict=True))


def plain(value: Any, kind: pa.DataType) -> Any:
    """A value of Arrow as JSON has it: decimals, dates and times (UTC) as text, maps as objects."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(kind, pa.MapType):
        return {str(plain(key, kind.key_type)): plain(item, kind.item_type) for key, item in value}
    if isinstance(kind, pa.StructType):
        return {field.name: plain(value[field.name], field.type) for field in kind}
    if isinstance(kind, pa.ListType):
        return [plain(item, kind.value_type) for item in value]
    return _text(value)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        digits = f"{value:f}"
        return digits.rstrip("0").rstrip(".") if "." in digits else digits
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
