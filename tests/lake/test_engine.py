import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import deltalake
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import TableFeatures
from lake.small_lake import NOON, SmallLake, outcome

from tollhouse.errors import ContractError, LakeError
from tollhouse.lake.contracts import Contract, load_contracts
from tollhouse.lake.embedded.committing import commit_files
from tollhouse.lake.embedded.snapshot import create_table, state_of
from tollhouse.lake.embedded.writing import NewFile, write_files
from tollhouse.lake.engine import Commit

CONTRACT = """
table: gold.samples
grain: One row per sample.
owner: tests
made_by: ingest
write: append
key: [id]
partitioned_by: [day]
columns:
  - {name: id, type: BIGINT, nullable: false, description: Id.}
  - {name: day, type: DATE, nullable: false, description: Day.}
  - {name: name, type: STRING, description: Name.}
  - {name: secret, type: STRING, tag: pii, description: Secret.}
  - {name: nothing, type: STRING, description: Always NULL.}
  - {name: at, type: TIMESTAMP, description: Instant.}
  - {name: cost, type: "DECIMAL(20,12)", description: Cost.}
  - {name: share, type: DOUBLE, description: Share.}
  - {name: is_new, type: BOOLEAN, description: New.}
  - {name: tags, type: "MAP<STRING, STRING>", description: Tags.}
  - {name: parts, type: "ARRAY<STRUCT<number: INT, at: TIMESTAMP>>", description: Parts.}
  - {name: inner, type: "STRUCT<a: STRING, b: BIGINT>", description: Inner.}
"""
ROW = (
    "DATE '2026-11-18' AS day, 'plain' AS name, 'ada' AS secret, NULL::VARCHAR AS nothing, "
    "TIMESTAMPTZ '2026-11-18 01:02:03.456789+02:00' AS at, 0.25::DECIMAL(20,12) AS cost, 0.5::DOUBLE AS share, "
    "true AS is_new, MAP {'k': 'v'} AS tags, [{'number': 1::INT, 'at': TIMESTAMPTZ '2026-11-18 00:00:00Z'}] AS parts, "
    "{'a': 'x', 'b': 2::BIGINT} AS inner"
)


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    for layer in ("bronze", "silver", "gold"):
        (tmp_path / "project" / "models" / layer).mkdir(parents=True)
    (tmp_path / "project" / "models" / "gold" / "samples.yml").write_text(CONTRACT)
    return load_contracts(tmp_path / "project")["gold.samples"]


@pytest.fixture
def connection(empty: SmallLake) -> Iterator[Any]:
    with empty.open() as lake:
        yield lake.connection


def statistics(file: NewFile) -> dict[str, dict[str, Any]]:
    return json.loads(file.statistics)


def write_and_commit(connection: Any, contract: Contract, root: Path, query: str) -> list[NewFile]:
    files = write_files(connection, contract, root, query)
    commit_files(create_table(root, contract), contract, Commit({"me": 1}, {}), added=files)
    return files


def test_statistics_in_the_log_are_those_of_the_rows(connection: Any, contract: Contract, tmp_path: Path) -> None:
    query = (
        f"SELECT 7::BIGINT AS id, {ROW} UNION ALL BY NAME SELECT 9::BIGINT AS id, DATE '2026-11-18' AS day, "
        "'a' AS name, TIMESTAMPTZ '2026-11-18 12:00:00.000001Z' AS at, NULL::DOUBLE AS share"
    )
    (file,) = write_and_commit(connection, contract, tmp_path / "t", query)

    found = statistics(file)
    assert found["numRecords"] == 2
    assert (found["minValues"]["id"], found["maxValues"]["id"]) == (7, 9)
    assert (found["minValues"]["name"], found["maxValues"]["name"]) == ("a", "plain")
    # Delta's milliseconds: each bound lies outside the rows, never inside.
    assert (found["minValues"]["at"], found["maxValues"]["at"]) == (
        "2026-11-17T23:02:03.456Z",
        "2026-11-18T12:00:00.001Z",
    )
    assert {name: found["nullCount"][name] for name in ("id", "name", "nothing", "at", "share")} == {
        "id": 0, "name": 0, "nothing": 2, "at": 0, "share": 1,
    }  # fmt: skip


@pytest.mark.parametrize("part", ["minValues", "maxValues", "nullCount"])
def test_tagged_nested_and_partition_columns_have_no_statistics(
    connection: Any, contract: Contract, tmp_path: Path, part: str
) -> None:
    (file,) = write_and_commit(connection, contract, tmp_path / "t", f"SELECT 7::BIGINT AS id, {ROW}")

    assert not {"secret", "day", "tags", "parts", "inner"} & set(statistics(file)[part])
    assert "nothing" not in set(statistics(file)["minValues"]) | set(statistics(file)["maxValues"])


@pytest.mark.parametrize("name", ["ä" * 40, "x" * 300, "\U0010ffff" * 9, "", "a\nb", "it's", "\x00", "\x7fé"])
def test_a_bound_of_text_is_exact_or_left_out(connection: Any, contract: Contract, tmp_path: Path, name: str) -> None:
    query = f"SELECT 7::BIGINT AS id, {ROW}".replace("'plain'", "?")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE texts AS {query}", [name])
    (file,) = write_and_commit(connection, contract, tmp_path / "t", "SELECT * FROM texts")

    found = statistics(file)
    assert found["minValues"].get("name", name) <= name <= found["maxValues"].get("name", name)
    assert pl.read_delta(str(tmp_path / "t")).filter(pl.col("name") == name).height == 1
    assert deltalake.DeltaTable(str(tmp_path / "t")).to_pyarrow_table(filters=[("name", "==", name)]).num_rows == 1


def test_statistics_survive_the_way_through_the_log(connection: Any, contract: Contract, tmp_path: Path) -> None:
    write_and_commit(connection, contract, tmp_path / "t", f"SELECT 7::BIGINT AS id, {ROW}")
    opened = deltalake.DeltaTable(str(tmp_path / "t"))
    opened.create_checkpoint()
    for table in (opened, deltalake.DeltaTable(str(tmp_path / "t"))):
        (file,) = state_of(table, "gold.samples", ["me"]).files
        assert (file.rows, file.minimum["id"], file.maximum["name"]) == (1, 7, "plain")
        assert file.minimum["at"] == datetime(2026, 11, 17, 23, 2, 3, 456000, tzinfo=UTC)
        assert state_of(table, "gold.samples", ["me"]).transaction("me") == 1


def test_every_statistic_of_a_real_lake_is_true(finished: SmallLake) -> None:
    with finished.open() as lake:
        for table in lake.tables():
            contract = lake.contract(table)
            tagged = {column.name for column in contract.columns if column.tag}
            for action in pa.table(deltalake.DeltaTable(str(lake.path(table))).get_add_actions()).to_pylist():
                parquet = pq.read_table(lake.path(table) / action["path"], partitioning=None)
                assert parquet.num_rows == action["num_records"]
                for name in parquet.column_names:
                    column, bounds = parquet.column(name), (action.get("min") or {}, action.get("max") or {})
                    assert name not in tagged or name not in set(bounds[0]) | set(bounds[1]), (table, name)
                    nulls = (action.get("null_count") or {}).get(name)
                    assert nulls in {None, column.null_count} or isinstance(nulls, dict), (table, name)
                    if bounds[0].get(name) is not None:
                        values = [value for value in column.to_pylist() if value is not None]
                        assert bounds[0][name] <= min(values) <= max(values) <= bounds[1][name], (table, name)


def test_tables_read_the_same_in_other_readers(finished: SmallLake) -> None:
    with finished.open() as lake:
        for table in lake.tables():
            query = f"SELECT * FROM {lake.relation(table)}"
            ours = pl.DataFrame(lake.connection.sql(query).to_arrow_table())
            path, names = str(lake.path(table)), ours.columns
            key = lake.contract(table).document.key
            theirs = pl.read_delta(path).select(names).sort(key)
            assert (theirs.height, theirs.schema.names()) == (ours.height, names)
            plain = [name for name, kind in ours.schema.items() if not kind.is_nested()]
            assert theirs.select(plain).equals(ours.sort(key).select(plain)), table
            assert deltalake.DeltaTable(path).to_pyarrow_table().num_rows == ours.height


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("'seven' AS id", r"column 'id' is VARCHAR in the query.* BIGINT in samples\.yml"),
        ("7::BIGINT AS number", r"the query has no column 'id' \(BIGINT\)"),
        ("7::BIGINT AS id, 1 AS extra", r"the query gives extra, which samples\.yml does not declare"),
        ("NULL::BIGINT AS id", r"column 'id' must not be NULL, and is in 1 rows of the result"),
    ],
)
def test_a_result_that_breaks_its_contract_leaves_nothing(
    connection: Any, contract: Contract, tmp_path: Path, expression: str, said: str
) -> None:
    with pytest.raises(ContractError, match=said):
        write_files(connection, contract, tmp_path / "t", f"SELECT {expression}, {ROW}")

    assert not list((tmp_path / "t").rglob("*.parquet"))


@pytest.mark.parametrize(
    "inner",
    ["{'a': 'x'} AS inner", "{'a': 'x', 'b': 'two'} AS inner", "['x'] AS inner", "'x' AS inner"],
)
def test_a_nested_result_that_breaks_its_contract_is_refused_too(
    connection: Any, contract: Contract, tmp_path: Path, inner: str
) -> None:
    query = f"SELECT 7::BIGINT AS id, {ROW}".replace("{'a': 'x', 'b': 2::BIGINT} AS inner", inner)
    with pytest.raises(ContractError, match="column 'inner' is"):
        write_files(connection, contract, tmp_path / "t", query)

    assert not list((tmp_path / "t").rglob("*.parquet"))


def test_a_model_that_breaks_its_contract_writes_nothing(lake: SmallLake) -> None:
    model = lake.own_project() / "models" / "gold" / "usage_hourly.sql"
    model.write_text("SELECT event_date FROM gold.costs")
    lake.write([outcome(1)])
    before = lake.versions()["gold.usage_hourly"]

    with pytest.raises(ContractError, match=r"gold\.usage_hourly: the query has no column"):
        lake.run()
    assert lake.rows("SELECT count(*) FROM {gold.usage_hourly}") == [(0,)]
    assert lake.versions()["gold.usage_hourly"] - before <= 1  # the note that the model is another one


def test_a_table_with_deletion_vectors_is_refused(copied: SmallLake) -> None:
    table = deltalake.DeltaTable(str(copied.root / "lake" / "silver" / "payloads"))
    table.alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)

    with copied.open() as lake, pytest.raises(LakeError, match=r"silver\.payloads uses .*: deletionVectors"):
        lake.state("silver.payloads")


def test_a_lake_of_another_engine_is_refused(empty: SmallLake, tmp_path: Path) -> None:
    lake = empty.copy(tmp_path / "other")
    (lake.root / "lake" / "_tollhouse" / "lake.json").write_text('{"engine": "spark", "format": 1}')

    with pytest.raises(LakeError, match=r"belongs to the spark engine.* the settings name embedded"):
        lake.open()


def test_many_small_segments_fit_into_the_default_memory(lake: SmallLake) -> None:
    """A gateway seals a segment every ten seconds: an hour of a quiet one is hundreds of small files."""
    lake.configure(engine={})
    for number in range(60):
        lake.write([outcome(number, NOON + timedelta(minutes=number))])
    lake.run(job="ingest")

    assert lake.rows("SELECT count(*) FROM {bronze.raw_records}") == [(60,)]


@pytest.mark.parametrize("name", ["secret", "share", "id", "cost"])
def test_a_filter_of_another_reader_finds_the_row_by_any_column(
    connection: Any, contract: Contract, tmp_path: Path, name: str
) -> None:
    write_and_commit(connection, contract, tmp_path / "t", f"SELECT 7::BIGINT AS id, {ROW}")
    values = {"secret": "ada", "share": 0.5, "id": 7, "cost": Decimal("0.25")}

    table = deltalake.DeltaTable(str(tmp_path / "t"))
    assert table.to_pyarrow_table(filters=[(name, "==", values[name])]).num_rows == 1
    assert pl.scan_delta(str(tmp_path / "t")).filter(pl.col(name) == values[name]).collect().height == 1
