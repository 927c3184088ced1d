"""The servers of the demo's live calls, as processes of their own."""

import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tollhouse.errors import SettingsError

LOG_FILE = "servers.log"
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.02
_SIMULATED = "Serving simulated providers at "
_GATEWAY = "Serving the gateway at "


@contextmanager
def simulated_providers(folder: Path) -> Generator[str]:
    """Simulated providers on a free port, ended with the block; their URL. Raises SettingsError."""
    with _serving(["serve", "simulated", "--port", "0"], _SIMULATED, folder) as said:
        yield said


@contextmanager
def gateway(settings_file: Path) -> Generator[str]:
    """The gateway of ``settings_file`` once it takes calls, ended with the block; its URL. Raises SettingsError."""
    arguments = ["--config", str(settings_file), "serve", "gateway"]
    with _serving(arguments, _GATEWAY, settings_file.parent) as said:
        url, _, admin = said.partition(", admin at ")
        _await_ready(admin, settings_file.parent)
        yield url


def ledger(url: str) -> dict[str, Any]:
    """The sums of the simulated providers at ``url``, once no call is open there."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        totals: dict[str, Any] = json.loads(_get(url, "/-/ledger?totals=1")[1])
        if not totals["open"] or time.monotonic() > deadline:
            return totals
        time.sleep(_PAUSE_SECONDS)


@contextmanager
def _serving(arguments: list[str], greeting: str, folder: Path) -> Generator[str]:
    command = [sys.executable, "-m", "tollhouse", *arguments]
    with (folder / LOG_FILE).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
    try:
        said = process.stdout.readline() if process.stdout else ""
        if not said.startswith(greeting):
            raise _failed(folder, " ".join(arguments))
        yield said.removeprefix(greeting).strip()
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _await_ready(admin: str, folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(ConnectionError):
            if _get(admin, "/readyz")[0] == HTTPStatus.OK:
                return
        time.sleep(_PAUSE_SECONDS)
    raise _failed(folder, "serve gateway")


def _get(url: str, path: str) -> tuple[int, bytes]:
    """Status and body."""
    with closing(HTTPConnection(url.removeprefix("http://"), timeout=_PATIENCE_SECONDS)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _failed(folder: Path, what: str) -> SettingsError:
    return SettingsError(f"`tollhouse {what}` does not start", hint=f"{folder / LOG_FILE} says why")
