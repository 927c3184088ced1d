"""When jobs run unasked. A run works as of its tick, not as of the moment when the queue lets it start."""

from collections.abc import Sequence

import dagster as dg

from pipelines.queue import is_queued
from pipelines.resources import run_config


def schedules() -> Sequence[dg.ScheduleDefinition]:
    """All schedules, switched on."""
    return [
        _schedule("transform_every_five_minutes", "*/5 * * * *", "transform"),
        _schedule("all_hourly", "7 * * * *", "all"),
        _schedule("maintenance_daily", "37 3 * * *", "maintenance"),
    ]


def _schedule(name: str, cron: str, job: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job_name=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if is_queued(context.instance, job):
            return dg.SkipReason(f"a run of {job} is waiting already, and will do this one's work")
        return dg.RunRequest(run_config=run_config(context.scheduled_execution_time))

    return tick
