"""One asset a table; what a step writes together is one multi-asset."""

from collections.abc import Iterator, Sequence

import dagster as dg

from pipelines.checks import check_specs, run_checks
from pipelines.metadata import key_of, spec_of, state_metadata
from pipelines.outcome import with_verdict
from pipelines.resources import OpenLake
from tollhouse.lake.engine import Written
from tollhouse.lake.run import do_step
from tollhouse.orchestration.nodes import StepNode


def asset_of(node: StepNode) -> dg.AssetsDefinition:
    """The tables of one step, with their checks."""
    contracts = [table.contract for table in node.tables]

    @dg.multi_asset(
        name=node.name.replace(".", "__"),
        specs=[spec_of(table) for table in node.tables],
        check_specs=check_specs(contracts),
        required_resource_keys={"lake"},
    )
    def tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        opened: OpenLake = context.resources.lake
        with with_verdict():
            written = act(node, opened)
            if written.rows or written.rejected:
                context.log.info(f"{node.name}: {written.rows:,} rows written, {written.rejected:,} records rejected")
            for contract in contracts:
                yield dg.MaterializeResult(
                    asset_key=key_of(contract.table),
                    metadata=state_metadata(opened.lake, contract.table, written),
                    check_results=run_checks(opened.lake, contract, written),
                )

    return tables


def act(node: StepNode, opened: OpenLake) -> Written:
    """Does the node's steps in order; what they did together."""
    done: Sequence[Written] = [do_step(opened.lake, step, opened.as_of) for step in node.steps]
    dates = sorted({day for written in done for day in written.dates})
    versions = [written.version for written in done if written.version is not None]
    rows, rejected = sum(written.rows for written in done), sum(written.rejected for written in done)
    return Written(rows, dates, max(versions, default=None), rejected)
