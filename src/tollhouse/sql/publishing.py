"""The views as DDL of another warehouse."""

from collections.abc import Callable, Iterable, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from tollhouse.errors import QueryError
from tollhouse.sql.dialects import table_name, table_references
from tollhouse.sql.functions import rewrite
from tollhouse.sql.views import Views

DIALECTS = ("databricks", "trino", "snowflake", "bigquery", "duckdb")
_OURS = "system"
"""The catalog of Databricks' own names, which is reserved elsewhere."""

_Rule = Callable[[exp.Expr], exp.Expr]


def render_views(
    dialect: str,
    catalog: str,
    endpoints: Iterable[str],
    views: Views,
    *,
    relations: Mapping[str, str] | None = None,
    map_columns: Iterable[str] = (),
) -> str:
    """All views as one script of ``dialect``, its statements ended by semicolons.

    ``catalog`` holds tables and views, and stands for ``system``. ``relations`` gives each table as a FROM-able query
    of DuckDB over the files of one snapshot: with them the duckdb script is complete in itself. ``map_columns`` are
    the columns of type MAP, which some dialects cannot group by. Raises QueryError for what a dialect cannot say.
    """
    if dialect not in DIALECTS:
        raise QueryError(f"no dialect {dialect!r}", hint=f"choose one of {', '.join(DIALECTS)}")
    tables = {name: sqlglot.parse_one(f"SELECT * FROM {sql}", read="duckdb") for name, sql in (relations or {}).items()}
    queries = {name: view.query.copy() for name, view in views.for_endpoints(endpoints).items()}
    for query in queries.values():
        _qualify(query, catalog)
    adapted = {name: _adapted(query, dialect, frozenset(map_columns)) for name, query in queries.items()}
    created = {**(tables if dialect == "duckdb" else {}), **adapted}
    statements = [*_schemas(created, dialect, catalog), *(_create(name, q, catalog) for name, q in created.items())]
    return "".join(f"{_text(statement, dialect)};\n\n" for statement in statements)


def _target(name: str, catalog: str) -> exp.Table:
    parts = name.split(".")
    parts = [catalog, *(parts[1:] if parts[0] == _OURS else parts)]
    if len(parts) != 3:
        raise QueryError(f"{name} is not schema.table or system.schema.table", hint="rename its file in sql/views")
    return exp.table_(parts[2], db=parts[1], catalog=parts[0])


def _qualify(query: exp.Query, catalog: str) -> None:
    for table in table_references(query):
        target = _target(table_name(table), catalog)
        for part in ("this", "db", "catalog"):
            table.set(part, target.args[part])


def _schemas(created: Mapping[str, exp.Expr], dialect: str, catalog: str) -> list[exp.Expr]:
    schemas = dict.fromkeys(_target(name, catalog).db for name in created)
    first = [sqlglot.parse_one(f"ATTACH ':memory:' AS {exp.to_identifier(catalog)}", read="duckdb")]
    names = [exp.table_(None, db=schema, catalog=catalog) for schema in schemas]
    return [*(first if dialect == "duckdb" else []), *(exp.Create(this=n, kind="SCHEMA", exists=True) for n in names)]


def _create(name: str, query: exp.Expr, catalog: str) -> exp.Create:
    return exp.Create(this=_target(name, catalog), kind="VIEW", replace=True, expression=query)


def _text(statement: exp.Expr, dialect: str) -> str:
    try:
        return statement.sql(dialect, pretty=True, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise QueryError(f"{dialect} cannot say {statement.sql('databricks')[:200]}: {error}") from error


def _adapted(query: exp.Query, dialect: str, map_columns: frozenset[str]) -> exp.Expr:
    if dialect == "duckdb":
        return rewrite(query)
    for kind, rule in _RULES.get(dialect, {}).items():
        for node in reversed(list(query.find_all(kind))):
            changed = rule(node)
            if changed is not node:
                node.replace(changed)
    if dialect in _JSON_TEXT:
        _group_by_text(query, map_columns, _JSON_TEXT[dialect])
    return query


def _group_by_text(query: exp.Query, map_columns: frozenset[str], function: str) -> None:
    """A map cannot be grouped by there, but its JSON text can; such a column is only selected as any_value(…)."""
    for group in query.find_all(exp.Group):
        for column in [e for e in group.expressions if isinstance(e, exp.Column) and e.name in map_columns]:
            column.replace(exp.Anonymous(this=function, expressions=[column.copy()]))


_JSON_TEXT = {"bigquery": "TO_JSON_STRING", "snowflake": "TO_JSON"}


def _fields(node: exp.Expr) -> list[tuple[str, exp.Expr]]:
    return [(pair.this.name, pair.expression) for pair in node.expressions]


def _row(node: exp.Expr) -> exp.Expr:
    """Trino's rows have no names of their own: the cast around each of ours gives them."""
    return exp.Anonymous(this="ROW", expressions=[value for _, value in _fields(node)])


def _object(node: exp.Expr) -> exp.Expr:
    """Without KEEP_NULL a NULL field is left out, and the cast to the object's type fails."""
    parts = [part for name, value in _fields(node) for part in (exp.Literal.string(name), value)]
    return exp.Anonymous(this="OBJECT_CONSTRUCT_KEEP_NULL", expressions=parts)


def _get(node: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="GET", expressions=[node.this, exp.Literal.string(node.expression.name)])


def _array_of_entries(node: exp.Expr) -> exp.Expr:
    """BigQuery has no maps: an array of key and value."""
    if not isinstance(node, exp.DataType) or not node.is_type(exp.DType.MAP):
        return node
    names = zip(("key", "value"), node.expressions, strict=True)
    fields = [exp.ColumnDef(this=exp.to_identifier(name), kind=kind) for name, kind in names]
    entry = exp.DataType(this=exp.DType.STRUCT, expressions=fields, nested=True)
    return exp.DataType(this=exp.DType.ARRAY, expressions=[entry], nested=True)


def _array_subquery(node: exp.Expr) -> exp.Expr:
    """BigQuery has no lambdas: a subquery over the elements, in their order."""
    function = node.expression
    alias = exp.TableAlias(columns=[function.expressions[0].copy()])
    elements = exp.Unnest(expressions=[node.this], alias=alias, offset=exp.to_identifier("position"))
    return exp.Array(expressions=[exp.select(function.this).from_(elements).order_by("position")])


_RULES: dict[str, dict[type[exp.Expr], _Rule]] = {
    "trino": {exp.Struct: _row},
    "snowflake": {exp.Struct: _object, exp.Dot: _get},
    "bigquery": {exp.DataType: _array_of_entries, exp.Transform: _array_subquery},
}
