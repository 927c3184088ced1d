"""Databricks SQL types as Delta and Arrow schemas."""

from functools import cache

import deltalake
import pyarrow as pa
from sqlglot import exp

from tollhouse.errors import ContractError
from tollhouse.lake.contracts import Contract

_SIMPLE = {
    "TEXT": pa.string(),
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INT": pa.int32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
}


@cache
def arrow_type(databricks_type: str) -> pa.DataType:
    """The Arrow type of a Databricks SQL type. Raises ContractError for types outside the portable set."""
    return _convert(exp.DataType.build(databricks_type, dialect="databricks"), databricks_type)


def _convert(node: exp.DataType, text: str) -> pa.DataType:
    name = node.this.name
    if name == "DECIMAL":
        precision, scale = (int(p.name) for p in node.expressions)
        return pa.decimal128(precision, scale)
    if name in {"ARRAY", "LIST"}:
        return pa.list_(_convert(node.expressions[0], text))
    if name == "MAP":
        key, value = node.expressions
        return pa.map_(_convert(key, text), _convert(value, text))
    if name == "STRUCT":
        return pa.struct([(field.name, _convert(field.args["kind"], text)) for field in node.expressions])
    if name not in _SIMPLE:
        choices = "STRING, BIGINT, INT, DOUBLE, BOOLEAN, DATE, TIMESTAMP, DECIMAL, ARRAY, MAP, STRUCT"
        raise ContractError(f"type {text!r} is not portable between engines; use one of {choices}")
    return _SIMPLE[name]


@cache
def duckdb_type(databricks_type: str) -> str:
    """The DuckDB spelling of a Databricks SQL type: TIMESTAMP, an instant there, is TIMESTAMPTZ here."""
    return exp.DataType.build(databricks_type, dialect="databricks").sql(dialect="duckdb")


def arrow_schema(contract: Contract) -> pa.Schema:
    """The table's Arrow schema, nullability as declared."""
    return pa.schema([pa.field(c.name, arrow_type(c.type), nullable=c.nullable) for c in contract.columns])


def delta_schema(contract: Contract) -> deltalake.Schema:
    """The table's Delta schema with each column's description as its comment.

    All columns are nullable in Delta: NOT NULL would need a writer feature, so the contract's check enforces it.
    """
    fields = [
        deltalake.Field(
            c.name,
            deltalake.Field.from_arrow(pa.field(c.name, arrow_type(c.type))).type,
            nullable=True,
            metadata={"comment": c.description},
        )
        for c in contract.columns
    ]
    return deltalake.Schema(fields)
