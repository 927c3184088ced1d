"""What a user's query may call: functions that compute, none that read files, settings or other text as SQL."""

import re

import duckdb
from sqlglot import exp

from tollhouse.errors import QueryError
from tollhouse.sql.functions import is_known

_ROW_MAKERS = frozenset({"RANGE", "GENERATE_SERIES", "SEQUENCE", "EXPLODE", "UNNEST", "INLINE", "POSEXPLODE"})
_REFUSED = re.compile(
    r"^(read_|write_|glob$|sniff_|query|parquet_|duckdb_|pragma_|json_execute|getenv|getvariable|which_secret|nextval"
    r"|currval|setseed|sleep|error$|sql_auto|from_substrait|get_substrait|load_|install_|checkpoint|force_|test_"
    r"|enable_|disable_|add_parquet|pg_|current_setting|set_config|txid|in_search_path|stats$|summary$)|_scan(_|$)",
    re.IGNORECASE,
)


def check_user_functions(tree: exp.Expr, connection: duckdb.DuckDBPyConnection, *, dialect: str) -> None:
    """Raise QueryError for a function that is unknown, or that reaches beyond the tables of the query."""
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Func) and _name(table.this).upper() not in _ROW_MAKERS:
            raise QueryError(f"{_name(table.this)} cannot be read from", hint="read tables and views by their names")
    names = {_name(node): node for node in tree.find_all(exp.Func)}
    for name, node in names.items():
        if _REFUSED.search(name):
            raise QueryError(f"the function {name} is not available in queries")
        if isinstance(node, exp.Anonymous) and not _exists(name, node, connection, dialect):
            raise QueryError(f"unknown function {name}", hint=f"the query is read as {dialect} SQL; see docs/sql.md")


def _name(node: exp.Expr) -> str:
    return node.name if isinstance(node, exp.Anonymous) else node.sql_name() if isinstance(node, exp.Func) else ""


def _exists(name: str, node: exp.Anonymous, connection: duckdb.DuckDBPyConnection, dialect: str) -> bool:
    if dialect != "duckdb":
        return is_known(node) or name.upper() in _ROW_MAKERS
    if name.upper() in _ROW_MAKERS:
        return True
    found = connection.execute(
        "SELECT count(*) FROM duckdb_functions() WHERE function_name = lower(?) AND function_type IN"
        " ('scalar', 'aggregate', 'macro')",
        [name],
    ).fetchone()
    return found is not None and found[0] > 0
