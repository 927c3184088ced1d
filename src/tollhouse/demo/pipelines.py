"""The project's own Dagster job, run in this process."""

import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from tollhouse.errors import LakeError
from tollhouse.project import project_dir
from tollhouse.settings import Settings

JOB = "all"
_QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Materialized:
    """An asset that the job has brought up to date: its rows in all and the version of its Delta table."""

    table: str
    rows: int
    version: int


class Pipelines:
    """The job ``all`` over the lake of ``settings``. Loading Dagster takes seconds, all of them spent here."""

    def __init__(self, settings: Settings) -> None:
        os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
        self._job = _build(settings).resolve_job_def(JOB)
        self._instance = dg.DagsterInstance.ephemeral()

    def run(self) -> Iterator[Materialized]:
        """What became of each asset. Raises LakeError where the job failed."""
        with self._instance as instance:
            result = self._job.execute_in_process(run_config=_QUIET, instance=instance, raise_on_error=False)
        if not result.success:
            raise LakeError(f"the job {JOB} failed: {_reason(result)}", hint="run it again: nothing is read twice")
        for event in result.get_asset_materialization_events():
            found = event.materialization
            rows, version = (int(str(found.metadata[name].value)) for name in ("dagster/row_count", "delta_version"))
            yield Materialized(".".join(found.asset_key.path), rows, version)


def _build(settings: Settings) -> dg.Definitions:
    """By name, since the code location is the project's and not the package's."""
    folder = str(project_dir(Path(settings.root)))
    if folder not in sys.path:
        sys.path.insert(0, folder)
    definitions: dg.Definitions = importlib.import_module("pipelines.definitions").build(settings)
    return definitions


def _reason(result: dg.ExecuteInProcessResult) -> str:
    """The message at the bottom of the first failure that Dagster reports."""
    for event in result.all_events:
        data: Any = event.event_specific_data
        error: Any = getattr(data, "error", None) if event.is_failure else None
        while error and error.cause:
            error = error.cause
        if error:
            return error.message.strip()
    return "it says not why"
