"""Which columns of which tables a query's columns come from."""

from collections.abc import Mapping, Sequence

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from tollhouse.errors import QueryError
from tollhouse.sql.dialects import READ, table_name

Source = tuple[str, str]
"""A table, as silver.invocations, and one of its columns."""


def column_lineage(
    tree: exp.Query, tables: Mapping[str, Mapping[str, str]], *, where: str = "model"
) -> dict[str, list[Source]]:
    """The sources of each output column of a query in Databricks SQL, sorted; an empty list for a constant.

    ``tables`` gives for each table that the query reads its columns and their Databricks types. Sources are what a
    value is computed from, not what rows are chosen or joined by. Raises QueryError for a column that is in no table.
    """
    try:
        nodes = lineage(None, tree, schema=_schema(tables), dialect=READ, trim_selects=False)
    except (SqlglotError, ValueError) as error:
        raise QueryError(f"{where}: no lineage: {error}") from error
    if isinstance(nodes, Node):
        nodes = {nodes.name: nodes}
    return {name: _sources(node, tables) for name, node in nodes.items()}


def _schema(tables: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, dict[str, str]]]:
    nested: dict[str, dict[str, dict[str, str]]] = {}
    for table, columns in tables.items():
        layer, name = table.split(".")
        nested.setdefault(layer, {})[name] = dict(columns)
    return nested


def _sources(root: Node, tables: Mapping[str, Mapping[str, str]]) -> list[Source]:
    found: set[Source] = set()
    seen: set[int] = set()
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting.extend(node.downstream)
        if isinstance(node.source, exp.Table) and not node.downstream:
            found.update(_columns_of(node, node.source, tables))
    return sorted(found)


def _columns_of(node: Node, table: exp.Table, tables: Mapping[str, Mapping[str, str]]) -> Sequence[Source]:
    name, column = table_name(table), node.name.rsplit(".", 1)[-1].strip('`"')
    return [(name, column)] if column in tables.get(name, {}) else []
