import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from tollhouse.orchestration.home import prepare
from tollhouse.settings import Settings

TICK = dt.datetime(2026, 3, 10, 12, 5, tzinfo=dt.UTC)


def transform() -> dg.ScheduleDefinition:
    from pipelines.schedules import schedules

    return next(schedule for schedule in schedules() if schedule.job_name == "transform")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(prepare(Settings(root=str(tmp_path))))) as opened:
        yield opened


def test_a_run_works_as_of_the_tick_that_asked_for_it(instance: dg.DagsterInstance) -> None:
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=TICK)
    [request] = transform().evaluate_tick(context).run_requests or []

    assert request.run_config == {"resources": {"lake": {"config": {"as_of": "2026-03-10T12:05:00+00:00"}}}}


def test_no_second_run_waits_behind_one_that_has_not_begun(instance: dg.DagsterInstance) -> None:
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("tollhouse"), "__repository__")
    origin = RemoteJobOrigin(repository, "transform")
    instance.create_run_for_job(_nothing_yet, status=dg.DagsterRunStatus.QUEUED, remote_job_origin=origin)
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=TICK)
    tick = transform().evaluate_tick(context)

    assert not tick.run_requests
    assert tick.skip_message == "a run of transform is waiting already, and will do this one's work"


@dg.job(name="transform")
def _nothing_yet() -> None:
    pass


def test_a_time_without_offset_is_utc() -> None:
    from pipelines.resources import parse_as_of

    assert parse_as_of("2026-03-10T12:05:00") == TICK
    assert parse_as_of("2026-03-10T13:05:00+01:00") == TICK
