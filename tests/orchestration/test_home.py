from pathlib import Path

import pytest
import yaml

from tollhouse.errors import SettingsError
from tollhouse.orchestration.home import note_holders, prepare, serving_lock
from tollhouse.orchestration.interrupted import close_interrupted_runs
from tollhouse.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return prepare(Settings(root=str(tmp_path)))


def test_the_home_lies_in_the_state_folder_with_telemetry_off(home: Path, tmp_path: Path) -> None:
    assert home == tmp_path / ".tollhouse" / "dagster"
    assert yaml.safe_load((home / "dagster.yaml").read_text())["telemetry"] == {"enabled": False}


def test_a_dagster_yaml_that_is_there_stays(home: Path, tmp_path: Path) -> None:
    (home / "dagster.yaml").write_text("telemetry: {enabled: true}\n")
    prepare(Settings(root=str(tmp_path)))

    assert (home / "dagster.yaml").read_text() == "telemetry: {enabled: true}\n"


def test_a_lake_is_served_once_and_the_second_is_told_by_whom(home: Path) -> None:
    with serving_lock(home) as lock:
        note_holders(lock, [11, 12])
        with pytest.raises(SettingsError, match="served already") as caught, serving_lock(home):
            pass
    with serving_lock(home):
        pass

    assert "kill 11 12" in str(caught.value)


def test_runs_that_ended_with_their_server_are_failed_so_that_they_are_begun_again(home: Path) -> None:
    from dagster import DagsterInstance, DagsterRunStatus, job

    @job(name="all")
    def nothing() -> None:
        pass

    with DagsterInstance.from_config(str(home)) as instance:
        runs = {
            status: instance.create_run_for_job(nothing, status=status).run_id
            for status in (DagsterRunStatus.STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.SUCCESS)
        }
    closed = close_interrupted_runs(home)
    with DagsterInstance.from_config(str(home)) as instance:
        now = {status: instance.get_run_by_id(run_id) for status, run_id in runs.items()}

    assert closed == 2
    assert {status.value: run.status.value for status, run in now.items() if run} == {
        "STARTED": "FAILURE",
        "STARTING": "FAILURE",
        "SUCCESS": "SUCCESS",
    }
