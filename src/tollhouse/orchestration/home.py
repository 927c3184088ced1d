"""Dagster's home in the state folder: its instance's settings, its workspace, and the lock of whoever serves it."""

import fcntl
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import yaml

from tollhouse.errors import SettingsError, StorageError
from tollhouse.settings import Settings

LAKE_TAG = "tollhouse/lake"
LOCATION = "tollhouse"


def home_of(settings: Settings) -> Path:
    """Where Dagster keeps runs, cursors and logs of this lake."""
    return settings.state_dir / "dagster"


def prepare(settings: Settings) -> Path:
    """Makes the home; a ``dagster.yaml`` that is there stays as its owner wrote it. Raises StorageError."""
    home = home_of(settings)
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists():
            (home / "dagster.yaml").write_text(yaml.safe_dump(_instance(home), sort_keys=False))
    except OSError as error:
        raise StorageError(f"cannot write {home}: {error}", hint="set `state:` to a folder you own") from error
    return home


def write_workspace(home: Path, socket: Path) -> Path:
    """The workspace of webserver and daemon: one code server that both share."""
    file = home / "workspace.yaml"
    server = {"socket": str(socket), "location_name": LOCATION}
    file.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
    return file


def _instance(home: Path) -> dict[str, Any]:
    """SQLite, no telemetry, one run of the lake at a time; a run that died with its process is begun again."""
    kept = {"purge_after_days": {"skipped": 1, "failure": 30, "success": 7, "started": 7}}
    return {
        "storage": {"sqlite": {"base_dir": str(home)}},
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        # Capturing a run's output would take four processes more; steps write to Dagster's own log.
        "compute_logs": {
            "module": "dagster._core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
        },
        "python_logs": {"python_log_level": "INFO"},
        "concurrency": {"runs": {"tag_concurrency_limits": [{"key": LAKE_TAG, "limit": 1}]}},
        "run_retries": {"enabled": True, "max_retries": 3, "retry_on_asset_or_op_failure": False},
        "retention": {"schedule": kept, "sensor": kept},
    }


@contextmanager
def serving_lock(home: Path) -> Generator[TextIO]:
    """Held while the lake is served; yields the file for the children, which hold it for as long as they live.

    Two daemons over one home would launch each run twice. Raises SettingsError where somebody else holds it.
    """
    with (home / "serve.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise SettingsError(
                f"the pipelines of {home} are being served already",
                hint=f"end the other `serve pipelines`; where that was killed, what it left: kill {file.read()}",
            ) from error
        yield file


def note_holders(lock: TextIO, pids: Sequence[int]) -> None:
    """Writes into the lock who holds it."""
    lock.truncate(0)
    lock.write(" ".join(str(pid) for pid in pids))
    lock.flush()
