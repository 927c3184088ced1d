"""The one door to the lake's tables: every query of a user passes here, whichever interface took it."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import duckdb
from sqlglot import exp

from tollhouse.errors import QueryError
from tollhouse.sql.dialects import (
    bind_tables,
    generate_duckdb,
    parse_query,
    table_name,
    table_references,
    tables_of,
    unknown_table,
)
from tollhouse.sql.functions import rewrite
from tollhouse.sql.guard import check_user_functions
from tollhouse.sql.views import View, Views, load_views

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

DIALECTS = ("databricks", "duckdb")
_BATCH_ROWS = 65_536


class Lake(Protocol):
    """What the door needs of a lake."""

    root: Path
    project: Path

    def tables(self) -> Sequence[str]:
        """Names of all tables, as silver.invocations."""
        ...

    def relation_sql(self, table: str) -> str:
        """The table's newest version as something that DuckDB can read FROM."""
        ...


class Door:
    """Runs queries over the tables and views of one lake, in an engine that can reach nothing else."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._views: Views = load_views(lake.project / "sql" / "views")

    def query(self, sql: str, *, dialect: str = "databricks", principal: str | None = None) -> "pl.DataFrame":
        """The rows of one SELECT as a data frame; a second column named x is x_1.

        Raises QueryError for what is not one SELECT over known tables, columns and functions.
        """
        import polars as pl

        with self.stream(sql, dialect=dialect, principal=principal) as reader:
            table = reader.read_all()
        frame = pl.from_arrow(table.rename_columns(_unique(table.column_names)))
        return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()

    @contextmanager
    def stream(
        self, sql: str, *, dialect: str = "databricks", principal: str | None = None
    ) -> Generator["pa.RecordBatchReader"]:
        """The rows of one SELECT as Arrow batches, for the length of a block. Raises QueryError."""
        with duckdb.connect(config={"temp_directory": "", "autoinstall_known_extensions": False}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            tree = self._accepted(sql, dialect, connection)
            text = self._prepared(tree, dialect, connection, principal)
            self._lock(connection)
            try:
                yield connection.sql(_narrowed(text, connection)).to_arrow_reader(_BATCH_ROWS)
            except duckdb.Error as error:
                raise QueryError(_readable(error), hint=f"the query is read as {dialect} SQL") from error

    def endpoints(self) -> list[str]:
        """Names of the endpoints that have payloads."""
        with duckdb.connect() as connection:
            found = connection.execute(
                f"SELECT DISTINCT endpoint_name FROM {self._lake.relation_sql('silver.payloads')}"
                " WHERE endpoint_name IS NOT NULL ORDER BY 1"
            )
            return [name for (name,) in found.fetchall()]

    @property
    def views(self) -> Views:
        """The views of the project."""
        return self._views

    def names(self) -> list[str]:
        """Everything that can be read: tables, then views."""
        return [*self._lake.tables(), *self._views.for_endpoints(self.endpoints())]

    def _accepted(self, sql: str, dialect: str, connection: duckdb.DuckDBPyConnection) -> exp.Query:
        if dialect not in DIALECTS:
            raise QueryError(f"no dialect {dialect!r}", hint=f"choose one of {', '.join(DIALECTS)}")
        tree = parse_query(sql, dialect=dialect, where="query")
        check_user_functions(tree, connection, dialect=dialect)
        return tree

    def _prepared(
        self, tree: exp.Query, dialect: str, connection: duckdb.DuckDBPyConnection, principal: str | None
    ) -> str:
        """The query as DuckDB's text over temporary views, each named as what it shows."""
        views = self._views_in(tree)
        needed = self._closure(tree, views)
        for name in needed:
            if name not in views:
                self._show(name, self._relation(name, principal), connection)
        for name, view in views.items():
            if name in needed:
                query = view.query.copy()
                bind_tables(query, {table: table for table in needed}, where=str(view.file))
                self._show(name, f"({generate_duckdb(rewrite(query), where=str(view.file))})", connection)
        bind_tables(tree, {name: name for name in needed})
        return generate_duckdb(rewrite(tree) if dialect == "databricks" else tree, where="query")

    def _relation(self, table: str, principal: str | None) -> str:
        """The table as ``principal`` may see it: the one place where rows and columns are given to a query."""
        del principal
        return self._lake.relation_sql(table)

    def _views_in(self, tree: exp.Query) -> dict[str, View]:
        templated = any(self._views.is_from_template(name) for name in tables_of(tree))
        return self._views.for_endpoints(self.endpoints() if templated else [])

    def _closure(self, tree: exp.Query, views: dict[str, View]) -> list[str]:
        """Names of all tables and views that a query reads, those of its views among them."""
        known = {name.lower(): name for name in (*self._lake.tables(), *views)}
        found: dict[str, None] = {}
        waiting = [tree]
        while waiting:
            for table in table_references(waiting.pop()):
                name = known.get(table_name(table).lower())
                if name is None:
                    raise unknown_table(table_name(table), list(known.values()), "query")
                if name in views and name not in found:
                    waiting.append(views[name].query)
                found[name] = None
        return list(found)

    def _show(self, name: str, relation: str, connection: duckdb.DuckDBPyConnection) -> None:
        identifier = exp.to_identifier(name, quoted=True).sql("duckdb")
        connection.execute(f"CREATE TEMP VIEW {identifier} AS SELECT * FROM {relation}")

    def _lock(self, connection: duckdb.DuckDBPyConnection) -> None:
        """From here on only the lake's own files can be read, and nothing can be set."""
        roots = (self._lake.root, self._lake.root.resolve())
        folders = (exp.Literal.string(f"{root}/").sql("duckdb") for root in roots)
        connection.execute(f"SET allowed_directories = [{', '.join(folders)}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")


def _narrowed(text: str, connection: duckdb.DuckDBPyConnection) -> str:
    """DuckDB's sums of integers are 128 bits wide, Spark's are BIGINT."""
    relation = connection.sql(text)
    kinds = [str(kind) for kind in relation.types]
    if "HUGEINT" not in kinds:
        return text
    names = [exp.to_identifier(name, quoted=True).sql("duckdb") for name in relation.columns]
    columns = [f"CAST(#{i} AS BIGINT)" if kind == "HUGEINT" else f"#{i}" for i, kind in enumerate(kinds, 1)]
    return f"SELECT {', '.join(f'{c} AS {n}' for c, n in zip(columns, names, strict=True))} FROM ({text})"


def _unique(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique: list[str] = []
    for name in names:
        seen[name] = seen.get(name, -1) + 1
        unique.append(f"{name}_{seen[name]}" if seen[name] else name)
    return unique


def _readable(error: duckdb.Error) -> str:
    """DuckDB's message without the quoted query, which is not the text that the user wrote."""
    return str(error).split("\nLINE ")[0].split("\n\nLINE ")[0].strip()
