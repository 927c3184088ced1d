import json

import pytest
from click.testing import CliRunner

from tollhouse.commands.sql import sql
from tollhouse.commands.views import views
from tollhouse.errors import QueryError, StorageError


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "tollhouse.yml").write_text("lake: lake\n")
    monkeypatch.chdir(tmp_path)

    def invoke(command, *arguments, **options):
        result = CliRunner().invoke(command, arguments, catch_exceptions=False, **options)
        assert result.exit_code == 0, result.output
        return result.output

    return invoke


def test_an_empty_lake_answers_with_no_rows(run):
    assert run(sql, "SELECT requester FROM system.ai_gateway.usage") == "requester\n─────────\n(0 rows)\n"


def test_the_query_may_come_from_standard_input(run):
    assert json.loads(run(sql, "-", "--format", "json", input="SELECT 1 AS x")) == {"x": 1}


def test_rows_go_to_a_file(run, tmp_path):
    assert run(sql, "SELECT 1 AS x", "--format", "csv", "--output", "rows.csv") == ""
    assert (tmp_path / "rows.csv").read_text() == "x\n1\n"


def test_parquet_needs_a_file(run):
    with pytest.raises(QueryError, match="--output"):
        run(sql, "SELECT 1 AS x", "--format", "parquet")


def test_a_file_that_cannot_be_written_is_named(run):
    with pytest.raises(StorageError, match="no/such"):
        run(sql, "SELECT 1 AS x", "--format", "csv", "--output", "no/such/rows.csv")


def test_views_are_printed_for_a_warehouse(run):
    text = run(views, "--dialect", "trino", "--catalog", "lake")
    assert "CREATE OR REPLACE VIEW lake.ai_gateway.usage AS" in text
