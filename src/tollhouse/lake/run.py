"""The road as a list of steps, in the order in which tables feed each other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

import duckdb
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from tollhouse.errors import ConcurrentWriteError, LakeError
from tollhouse.lake.bronze.batch import finish_batches
from tollhouse.lake.bronze.objects import ingest_sources
from tollhouse.lake.bronze.segments import ingest_spool
from tollhouse.lake.engine import Written
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.lookups import refresh_matches, refresh_prices, refresh_principals
from tollhouse.lake.pending import expire, resolve_pending
from tollhouse.lake.reconciliation import reconcile
from tollhouse.lake.transform import merge_new, replace_dates


@dataclass(frozen=True)
class Step:
    """One step of the road: ``tables`` are those it writes, ``act`` does it as of a moment.

    A step without a table of its own ``amends`` one: whoever reads that table waits for both.
    """

    name: str
    tables: Sequence[str]
    act: Callable[[Lakehouse, datetime], Written]
    job: str = "transform"
    amends: str | None = None


@dataclass(frozen=True)
class StepReport:
    """What a step did, and how long it took in seconds."""

    step: str
    written: Written
    seconds: float


def _ingest(lake: Lakehouse, as_of: datetime) -> Written:
    with lake.lock("bronze"):
        finish_batches(lake)
        own = ingest_spool(lake, as_of)
        other = ingest_sources(lake, as_of)
    return Written(own.rows + other.rows, (), None, own.rejected + other.rejected)


def _merging(table: str) -> Step:
    return Step(table, [table], lambda lake, _: merge_new(lake, table))


def _replacing(table: str) -> Step:
    return Step(table, [table], lambda lake, _: replace_dates(lake, table))


BRONZE = ("bronze.raw_records", "bronze.rejected_records", "bronze.source_objects")
STEPS: Sequence[Step] = (
    Step("bronze", BRONZE, _ingest, job="ingest"),
    Step("silver.principals", ["silver.principals"], lambda lake, _: refresh_principals(lake)),
    Step("silver.invocations", ["silver.invocations", "silver.rejected_records"],
         lambda lake, as_of: merge_new(lake, "silver.invocations", lambda: expire(lake, as_of))),
    _merging("silver.payloads"),
    _merging("silver.guardrail_checks"),
    Step("resolve_pending", [], resolve_pending, amends="silver.invocations"),
    Step("silver.prices", ["silver.prices"], lambda lake, _: refresh_prices(lake)),
    Step("silver.price_matches", ["silver.price_matches"], lambda lake, _: refresh_matches(lake)),
    _merging("gold.costs"),
    _replacing("gold.usage_hourly"),
    _replacing("gold.cost_attribution_daily"),
    _replacing("gold.cost_by_tag_daily"),
    _replacing("gold.endpoint_health_hourly"),
    _replacing("gold.guardrail_hits"),
    Step("gold.reconciliation", ["gold.reconciliation"], lambda lake, _: reconcile(lake)),
)  # fmt: skip


@retry(
    retry=retry_if_exception_type(ConcurrentWriteError),
    wait=wait_random_exponential(multiplier=0.1, max=5),
    stop=stop_after_attempt(8),
    reraise=True,
)
def do_step(lake: Lakehouse, step: Step, as_of: datetime) -> Written:
    """Does one step; where another writer was faster it reads the watermark again and retries, with jitter."""
    try:
        return step.act(lake, as_of)
    except duckdb.OutOfMemoryException as error:
        raise LakeError(
            f"{step.name}: a batch does not fit into engine.memory ({lake.settings.engine.memory})",
            hint="set engine.memory higher, or engine.batch_mib lower, and run again; what was committed stays",
        ) from error


def run_steps(lake: Lakehouse, as_of: datetime, *, job: str | None = None) -> Iterator[StepReport]:
    """Does the steps in order (of one job only, where named), reporting each as it ends."""
    for step in STEPS:
        if job in (None, step.job):
            begun = perf_counter()
            written = do_step(lake, step, as_of)
            yield StepReport(step.name, written, perf_counter() - begun)
