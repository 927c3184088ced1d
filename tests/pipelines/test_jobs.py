import datetime as dt
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from demo_lake import DemoLake

from tollhouse.errors import LakeError, StorageError
from tollhouse.ids import uuid7
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.settings import Settings
from tollhouse.spool.records import Admit
from tollhouse.spool.writer import SpoolWriter

AS_OF = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def run(settings: Settings, job: str) -> dg.ExecuteInProcessResult:
    from pipelines.definitions import build
    from pipelines.resources import run_config

    with dg.DagsterInstance.ephemeral() as instance:
        found = build(settings).resolve_job_def(job)
        return found.execute_in_process(instance=instance, run_config=run_config(AS_OF))


def gold(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    with Lakehouse(settings) as lake:
        tables = [name for name in lake.tables() if name.startswith("gold.")]
        return {name: lake.connection.execute(f"FROM {lake.relation(name)} ORDER BY ALL").fetchall() for name in tables}


@pytest.fixture
def settings(settings_over: Callable[[Path], Settings], demo_lake: DemoLake) -> Settings:
    return settings_over(demo_lake.settings.spool_dir)


def test_job_all_makes_the_gold_that_the_steps_make_and_a_second_run_changes_nothing(
    settings: Settings, demo_lake: DemoLake
) -> None:
    assert run(settings, "all").success
    made = gold(settings)
    expected = gold(demo_lake.settings)

    assert made.keys() == expected.keys()
    for table, rows in expected.items():
        assert made[table] == rows, table
    with Lakehouse(settings) as lake:
        before = {name: lake.state(name).version for name in lake.tables()}
    assert run(settings, "all").success
    with Lakehouse(settings) as lake:
        assert {name: lake.state(name).version for name in lake.tables()} == before


def test_a_run_reports_rows_version_checks_and_column_lineage(settings: Settings) -> None:
    result = run(settings, "all")
    found = {".".join(e.asset_key.path): e.materialization.metadata for e in result.get_asset_materialization_events()}
    lineage = found["gold.usage_hourly"]["dagster/column_lineage"].value.deps_by_column

    assert found["silver.invocations"]["dagster/row_count"].value == 600
    assert found["silver.invocations"]["delta_version"].value == 1
    assert [(dep.asset_key.path, dep.column_name) for dep in lineage["cost_usd"]] == [(["gold", "costs"], "cost_usd")]
    assert "dagster/column_lineage" not in found["bronze.raw_records"]
    checks = {(".".join(c.asset_key.path), c.check_name): c.passed for c in result.get_asset_check_evaluations()}
    assert checks["gold.reconciliation", "sums_are_balanced"]
    assert checks["silver.invocations", "key_is_unique"]
    assert all(checks.values())
    assert {table for table, name in checks if name == "columns_match_contract"} == found.keys()


def test_a_call_that_is_overdue_is_in_doubt_before_gold_reads_it(
    settings_over: Callable[[Path], Settings], tmp_path: Path
) -> None:
    settings = settings_over(tmp_path / "spool")
    moment = "2026-11-23T12:00:00.000000Z"
    admitted = Admit(
        recorded_at=moment,
        invocation_id=uuid7(1_795_435_200_000, 1),
        request_id="request-1",
        event_time=moment,
        deadline="2026-11-23T12:10:00.000000Z",
    )
    with SpoolWriter(settings.spool_dir) as writer:
        writer.append(admitted)

    assert run(settings, "all").success
    with Lakehouse(settings) as lake:
        states = f"SELECT invocation_state FROM {lake.relation('gold.costs')}"
        assert lake.connection.execute(states).fetchall() == [("in_doubt",)]


def test_the_maintenance_job_changes_no_row(settings: Settings) -> None:
    run(settings, "all")
    before = gold(settings)

    assert run(settings, "maintenance").success
    assert gold(settings) == before


@pytest.mark.parametrize(
    ("error", "ending"),
    [(StorageError("disk full"), dg.RetryRequested), (LakeError("the lake belongs to spark"), dg.Failure)],
)
def test_a_step_is_tried_again_only_where_that_can_help(error: Exception, ending: type[Exception]) -> None:
    from pipelines.outcome import with_verdict

    with pytest.raises(ending) as caught, with_verdict():
        raise error
    assert caught.value.__cause__ is error
