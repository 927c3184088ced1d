"""Jobs: what is run together. All of one lake's runs wait for each other in the queue."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from pipelines.metadata import key_of
from pipelines.outcome import with_verdict
from pipelines.resources import OpenLake
from tollhouse.orchestration.home import LAKE_TAG
from tollhouse.orchestration.nodes import StepNode

# A run that died with its process is begun anew: steps that were done find nothing left to do.
TAGS = {LAKE_TAG: "one", "dagster/retry_strategy": "ALL_STEPS"}


def jobs_of(nodes: Sequence[StepNode]) -> Sequence[Any]:
    """Every job; Dagster does not export the type of one that is still to be resolved against the assets."""
    return [
        _job("ingest", "Reads new segments and source files into bronze.", nodes),
        _job("transform", "Brings silver and gold up to date with bronze.", nodes),
        _job("all", "Ingest, then transform.", nodes),
        maintenance,
    ]


def _job(name: str, description: str, nodes: Sequence[StepNode]) -> Any:
    tables = [table.contract.table for node in nodes if name in ("all", node.job) for table in node.tables]
    return dg.define_asset_job(
        name,
        selection=[key_of(table) for table in tables],
        description=description,
        tags=TAGS,
        executor_def=dg.in_process_executor,
    )


@dg.op(required_resource_keys={"lake"}, out=dg.Out(dg.Nothing))
def daily(context: dg.OpExecutionContext) -> None:
    """Joins small files, deletes what nobody needs any more, segments that are safely in bronze among it."""
    from tollhouse.lake import maintenance as work

    opened: OpenLake = context.resources.lake
    with with_verdict():
        context.log.info(f"maintenance: {work.daily(opened.lake, opened.as_of)}")


@dg.op(out=dg.Out(dg.Nothing))
def forget_old_runs(context: dg.OpExecutionContext) -> None:
    """Deletes Dagster's record of runs that ended days ago; one of them takes up to 0.7 MB."""
    from tollhouse.orchestration.history import forget_runs

    context.log.info(f"forgot {forget_runs(context.instance, datetime.now(UTC))} runs")


@dg.job(description="Compacts, vacuums and deletes consumed segments.", tags=TAGS, executor_def=dg.in_process_executor)
def maintenance() -> None:
    daily()
    forget_old_runs()
