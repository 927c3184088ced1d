import io
import json
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from tollhouse.errors import QueryError
from tollhouse.sql.door import Door
from tollhouse.sql.printing import SHOWN_ROWS, write_parquet, write_rows


@pytest.fixture(scope="module")
def door(small_lake):
    return Door(small_lake)


def test_tables_and_views_are_read_by_their_names(door):
    usage = "system.ai_gateway.usage"
    sql = f"SELECT u.requester, i.invocation_id FROM {usage} u JOIN silver.invocations i USING (request_id)"
    assert door.query(sql).rows() == [("ann@example.com", "a")]


def test_names_are_read_whatever_their_case(door):
    assert door.query("SELECT count(*) AS n FROM SYSTEM.AI_Gateway.Usage").item() == 2


def test_a_table_may_qualify_its_columns_by_its_full_name(door):
    assert door.query("SELECT max(silver.invocations.input_tokens) AS n FROM silver.invocations").item() == 1651


def test_a_cte_may_have_any_name(door):
    assert door.query("WITH usage AS (SELECT 1 AS x) SELECT x FROM usage").item() == 1


def test_a_sum_of_integers_is_a_bigint(door):
    frame = door.query("SELECT sum(input_tokens) AS tokens FROM silver.invocations")
    assert str(frame.schema["tokens"]) == "Int64"


def test_money_stays_decimal(door):
    assert door.query("SELECT sum(cost_usd) AS cost FROM gold.costs").item() == Decimal("0.75")


def test_two_columns_of_one_name_are_told_apart(door):
    assert door.query("SELECT 1 AS x, 2 AS x").columns == ["x", "x_1"]


def test_duckdb_dialect_is_read_too(door):
    assert door.query("FROM silver.invocations SELECT count(*)::INT AS n", dialect="duckdb").item() == 3


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT * FROM silver.invocation", "unknown table silver.invocation\n.*did you mean silver.invocations"),
        ("SELECT nope FROM silver.invocations", "nope"),
        ("SELECT 1 +", "line 1, column 10"),
        ("DROP TABLE silver.invocations", "expected a SELECT, found DROP"),
        ("INSERT INTO silver.invocations SELECT 1", "expected a SELECT, found INSERT"),
        ("SELECT 1; SELECT 2", "expected one SELECT, found 2"),
        ("", "expected a SELECT, found nothing"),
        ("SELECT * FROM silver.invocations VERSION AS OF 3", "can only be read as it is now"),
        ("SELECT * FROM parquet.`/etc/passwd`", "unknown table"),
        ("SELECT * FROM read_csv('/etc/passwd')", "cannot be read from"),
        ("SELECT my_function(1)", "unknown function my_function"),
        ("SELECT from_json('{}', 'nonsense<')", "not a schema"),
    ],
)
def test_what_is_not_a_query_over_the_lake_is_refused_with_the_reason(door, sql, message):
    with pytest.raises(QueryError, match=f"(?s){message}"):
        door.query(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM query_table('silver.invocations')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM information_schema.tables",
        "SELECT content FROM (SELECT read_text('/etc/passwd') AS content)",
        "SELECT getvariable('x')",
        "SELECT nosuchfunction(1)",
        "SET memory_limit = '1GB'",
        "ATTACH ':memory:' AS x",
        "COPY silver.invocations TO '/tmp/x'",
    ],
)
def test_nothing_but_the_lake_is_reached_in_duckdb_s_dialect(door, sql):
    with pytest.raises(QueryError):
        door.query(sql, dialect="duckdb")


def test_an_error_while_rows_are_read_is_a_query_error(door):
    with pytest.raises(QueryError, match="Could not convert"):
        door.query("SELECT CAST(requester AS INT) AS x FROM silver.invocations")


def printed(door, sql, kind):
    out = io.StringIO()
    with door.stream(sql) as rows:
        write_rows(rows, kind, out)
    return out.getvalue()


def test_a_table_is_aligned_with_null_written_out(door):
    text = printed(door, "SELECT * FROM VALUES ('a', 1, NULL), ('bbb', 22, 'x') AS t(name, n, z)", "table")
    assert text == "name   n  z\n────  ──  ────\na      1  NULL\nbbb   22  x\n(2 rows)\n"


def test_numbers_of_a_table_are_written_as_people_read_them(door):
    values = "(CAST(0.5 AS DECIMAL(9, 6)), 0.1D + 0.2D), (CAST(12.25 AS DECIMAL(9, 6)), NULL)"
    sql = f"SELECT * FROM VALUES {values} AS t(d, f)"
    assert printed(door, sql, "table") == "    d     f\n─────  ────\n 0.50   0.3\n12.25  NULL\n(2 rows)\n"


def test_a_long_table_says_that_there_is_more(door):
    text = printed(door, f"SELECT explode(sequence(1, {SHOWN_ROWS + 1})) AS x", "table")
    assert text.endswith(f"(first {SHOWN_ROWS} rows; there are more: add --format csv, json or parquet for all)\n")
    assert printed(door, f"SELECT explode(sequence(1, {SHOWN_ROWS})) AS x", "table").endswith(f"({SHOWN_ROWS} rows)\n")


def test_csv_and_json_write_nested_values_times_and_money_as_text(door):
    sql = (
        "SELECT map('k', 1) AS m, array(named_struct('a', NULL)) AS s, TIMESTAMP '2026-01-02 03:04:05Z' AS t,"
        " CAST('1.50' AS DECIMAL(9, 2)) AS d, CAST(NULL AS STRING) AS z"
    )
    row = {"m": {"k": 1}, "s": [{"a": None}], "t": "2026-01-02T03:04:05Z", "d": "1.5", "z": None}
    assert json.loads(printed(door, sql, "json")) == row
    assert printed(door, sql, "csv") == ('m,s,t,d,z\n"{""k"": 1}","[{""a"": null}]",2026-01-02T03:04:05Z,1.5,\n')


def test_parquet_holds_all_rows(door, tmp_path):
    with door.stream("SELECT invocation_id FROM silver.invocations ORDER BY 1") as rows:
        write_parquet(rows, tmp_path / "x.parquet")
    assert pq.read_table(tmp_path / "x.parquet").column("invocation_id").to_pylist() == ["a", "b", "c"]
