"""What Dagster loads: assets, jobs, schedules and the sensor of the settings in force."""

import dagster as dg

from pipelines.assets import asset_of
from pipelines.jobs import jobs_of
from pipelines.resources import lake_of
from pipelines.schedules import schedules
from pipelines.sensors import arrivals_sensor
from tollhouse.lake.contracts import load_contracts
from tollhouse.orchestration.nodes import step_nodes
from tollhouse.project import project_dir
from tollhouse.settings import Settings, load_settings


def build(settings: Settings) -> dg.Definitions:
    """The code location for one lake."""
    nodes = step_nodes(load_contracts(project_dir(settings.path("."))))
    return dg.Definitions(
        assets=[asset_of(node) for node in nodes],
        jobs=jobs_of(nodes),
        schedules=schedules(),
        sensors=[arrivals_sensor(settings)],
        resources={"lake": lake_of(settings)},
    )


@dg.definitions
def tollhouse() -> dg.Definitions:
    return build(load_settings())
