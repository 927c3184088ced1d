"""Runs that have still to begin: they will do whatever is there to be done then."""

import dagster as dg


def is_queued(instance: dg.DagsterInstance, job: str) -> bool:
    """Whether a run of ``job`` is waiting for its turn."""
    return instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.QUEUED])) > 0
