from pathlib import Path

import dagster as dg
import pytest

from tollhouse.lake.contracts import load_contracts
from tollhouse.project import project_dir
from tollhouse.settings import Settings

EDGES = """
bronze.raw_records <-
bronze.rejected_records <-
bronze.source_objects <-
gold.cost_attribution_daily <- gold.costs
gold.cost_by_tag_daily <- gold.costs
gold.costs <- silver.invocations silver.price_matches silver.prices
gold.endpoint_health_hourly <- silver.invocations
gold.guardrail_hits <- silver.guardrail_checks silver.invocations
gold.reconciliation <- bronze.raw_records bronze.rejected_records bronze.source_objects gold.costs \
silver.invocations silver.rejected_records
gold.usage_hourly <- gold.costs
silver.guardrail_checks <- bronze.raw_records
silver.invocations <- bronze.raw_records silver.principals
silver.payloads <- bronze.raw_records
silver.price_matches <- silver.invocations
silver.prices <-
silver.principals <- bronze.raw_records
silver.rejected_records <- bronze.raw_records
"""


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    from pipelines.definitions import build

    return build(Settings(root=str(tmp_path_factory.mktemp("lake"))))


def name_of(key: dg.AssetKey) -> str:
    return ".".join(key.path)


def test_there_is_one_asset_a_table_and_the_edges_are_those_of_contracts_and_queries(
    definitions: dg.Definitions,
) -> None:
    lines = [
        f"{name_of(spec.key)} <- {' '.join(sorted(name_of(dep.asset_key) for dep in spec.deps))}".strip()
        for spec in definitions.resolve_all_asset_specs()
    ]

    assert sorted(lines) == EDGES.strip().splitlines()


def test_the_definitions_are_loadable(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)

    assert {job.name for job in definitions.get_repository_def().get_all_jobs()} >= {
        "ingest",
        "transform",
        "all",
        "maintenance",
    }


def test_dagster_finds_the_code_location_by_workspace_yaml() -> None:
    from dagster._core.workspace.load import location_origins_from_yaml_paths

    [origin] = location_origins_from_yaml_paths([str(project_dir() / "workspace.yaml")])

    assert origin.location_name == "tollhouse"
    assert Path(origin.loadable_target_origin.python_file) == project_dir() / "pipelines/definitions.py"


def test_an_asset_says_what_its_contract_says(definitions: dg.Definitions) -> None:
    contract = load_contracts(project_dir())["gold.costs"]
    spec = next(spec for spec in definitions.resolve_all_asset_specs() if name_of(spec.key) == "gold.costs")
    columns = spec.metadata["dagster/column_schema"].columns

    assert spec.description == contract.document.grain
    assert spec.group_name == "gold"
    assert spec.owners == ["team:finance"]
    assert [(c.name, c.type, c.description) for c in columns] == [
        (c.name, c.type, c.description) for c in contract.columns
    ]


def test_ingest_and_transform_share_no_table_and_make_all_together(definitions: dg.Definitions) -> None:
    tables = {
        job: {name_of(key) for key in definitions.resolve_job_def(job).asset_layer.executable_asset_keys}
        for job in ("ingest", "transform", "all")
    }

    assert tables["ingest"] == {"bronze.raw_records", "bronze.rejected_records", "bronze.source_objects"}
    assert tables["ingest"] & tables["transform"] == set()
    assert tables["ingest"] | tables["transform"] == tables["all"]


def test_sensor_and_schedules_are_switched_on(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()

    assert [s.default_status for s in repository.sensor_defs] == [dg.DefaultSensorStatus.RUNNING]
    assert {s.name: s.cron_schedule for s in repository.schedule_defs} == {
        "transform_every_five_minutes": "*/5 * * * *",
        "all_hourly": "7 * * * *",
        "maintenance_daily": "37 3 * * *",
    }
    assert {s.default_status for s in repository.schedule_defs} == {dg.DefaultScheduleStatus.RUNNING}
