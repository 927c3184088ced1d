"""One SQL text, several engines: parsing models and turning them into DuckDB's dialect."""

import difflib
from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlglot import Dialect, exp
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError, UnsupportedError

from tollhouse.errors import QueryError
from tollhouse.sql.functions import rewrite

READ = "databricks"
"""Models are read as Databricks SQL: read as Spark's, every CAST would become a TRY_CAST."""


def parse_model(sql: str, *, where: str) -> exp.Query:
    """The one SELECT (or UNION of SELECTs) in ``sql``, which is Databricks SQL.

    ``where`` is the file or place that an error names. Raises QueryError for a syntax error, with its line and
    column, for several statements and for anything that is not a query.
    """
    return _parsed_model(sql, where).copy()


@lru_cache(maxsize=64)
def _parsed_model(sql: str, where: str) -> exp.Query:
    return parse_query(sql, dialect=READ, where=where)


def parse_query(sql: str, *, dialect: str, where: str) -> exp.Query:
    """As ``parse_model``, for any dialect."""
    statements = [s for s in _parsed(sql, dialect, where) if s is not None and not isinstance(s, exp.Semicolon)]
    if len(statements) != 1:
        raise QueryError(f"{where}: expected one SELECT, found {len(statements)} statements")
    query = statements[0]
    if not isinstance(query, exp.Query) or isinstance(query, exp.Table) or query.find(*_WRITING) is not None:
        raise QueryError(f"{where}: expected one SELECT, found something else", hint="only queries are accepted")
    return query


_WRITING = (exp.Command, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Into)
_FIRST_WORDS = frozenset({"SELECT", "WITH", "FROM", "VALUES", "("})


def _parsed(sql: str, dialect: str, where: str) -> list[exp.Expr | None]:
    try:
        reader = Dialect.get_or_raise(dialect)
        tokens = reader.tokenize(sql)
        first = next((token.text.upper() for token in tokens), "nothing")
        if first not in _FIRST_WORDS:
            raise QueryError(f"{where}: expected a SELECT, found {first}", hint="only queries are accepted")
        return reader.parser(error_level=ErrorLevel.RAISE).parse(tokens, sql)
    except ParseError as error:
        raise QueryError(_syntax_message(error, where), hint=f"the text is read as {dialect} SQL") from error
    except (SqlglotError, RecursionError) as error:
        raise QueryError(f"{where}: not readable as {dialect} SQL: {error}") from error


def _syntax_message(error: ParseError, where: str) -> str:
    if not error.errors:
        return f"{where}: syntax error: {error}"
    first = error.errors[0]
    near = f", near {first['highlight']!r}" if first.get("highlight") else ""
    return f"{where}, line {first.get('line')}, column {first.get('col')}: {first.get('description')}{near}"


def table_name(table: exp.Table) -> str:
    """The name of a table as written, its parts joined by dots."""
    return ".".join(part.name for part in table.parts)


def table_references(tree: exp.Expr) -> list[exp.Table]:
    """Every reference to a stored table: not those to a CTE in scope, nor table functions."""
    return [
        table
        for table in tree.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and not _is_cte_reference(table)
    ]


def _is_cte_reference(table: exp.Table) -> bool:
    return not table.db and table.name.lower() in _visible_ctes(table)


def _visible_ctes(node: exp.Expr) -> set[str]:
    """Names of the CTEs that can be seen from ``node``: those of each enclosing WITH, its own only if recursive."""
    names: set[str] = set()
    inside: exp.Expr = node
    parent = node.parent
    while parent is not None:
        with_ = parent if isinstance(parent, exp.With) else parent.args.get("with_")
        if isinstance(with_, exp.With):
            names |= _ctes_before(with_, inside)
        inside, parent = parent, parent.parent
    return names


def _ctes_before(with_: exp.With, inside: exp.Expr) -> set[str]:
    if with_.args.get("recursive") or not isinstance(inside, exp.CTE):
        # From the body every CTE is seen; the With itself, reached from one of its CTEs, adds nothing here.
        return set() if inside is with_ else {cte.alias.lower() for cte in with_.expressions}
    names: set[str] = set()
    for cte in with_.expressions:
        if cte is inside:
            break
        names.add(cte.alias.lower())
    return names


def tables_of(tree: exp.Expr) -> set[str]:
    """The stored tables that a query reads, as ``silver.invocations``; names of CTEs are left out."""
    return {table_name(table) for table in table_references(tree)}


def unknown_table(name: str, choices: Sequence[str], where: str) -> QueryError:
    """The error for a name that is none of ``choices``, with those that look like it."""
    close = difflib.get_close_matches(name, choices, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(close)}?" if close else f"known: {', '.join(sorted(choices)) or 'none'}"
    return QueryError(f"{where}: unknown table {name}", hint=hint)


def bind_tables(tree: exp.Expr, relations: Mapping[str, str], *, where: str = "query") -> None:
    """Replace, in place, each stored table by the relation of that name; the table's own name stays as its alias."""
    folded = {name.lower(): relation for name, relation in relations.items()}
    for table in table_references(tree):
        name = table_name(table)
        relation = folded.get(name.lower())
        if relation is None:
            raise unknown_table(name, list(relations), where)
        _refuse_time_travel(table, where)
        _bind(table, relation)
    for column in tree.find_all(exp.Column):
        _unqualify(column, folded)


def _unqualify(column: exp.Column, relations: Mapping[str, str]) -> None:
    """silver.invocations.requester loses its schema: the alias that stands for the table has none. r.a.b keeps it."""
    qualifier = ".".join(part.name for part in column.parts[:-1]).lower()
    if qualifier in relations:
        column.set("db", None)
        column.set("catalog", None)


def _bind(table: exp.Table, relation: str) -> None:
    if not table.alias:
        table.set("alias", exp.TableAlias(this=table.this.copy()))
    table.set("this", exp.to_identifier(relation, quoted=True))
    table.set("db", None)
    table.set("catalog", None)


def _refuse_time_travel(table: exp.Table, where: str) -> None:
    if table.args.get("version") is not None or table.args.get("when") is not None:
        raise QueryError(f"{where}: {table_name(table)} can only be read as it is now", hint="leave out VERSION AS OF")


def to_duckdb(query: str | exp.Expr, relations: Mapping[str, str], *, where: str = "model") -> str:
    """A query in Databricks SQL as DuckDB's, each table replaced by ``relations[table]`` as a quoted identifier.

    A given tree is not changed. Raises QueryError for a table that ``relations`` lacks, naming the choices, and for
    what DuckDB has no counterpart of.
    """
    tree = parse_model(query, where=where) if isinstance(query, str) else query.copy()
    bind_tables(tree, relations, where=where)
    return generate_duckdb(rewrite(tree), where=where)


def generate_duckdb(tree: exp.Expr, *, where: str) -> str:
    """DuckDB's text of a tree whose functions were rewritten."""
    try:
        return tree.sql("duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise QueryError(f"{where}: DuckDB cannot run this: {error}") from error


def cast_to_contract(
    tree: exp.Query, columns: Sequence[tuple[str, str]], *, extra: Sequence[tuple[str, str]] = ()
) -> exp.Select:
    """``SELECT CAST(name AS type) AS name, … FROM (tree)``: a query whose result has the contract's columns.

    ``columns`` and ``extra`` are pairs of name and Databricks type; the extra ones (as rejection_reason) come last.
    """
    casts = [
        exp.alias_(exp.Cast(this=exp.column(name, quoted=True), to=data_type(kind)), name, quoted=True)
        for name, kind in (*columns, *extra)
    ]
    return exp.select(*casts).from_(tree.copy().subquery("model"))


def data_type(text: str) -> exp.DataType:
    """A Databricks type as sqlglot's. Raises QueryError for a text that is none."""
    try:
        return exp.DataType.build(text, dialect=READ, udt=False)
    except (SqlglotError, ValueError) as error:
        raise QueryError(f"not a Databricks type: {text!r}") from error


def duckdb_type(text: str) -> str:
    """A Databricks type as DuckDB writes it, as ``MAP(TEXT, DECIMAL(17, 3))``."""
    return data_type(text).sql("duckdb")
