"""The servers as a user starts them: real processes on free ports, ended by every test."""

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus
from processes import has_ended

from tollhouse.demo.spooling import write_spool
from tollhouse.errors import SettingsError
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.orchestration.home import home_of
from tollhouse.orchestration.serving import serve
from tollhouse.settings import ENVIRONMENT_VARIABLE, Settings, load_settings

PATIENCE_SECONDS = 240
ENDED = {DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "tollhouse.yml"
    file.write_text("sources:\n- {name: proxy, format: litellm, path: logs}\n")
    (tmp_path / "logs").mkdir()
    return load_settings(str(file))


def running(settings: Settings) -> "subprocess.Popen[str]":
    code = "import sys; from tollhouse.cli import main; sys.exit(main(['serve', 'pipelines', '--port', '0']))"
    environment = os.environ | {ENVIRONMENT_VARIABLE: str(settings.file)}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        cwd=settings.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@contextmanager
def served(settings: Settings) -> Iterator[list[int]]:
    """``serve pipelines`` from its greeting to its end by SIGTERM; yields the ids of its processes."""
    with running(settings) as process:
        try:
            assert process.stdout is not None
            greeting = next((line for line in process.stdout if line.startswith("Serving pipelines at http://")), None)
            assert greeting is not None
            yield [int(pid) for pid in (home_of(settings) / "serve.lock").read_text().split()]
            assert process.poll() is None
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=120)
    assert process.returncode == 0


def drop_calls(settings: Settings, seed: int) -> int:
    """A worker's spool, moved into place as a whole; how many calls it holds."""
    aside = settings.path("aside")
    ledger = write_spool(aside, calls=40, days=1, seed=seed, end=dt.datetime.now(dt.UTC), workers=1)
    settings.spool_dir.mkdir(exist_ok=True)
    (aside / "slot-0").rename(settings.spool_dir / f"slot-{seed}")
    return ledger.calls


def drop_file(settings: Settings, name: str) -> int:
    """A LiteLLM object with one call that has rested for two minutes."""
    now = dt.datetime.now(dt.UTC).timestamp()
    payload = {
        "id": f"chatcmpl-{name}",
        "call_type": "acompletion",
        "status": "success",
        "startTime": now - 130,
        "endTime": now - 129,
        "custom_llm_provider": "openai",
        "model": "gpt-4o-mini",
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "metadata": {"user_api_key_user_id": "ana@example.com"},
    }
    file = settings.path("logs") / f"{name}.json"
    file.write_text(json.dumps(payload))
    os.utime(file, (now - 120, now - 120))
    return 1


def calls_in_gold(settings: Settings) -> int:
    with Lakehouse(settings) as lake:
        if not lake.exists("gold.usage_hourly"):
            return 0
        query = f"SELECT coalesce(sum(calls), 0)::BIGINT FROM {lake.relation('gold.usage_hourly')}"
        return (lake.connection.execute(query).fetchone() or (0,))[0]


def statuses(settings: Settings) -> list[DagsterRunStatus]:
    with DagsterInstance.from_config(str(home_of(settings))) as instance:
        return [run.status for run in instance.get_runs()]


def sensor_runs(settings: Settings) -> list[str]:
    with DagsterInstance.from_config(str(home_of(settings))) as instance:
        runs = [run for run in instance.get_runs() if run.parent_run_id is None]
        return [run.tags["dagster/run_key"] for run in runs if "dagster/sensor_name" in run.tags]


def wait_for(settings: Settings, calls: int) -> None:
    """Returns once gold holds ``calls`` calls; a run that makes it hold more is caught by what follows."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while calls_in_gold(settings) < calls:
        assert time.monotonic() < deadline, (calls, calls_in_gold(settings), statuses(settings))
        time.sleep(1)


def wait_until_idle(settings: Settings) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not set(statuses(settings)) <= ENDED:
        assert time.monotonic() < deadline, statuses(settings)
        time.sleep(1)


@pytest.mark.proof
def test_what_is_dropped_into_running_pipelines_reaches_gold_unaided_once_and_across_a_restart(
    settings: Settings,
) -> None:
    with served(settings) as first:
        calls = drop_calls(settings, 1) + drop_file(settings, "a")
        wait_for(settings, calls)
        calls += drop_calls(settings, 2)
    assert [pid for pid in first if not has_ended(pid)] == []
    calls += drop_file(settings, "b")
    with served(settings) as second:
        wait_for(settings, calls)
        calls += drop_calls(settings, 3) + drop_file(settings, "c")
        wait_for(settings, calls)
        wait_until_idle(settings)
    assert [pid for pid in second if not has_ended(pid)] == []

    keys = sensor_runs(settings)
    assert len(keys) == len(set(keys))
    assert calls_in_gold(settings) == calls
    with Lakehouse(settings) as lake:
        invocations = lake.relation("silver.invocations")
        found = lake.connection.execute(f"SELECT count(*), count(DISTINCT invocation_id) FROM {invocations}").fetchone()
        balanced = f"SELECT bool_and(is_balanced) FROM {lake.relation('gold.reconciliation')}"
        assert found == (calls, calls)
        assert lake.connection.execute(balanced).fetchone() == (True,)


@pytest.mark.proof
def test_when_one_process_ends_by_itself_all_end_with_an_error(settings: Settings) -> None:
    with running(settings) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("Serving pipelines at http://") for line in process.stdout)
            pids = [int(pid) for pid in (home_of(settings) / "serve.lock").read_text().split()]
            os.kill(pids[1], signal.SIGKILL)
            process.communicate(timeout=120)
        finally:
            process.terminate()

    assert process.returncode == 1
    assert [pid for pid in pids if not has_ended(pid)] == []


def test_a_port_that_is_taken_is_refused_before_anything_starts(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SettingsError, match="use --port 0"), serve(settings, "127.0.0.1", taken.getsockname()[1]):
            pass
