"""Runs that were going on when their processes were ended: Dagster itself would wait for them for ever."""

from pathlib import Path

_MESSAGE = "the process of this run was ended with its server; the run is begun again"


def close_interrupted_runs(home: Path) -> int:
    """Marks as failed what the last server left unfinished, so that the daemon begins it again; how many there were.

    To be called while nothing runs over ``home``.
    """
    from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

    unfinished = [
        DagsterRunStatus.NOT_STARTED,
        DagsterRunStatus.STARTING,
        DagsterRunStatus.STARTED,
        DagsterRunStatus.CANCELING,
    ]
    with DagsterInstance.from_config(str(home)) as instance:
        runs = instance.get_runs(RunsFilter(statuses=unfinished))
        for run in runs:
            if run.status is DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run)
            else:
                instance.report_run_failed(run, _MESSAGE)
        return len(runs)
