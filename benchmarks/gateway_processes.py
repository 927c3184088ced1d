"""The processes of a measurement, and what the kernel says of their CPU time and memory."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, NoReturn

import msgspec
from gateway_load import Plan, Result
from processes import ROOT, resident_bytes, tree

_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 120.0
_STOP_SECONDS = 20.0


class Process:
    """A server that says in a line that it is ready; ended with all that it started."""

    def __init__(
        self, command: Sequence[str], log: Path, ready: str, environment: Mapping[str, str] | None = None
    ) -> None:
        """Raises SystemExit with its log where it ends before a line of it matches ``ready``."""
        self._log = log
        with log.open("wb") as file:
            self._child = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        self.greeting = self._await(re.compile(ready))

    @property
    def pids(self) -> list[int]:
        return tree(self._child.pid)

    def await_ok(self, url: str) -> None:
        """Return once ``url`` answers 200. Raises SystemExit with the log where it does not."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._child.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as response:
                if response.status == HTTPStatus.OK:
                    return
            time.sleep(0.05)
        self._give_up()

    def cpu_seconds(self) -> float:
        """User and system time of all its processes so far, ended ones too."""
        return sum(_cpu_ticks(pid) for pid in self.pids) / _TICKS

    def resident_bytes(self) -> int:
        return sum(resident_bytes(pid) for pid in self.pids)

    def stop(self) -> None:
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def _await(self, ready: re.Pattern[str]) -> re.Match[str]:
        deadline = time.monotonic() + _START_SECONDS
        found = None
        while time.monotonic() < deadline:
            is_ended = self._child.poll() is not None
            found = ready.search(self._log.read_text(errors="replace"))
            if found or is_ended:
                break
            time.sleep(0.05)
        return found or self._give_up()

    def _give_up(self) -> NoReturn:
        self.stop()
        sys.exit(f"{self._log.stem} did not start:\n{self._log.read_text(errors='replace')[-3000:]}")


@contextlib.contextmanager
def running(process: Process) -> Iterator[Process]:
    try:
        yield process
    finally:
        process.stop()


def upstream(folder: Path) -> tuple[Process, int]:
    """The provider, and its port."""
    found = Process(
        [sys.executable, str(ROOT / "benchmarks" / "gateway_upstream.py")], folder / "upstream.log", r"^(\d+)\n"
    )
    return found, int(found.greeting[1])


@dataclass(frozen=True)
class Measured:
    """One load: what its clients saw, and the CPU seconds that the server took while it was counted."""

    result: Result
    cpu_seconds: float

    @property
    def cpu_us_a_call(self) -> float:
        return self.cpu_seconds / max(1, self.result.calls) * 1e6

    @property
    def cpu_us_an_event(self) -> float:
        return self.cpu_seconds / max(1, self.result.events) * 1e6

    @property
    def calls_a_second(self) -> float:
        return self.result.calls / self.result.seconds


def load(plan: Plan, server: Process | None = None) -> Measured:
    """Sends the load in a process of its own. Raises SystemExit where a call failed."""
    with _load(plan) as (_, output):
        _expect(output, "counting")
        before = server.cpu_seconds() if server else 0.0
        _expect(output, "counted")
        after = server.cpu_seconds() if server else 0.0
        result = msgspec.json.decode(output.readline(), type=Result)
    if result.failures or not result.calls:
        sys.exit(f"{result.failures} of {result.calls} calls to {plan.path} failed: {result.failure}")
    return Measured(result, after - before)


@contextlib.contextmanager
def held_open(plan: Plan) -> Iterator[None]:
    """As many streams as the plan has connections, each with its first event, until the block ends."""
    with _load(plan) as (lines, output):
        _expect(output, "open")
        yield
        lines.write("\n")
        lines.flush()


@contextlib.contextmanager
def _load(plan: Plan) -> Iterator[tuple[IO[str], IO[str]]]:
    command = [sys.executable, str(ROOT / "benchmarks" / "gateway_load.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        if child.stdin is None or child.stdout is None:
            sys.exit("the load has no pipes")
        child.stdin.write(msgspec.json.encode(plan).decode() + "\n")
        child.stdin.flush()
        try:
            yield child.stdin, child.stdout
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_STOP_SECONDS)
            child.kill()


def _expect(output: IO[str], word: str) -> None:
    line = output.readline().strip()
    if line != word:
        sys.exit(f"the load said {line!r} and not {word!r}")


def _cpu_ticks(pid: int) -> int:
    """Of a process and of those of its children that it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(field) for field in fields[11:15])
