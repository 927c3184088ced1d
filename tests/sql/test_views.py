import json
import re
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from tollhouse.errors import QueryError
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.sql.door import Door
from tollhouse.sql.publishing import DIALECTS, render_views
from tollhouse.sql.views import load_views

FOLDER = Path(__file__).parents[2] / "sql" / "views"
SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "gateway-logs" / "databricks"
EVERYWHERE = {"ARRAY", "CAST", "COALESCE", "CONCAT", "MD5", "MIN", "SUM", "UPPER"}
# What each dialect's own documentation lists; a name that is not here has to be looked up there first.
FUNCTIONS = {
    "databricks": {"ANY_VALUE", "DATE_ADD", "DATE_TRUNC", "STRUCT", "TRANSFORM"},
    "trino": {"ARBITRARY", "DATE_ADD", "DATE_TRUNC", "LOWER", "ROW", "TO_HEX", "TO_UTF8", "TRANSFORM"},
    "snowflake": {
        "ANY_VALUE", "DATE_TRUNC", "GET", "OBJECT_CONSTRUCT_KEEP_NULL", "TIMESTAMPADD", "TO_JSON", "TRANSFORM",
    },
    "bigquery": {"ANY_VALUE", "STRUCT", "TIMESTAMP_ADD", "TIMESTAMP_TRUNC", "TO_HEX", "TO_JSON_STRING", "UNNEST"},
    "duckdb": {"ANY_VALUE", "DATE_TRUNC", "LIST_TRANSFORM", "READ_PARQUET"},
}  # fmt: skip
TYPE_WORDS = {"DECIMAL", "MAP", "OBJECT", "STRUCT", "ROW"}
TYPES = {
    "databricks": {"ARRAY", "BIGINT", "DATE", "DECIMAL", "DOUBLE", "INT", "MAP", "STRUCT", "TEXT", "TIMESTAMPTZ"},
    "trino": {"ARRAY", "BIGINT", "DATE", "DECIMAL", "DOUBLE", "INT", "MAP", "STRUCT", "VARCHAR", "TIMESTAMPTZ"},
    "snowflake": {"ARRAY", "BIGINT", "DATE", "DECIMAL", "DOUBLE", "INT", "MAP", "OBJECT", "VARCHAR", "TIMESTAMPTZ"},
    "bigquery": {"ARRAY", "BIGDECIMAL", "BIGINT", "DATE", "DOUBLE", "STRUCT", "TEXT", "TIMESTAMPTZ"},
    "duckdb": {"ARRAY", "BIGINT", "DATE", "DECIMAL", "DOUBLE", "INT", "MAP", "STRUCT", "TEXT", "TIMESTAMPTZ"},
}


def script(dialect, endpoints=("my-chat", "code"), **more):
    return render_views(dialect, "tollhouse", endpoints, load_views(FOLDER), map_columns=["request_tags"], **more)


def statements(dialect, text):
    parsed = sqlglot.parse(text, read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    return [statement for statement in parsed if statement is not None]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_statement_parses_in_its_dialect_and_is_no_raw_command(dialect):
    for statement in statements(dialect, script(dialect)):
        assert statement.find(exp.Command) is None
        assert isinstance(statement, (exp.Create, exp.Attach))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_view_uses_a_function_that_its_dialect_lacks(dialect):
    bare = re.sub(r"'[^']*'|/\*.*?\*/", "", script(dialect))
    used = set(re.findall(r"\b([A-Z_0-9]+)\(", bare)) - TYPE_WORDS
    assert used <= EVERYWHERE | FUNCTIONS[dialect]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_view_uses_a_type_that_its_dialect_lacks(dialect):
    kinds = {kind.this.name for s in statements(dialect, script(dialect)) for kind in s.find_all(exp.DataType)}
    assert kinds <= TYPES[dialect]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_name_is_in_the_given_catalog(dialect):
    text = render_views(dialect, "lake", [], load_views(FOLDER))
    tables = [table for s in statements(dialect, text) for table in s.find_all(exp.Table) if table.name]
    assert tables
    assert {table.catalog for table in tables if table.db} == {"lake"}
    assert "system." not in re.sub(r"/\*.*?\*/", "", text)


def test_usage_has_the_columns_of_databricks_in_their_order():
    sample = SAMPLES / "failed_null_tokens.json"
    if not sample.is_file():
        pytest.skip("the shared samples of Databricks rows are not here")
    expected = list(json.loads(sample.read_text()))
    assert load_views(FOLDER).fixed["system.ai_gateway.usage"].query.named_selects == expected
    assert len(expected) == 36


def test_usage_counts_caches_into_the_input_and_leaves_pending_calls_out(small_lake):
    sql = "SELECT * FROM system.ai_gateway.usage ORDER BY event_time NULLS LAST"
    first, second = Door(small_lake).query(sql).to_dicts()
    assert first["input_tokens"] == 1651
    assert first["token_details"] == {
        "cache_read_input_tokens": 1642, "cache_creation_input_tokens": 0, "output_reasoning_tokens": 0,
    }  # fmt: skip
    (attempt,) = first["routing_information"]["attempts"]
    assert (attempt["action"], attempt["destination"]) == ("INITIAL_ATTEMPT", "anthropic")
    assert attempt["end_time"].isoformat() == "2026-08-07T13:31:49.241000+00:00"
    assert [row["invocation_metadata"]["source"] for row in (first, second)] == ["EXTERNAL_CLIENT", "GUARDRAIL"]
    assert second["routing_information"]["attempts"] == []


def test_spend_is_summed_by_the_hour_and_knows_no_unpriced_call(small_lake):
    (row,) = Door(small_lake).query("SELECT * FROM system.ai_gateway.external_model_spend").to_dicts()
    assert str(row["usage_quantity"]).rstrip("0") == "0.75"
    assert row["usage_start_time"].isoformat() == "2026-08-07T13:00:00+00:00"
    assert row["usage_metadata"]["model"] == "claude-sonnet-4-5"
    assert row["custom_tags"]["request_tags"] == {"feature": "search"}


def test_a_list_price_names_its_sku(small_lake):
    (row,) = Door(small_lake).query("SELECT sku_name, pricing.`default` FROM system.billing.list_prices").rows()
    assert row[0] == "anthropic/claude-sonnet-4-5/uncached_input_tokens"
    assert f"{row[1]:f}" == "0.000003000000"


def test_each_endpoint_has_a_view_of_its_payloads(small_lake):
    frame = Door(small_lake).query("SELECT * FROM payloads.my_chat_payload")
    assert frame.columns == [
        "request_id", "invocation_id", "request_tags", "event_time", "status_code", "sampling_fraction", "latency_ms",
        "time_to_first_byte_ms", "request", "response", "destination_id", "destination_type", "destination_name",
        "destination_model", "logging_error_codes", "requester", "url", "api_type", "schema_version",
    ]  # fmt: skip
    assert frame["invocation_id"].to_list() == ["a"]


@pytest.mark.parametrize("endpoints", [("my-chat", "my.chat"), ("Chat", "chat")])
def test_two_endpoints_with_one_view_name_are_refused_by_name(endpoints):
    with pytest.raises(QueryError, match=r"(?s)would both be read as payloads\.") as caught:
        load_views(FOLDER).for_endpoints(endpoints)
    assert all(repr(endpoint) in str(caught.value) for endpoint in endpoints)


def test_a_view_may_read_another_one_and_comes_after_it(tmp_path):
    (tmp_path / "a.first.sql").write_text("SELECT x FROM b.second")
    (tmp_path / "b.second.sql").write_text("SELECT 1 AS x")
    assert list(load_views(tmp_path).for_endpoints([])) == ["b.second", "a.first"]


def test_views_that_read_each_other_are_refused(tmp_path):
    (tmp_path / "a.first.sql").write_text("SELECT x FROM b.second")
    (tmp_path / "b.second.sql").write_text("SELECT x FROM a.first")
    with pytest.raises(QueryError, match="read each other"):
        load_views(tmp_path).for_endpoints([])


def test_the_duckdb_script_returns_in_a_bare_duckdb_what_the_door_returns(small_lake):
    compare_script_and_door(small_lake)


def test_the_duckdb_script_of_a_real_lake_returns_what_the_door_returns(demo_lake):
    with Lakehouse(demo_lake.settings) as lake:
        compare_script_and_door(lake)


def compare_script_and_door(lake):
    door = Door(lake)
    relations = {table: lake.relation_sql(table) for table in lake.tables()}
    text = render_views("duckdb", "tollhouse", door.endpoints(), door.views, relations=relations)
    with duckdb.connect() as bare:
        bare.execute("SET TimeZone = 'UTC'")
        bare.execute(text)
        for name in door.names():
            in_bare = name.replace("system.", "tollhouse.") if name.startswith("system.") else f"tollhouse.{name}"
            theirs, ours = bare.sql(f"SELECT * FROM {in_bare}").pl(), door.query(f"SELECT * FROM {name}")
            assert sorted(theirs.rows(), key=repr) == sorted(ours.rows(), key=repr), name
            assert theirs.schema == ours.schema, name
