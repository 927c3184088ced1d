import os
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from tollhouse.orchestration.home import prepare
from tollhouse.settings import Settings


@pytest.fixture
def settings(settings_over: Callable[[Path], Settings], tmp_path: Path) -> Settings:
    return settings_over(tmp_path / "spool")


def look(settings: Settings, cursor: str | None) -> dg.SensorResult:
    from pipelines.sensors import arrivals_sensor

    with dg.DagsterInstance.from_config(str(prepare(settings))) as instance:
        result = arrivals_sensor(settings)(dg.build_sensor_context(instance=instance, cursor=cursor))
    assert isinstance(result, dg.SensorResult)
    return result


def drop(settings: Settings, name: str, *, minutes_ago: float) -> None:
    file = settings.path("logs") / name
    file.write_text("{}\n")
    moment = time.time() - 60 * minutes_ago
    os.utime(file, (moment, moment))


def test_nothing_starts_no_run(settings: Settings) -> None:
    result = look(settings, None)

    assert result.skip_reason is not None
    assert not result.run_requests


def test_a_file_starts_one_run_once_it_has_rested_for_a_minute(settings: Settings) -> None:
    drop(settings, "calls.jsonl", minutes_ago=0.5)
    waiting = look(settings, None)
    drop(settings, "calls.jsonl", minutes_ago=2)
    started = look(settings, waiting.cursor)
    again = look(settings, started.cursor)

    assert not waiting.run_requests
    assert [request.tags for request in started.run_requests or []] == [{"tollhouse/arrived": "source proxy"}]
    assert not again.run_requests


def test_a_look_that_is_repeated_asks_for_the_same_run(settings: Settings) -> None:
    drop(settings, "calls.jsonl", minutes_ago=2)
    first, second = look(settings, None), look(settings, None)

    assert [r.run_key for r in first.run_requests or []] == [r.run_key for r in second.run_requests or []]
