"""Dagster's webserver and daemon over one lake, both on one code server: three processes, and one a run."""

import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tollhouse.errors import SettingsError
from tollhouse.orchestration.children import Children, ServingError
from tollhouse.orchestration.home import LOCATION, note_holders, prepare, serving_lock, write_workspace
from tollhouse.orchestration.interrupted import close_interrupted_runs
from tollhouse.orchestration.webserver import Location, ask
from tollhouse.project import project_dir
from tollhouse.settings import ENVIRONMENT_VARIABLE, Settings

_T = TypeVar("_T")
_START_SECONDS = 180.0
_STEP_SECONDS = 0.2


@dataclass(frozen=True)
class Server:
    """What runs: where its pages are, what is switched on, and how many runs of the last server are begun again."""

    url: str
    home: Path
    location: Location
    resumed: int
    children: Children

    def watch(self) -> None:
        """Returns never; raises ServingError when one of the processes ends by itself."""
        while True:
            self.children.check()
            time.sleep(1)


@contextmanager
def serve(settings: Settings, host: str, port: int) -> Generator[Server]:
    """Starts everything and yields once the code location is loaded; ends every process on the way out.

    Port 0 takes a free one. Raises SettingsError for a port that is taken or a lake that is served already,
    ServingError where a process ends or does not come up.
    """
    home = prepare(settings)
    with serving_lock(home) as lock, tempfile.TemporaryDirectory(prefix="tollhouse-") as sockets:
        url = f"http://{host}:{_free_port(host, port)}"
        children = Children(_environment(settings, home), Path(settings.root), [lock.fileno()])
        try:
            server = _start(children, settings, home, url, Path(sockets) / "code")
            note_holders(lock, [child.process.pid for child in children.started])
            yield server
        finally:
            children.end()


def _start(children: Children, settings: Settings, home: Path, url: str, code: Path) -> Server:
    project = project_dir(Path(settings.root))
    # Before any child: two processes that create Dagster's SQLite files at once leave them unusable.
    resumed = close_interrupted_runs(home)
    # Killed outright: a run that is interrupted politely counts as cancelled, and nobody begins it again.
    children.start("code server", _code_server(project, code), is_killed_at_once=True)
    _wait(children, "code server", lambda: _answers(code) or None)
    _start_dagster(children, str(write_workspace(home, code)), *url.removeprefix("http://").rsplit(":", 1))
    location = _wait(children, "webserver", lambda: ask(url))
    if location.error:
        raise ServingError(f"the code location in {project / 'pipelines'} cannot be loaded: {location.error}")
    return Server(url, home, location, resumed, children)


def _start_dagster(children: Children, workspace: str, host: str, port: str) -> None:
    webserver = ["dagster_webserver", "-w", workspace, "-h", host, "-p", port, "--dagster-log-level", "warning"]
    daemon = ["dagster._daemon", "run", "-w", workspace, "--log-level", "warning"]
    children.start("webserver", [sys.executable, "-m", *webserver])
    children.start("daemon", [sys.executable, "-m", *daemon])


def _code_server(project: Path, code: Path) -> list[str]:
    file = str(project / "pipelines" / "definitions.py")
    return [
        *(sys.executable, "-m", "dagster", "api", "grpc", "--socket", str(code), "--python-file", file),
        *("--working-directory", str(project), "--location-name", LOCATION, "--log-level", "warning"),
    ]


def _environment(settings: Settings, home: Path) -> dict[str, str]:
    named = {ENVIRONMENT_VARIABLE: settings.file} if settings.file else {}
    return os.environ | named | {"DAGSTER_HOME": str(home)}


def _free_port(host: str, port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror}", hint="use --port 0") from error
        return int(probe.getsockname()[1])


def _answers(code: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(code))
        except OSError:
            return False
        return True


def _wait(children: Children, name: str, probe: Callable[[], _T | None]) -> _T:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        children.check()
        found = probe()
        if found is not None:
            return found
        time.sleep(_STEP_SECONDS)
    raise ServingError(f"the {name} did not answer within {_START_SECONDS:.0f} seconds", hint="start it again")
