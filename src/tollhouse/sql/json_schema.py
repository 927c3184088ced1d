"""Spark's schema text of from_json as the structure that DuckDB's from_json takes."""

import json

from sqlglot import exp
from sqlglot.errors import SqlglotError

from tollhouse.errors import QueryError

_HINT = "write it as 'name STRING, items ARRAY<STRING>'"


def json_structure(schema: str) -> exp.Literal:
    """``'a STRING, b ARRAY<INT>'`` or any type such as ``'MAP<STRING, STRING>'`` as DuckDB's JSON structure literal.

    Raises QueryError for a text that is no schema.
    """
    return exp.Literal.string(json.dumps(_structure(parse_schema(schema)), ensure_ascii=False))


def parse_schema(schema: str) -> exp.DataType:
    """The data type that a schema text of Spark describes."""
    for text in (schema, f"STRUCT<{schema}>"):
        try:
            parsed = exp.DataType.build(text, dialect="databricks", udt=False)
        except (SqlglotError, ValueError):
            continue
        return parsed
    raise QueryError(f"not a schema: {schema!r}", hint=_HINT)


def _structure(kind: exp.DataType) -> object:
    if kind.is_type(exp.DType.STRUCT):
        if not kind.expressions:
            raise QueryError(f"not a schema: {kind.sql('databricks')!r}", hint=_HINT)
        return {field.name: _structure(_kind(field)) for field in kind.expressions}
    if kind.is_type(exp.DType.ARRAY):
        return [_structure(kind.expressions[0])]
    return kind.sql("duckdb")


def _kind(field: exp.Expr) -> exp.DataType:
    kind = field.args.get("kind")
    if not isinstance(kind, exp.DataType):
        raise QueryError(f"no type in the schema field {field.sql('databricks')!r}", hint="write it as 'name STRING'")
    return kind
