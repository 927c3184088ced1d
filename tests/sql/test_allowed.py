from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tollhouse.errors import QueryError
from tollhouse.sql.allowed import check_functions, load_allowed
from tollhouse.sql.dialects import parse_model, to_duckdb

PROJECT = Path(__file__).parents[2]
ALLOWED = load_allowed(PROJECT / "sql" / "functions" / "allowed.yml")
MODELS = sorted((PROJECT / "models").rglob("*.sql"))


def in_yaml_terms(value):
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: in_yaml_terms(inner) for key, inner in value.items()}
    return [in_yaml_terms(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("fixture", ALLOWED.fixtures, ids=lambda fixture: f"{fixture.name}: {fixture.query}")
def test_an_allowed_function_gives_its_documented_value_in_duckdb(fixture):
    with duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        row = connection.execute(to_duckdb(fixture.query, {})).fetchone()
    assert [in_yaml_terms(value) for value in row] == [fixture.expected]


@pytest.mark.parametrize(
    "expression",
    ["percentile_approx(x, 0.5)", "hash(x)", "my_function(x)", "read_files('x')", "crc32(x)"],
)
def test_a_function_outside_the_list_is_refused_by_name(expression):
    tree = parse_model(f"SELECT {expression} FROM silver.invocations", where="models/x.sql")
    with pytest.raises(QueryError, match=r"models/x\.sql: functions that are not allowed"):
        check_functions(tree, ALLOWED, where="models/x.sql")


@pytest.mark.parametrize("file", MODELS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_project_s_models_use_allowed_functions_only(file):
    check_functions(parse_model(file.read_text(), where=str(file)), ALLOWED, where=str(file))


def test_a_model_of_allowed_functions_passes():
    sql = "SELECT coalesce(a, 1), sum(b) OVER (PARTITION BY c) FROM silver.invocations WHERE a > 1 AND NOT b IS NULL"
    check_functions(parse_model(sql, where="x"), ALLOWED, where="x")
