"""The sensor that starts a run for what has arrived."""

from datetime import UTC, datetime

import dagster as dg

from pipelines.queue import is_queued
from tollhouse.orchestration.arrivals import Seen, look
from tollhouse.settings import Settings

SECONDS_BETWEEN_LOOKS = 20


def arrivals_sensor(settings: Settings) -> dg.SensorDefinition:
    """Watches the spool for sealed segments and the sources for new or changed files; one run for all that is new."""

    @dg.sensor(
        name="arrivals",
        job_name="all",
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def arrivals(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        found = look(settings, Seen.decode(context.cursor), datetime.now(UTC))
        for problem in found.problems:
            context.log.warning(problem)
        cursor = found.seen.encode()
        if not found.new:
            return dg.SensorResult(skip_reason="nothing has arrived", cursor=cursor)
        # Asked after the look: a run that has still to begin will list everything that was there to be seen.
        if is_queued(context.instance, "all"):
            return dg.SensorResult(skip_reason="a run that is waiting already will read what arrived", cursor=cursor)
        tags = {"tollhouse/arrived": ", ".join(found.new)[:200]}
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=found.run_key, tags=tags)], cursor=cursor)

    return arrivals
