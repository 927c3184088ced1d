"""Dagster's home in the state folder: its instance's settings, its workspace, and the lock of whoever serves it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
        "concurrency": {"runs": {"tag_concurrency_limits": [{"key": LAKE_TAG, "limit": 1}]}},
        "run_retries": {"enabled": True, "max_retries": 3, "retry_on_asset_or_op_failure": False},
        "retention": {"schedule": kept, "sensor": kept},
    }


@contextmanager
def serving_lock(home: Path) -> Iterator[int]:
    """Held while the lake is served; yields a descriptor for the children, which hold it for as long as they live.

    Two daemons over one home would launch each run twice. Raises SettingsError where somebody else holds it.
    """
    with (home / "serve.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingsError(
                f"the pipelines of {home} are being served already",
                hint="end the other `serve pipelines` (and what it may have left running), or set another `state:`",
            ) from error
        yield file.fileno()
