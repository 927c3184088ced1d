"""How long Dagster remembers its runs."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

KEPT = timedelta(days=3)


def forget_runs(instance: "DagsterInstance", now: datetime) -> int:
    """Deletes what ended and was last touched more than three days before ``now``; how many runs that were."""
    from dagster import DagsterRunStatus, RunsFilter

    ended = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
    runs = instance.get_runs(RunsFilter(statuses=ended, updated_before=now - KEPT))
    for run in runs:
        instance.delete_run(run.run_id)
        if not instance.is_ephemeral:
            # SQLite keeps one file a run, which Dagster empties and leaves behind.
            (Path(instance.root_directory) / "history" / "runs" / f"{run.run_id}.db").unlink(missing_ok=True)
    return len(runs)
