import duckdb
import pytest

from tollhouse.errors import QueryError
from tollhouse.sql.dialects import cast_to_contract, parse_model, tables_of, to_duckdb

RELATIONS = {"silver.calls": "slice"}


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'UTC'")
        opened.execute("CREATE TABLE slice AS SELECT 1 AS a, MAP {'k': 2} AS m, [1, 2] AS xs, {'b': {'c': 7}} AS s")
        yield opened


def run(connection, sql):
    return connection.execute(to_duckdb(sql, RELATIONS)).fetchall()


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT silver.calls.a FROM silver.calls", [(1,)]),
        ("SELECT calls.a FROM silver.calls", [(1,)]),
        ("SELECT s.b.c, calls.s.b.c FROM silver.calls", [(7, 7)]),
        ("WITH calls AS (SELECT 9 AS a) SELECT x.a, y.a FROM calls AS x CROSS JOIN silver.calls AS y", [(9, 1)]),
        ("SELECT k, v FROM silver.calls LATERAL VIEW explode(m) t AS k, v", [("k", 2)]),
        ("SELECT a, e FROM silver.calls LATERAL VIEW OUTER explode(filter(xs, x -> x > 9)) t AS e", [(1, None)]),
        ("SELECT a FROM (SELECT * FROM silver.calls) WHERE EXISTS (SELECT 1 FROM silver.calls)", [(1,)]),
        ("SELECT map_filter(m, (k, v) -> v > size(map_filter(m, (q, w) -> w > 5))) FROM silver.calls", [({"k": 2},)]),
    ],
)
def test_a_model_runs_over_the_relations_given_for_its_tables(connection, sql, rows):
    assert run(connection, sql) == rows


def test_a_given_tree_is_not_changed():
    tree = parse_model("SELECT a FROM silver.calls", where="x")
    to_duckdb(tree, RELATIONS)
    assert tree.sql("databricks") == "SELECT a FROM silver.calls"


def test_names_of_ctes_are_no_tables():
    sql = "WITH c AS (SELECT * FROM silver.calls), d AS (SELECT * FROM c) SELECT * FROM d JOIN gold.costs"
    assert tables_of(parse_model(sql, where="x")) == {"silver.calls", "gold.costs"}


@pytest.mark.parametrize(
    "sql",
    [
        "WITH c AS (SELECT * FROM c) SELECT * FROM c",
        "WITH d AS (SELECT * FROM c), c AS (SELECT 1) SELECT * FROM d",
        "SELECT * FROM (WITH c AS (SELECT 1) SELECT * FROM c) AS z CROSS JOIN c",
    ],
)
def test_a_cte_is_seen_only_in_its_scope(sql):
    with pytest.raises(QueryError, match="unknown table c"):
        to_duckdb(sql, RELATIONS)


def test_an_unknown_table_is_named_with_the_choices():
    with pytest.raises(QueryError, match=r"(?s)models/x\.sql: unknown table silver\.call\n.*silver\.calls"):
        to_duckdb("SELECT * FROM silver.call", RELATIONS, where="models/x.sql")


def test_a_syntax_error_names_file_and_position():
    with pytest.raises(QueryError, match=r"models/x\.sql, line 2, column 8"):
        parse_model("SELECT a\nFROM t ) x", where="models/x.sql")


NOT_ONE_SELECT = ["DELETE FROM t", "SELECT 1; SELECT 2", "SHOW TABLES", "", "WITH x AS (SELECT 1) DELETE FROM t"]


@pytest.mark.parametrize("sql", NOT_ONE_SELECT)
def test_a_model_is_exactly_one_select(sql):
    with pytest.raises(QueryError):
        parse_model(sql, where="x")


@pytest.mark.parametrize(
    "sql",
    ["SELECT from_json(a, schema) FROM silver.calls", "SELECT e FROM silver.calls, LATERAL explode(xs) AS t(e)"],
)
def test_what_has_no_counterpart_in_duckdb_is_an_error(sql):
    with pytest.raises(QueryError):
        to_duckdb(sql, RELATIONS)


def test_every_output_column_gets_its_contract_type(connection):
    tree = parse_model("SELECT m, a, 'why' AS reason FROM silver.calls", where="x")
    columns = [("a", "DECIMAL(20, 12)"), ("m", "MAP<STRING, BIGINT>")]
    result = connection.sql(to_duckdb(cast_to_contract(tree, columns, extra=[("reason", "STRING")]), RELATIONS))
    assert result.columns == ["a", "m", "reason"]
    assert [str(kind) for kind in result.types] == ["DECIMAL(20,12)", "MAP(VARCHAR, BIGINT)", "VARCHAR"]
