import datetime as dt
from pathlib import Path

from dagster import DagsterInstance, DagsterRunStatus, job

from tollhouse.orchestration.history import forget_runs
from tollhouse.orchestration.home import prepare
from tollhouse.settings import Settings


@job(name="all")
def nothing() -> None:
    pass


def test_runs_that_ended_more_than_three_days_ago_are_forgotten_with_their_files(tmp_path: Path) -> None:
    home = prepare(Settings(root=str(tmp_path)))
    now = dt.datetime.now(dt.UTC)
    with DagsterInstance.from_config(str(home)) as instance:
        ended = nothing.execute_in_process(instance=instance).run_id
        going = instance.create_run_for_job(nothing, status=DagsterRunStatus.STARTED).run_id
        soon = forget_runs(instance, now + dt.timedelta(days=2))
        late = forget_runs(instance, now + dt.timedelta(days=4))

        assert (soon, late) == (0, 1)
        assert [run.run_id for run in instance.get_runs()] == [going]
    assert not (home / "history" / "runs" / f"{ended}.db").exists()
