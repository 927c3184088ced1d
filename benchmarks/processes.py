"""A command as a process of its own: how long it took, what it printed, how much memory its tree held."""

import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
_EVERY_SECONDS = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Done:
    """``peak_bytes``: the larger of the tree's sampled sum of RSS and the kernel's own peak of the process.

    ``seconds`` are those of the clock, ``cpu_seconds`` those of all cores.
    """

    output: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    processes: int


def run(*arguments: str) -> Done:
    """Runs ``python ARGUMENTS`` in the checkout. Raises SystemExit with its output where it fails."""
    with tempfile.TemporaryFile("w+") as output:
        begun = perf_counter()
        child = subprocess.Popen(
            [sys.executable, *arguments], stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=_environment()
        )
        watch = _Watch(child.pid)
        watch.start()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        watch.stop()
        output.seek(0)
        text = output.read()
    if child.returncode:
        sys.exit(f"{' '.join(arguments)} ended with {child.returncode}:\n{text}")
    peak = max(watch.peak_bytes, usage.ru_maxrss * 1024)
    return Done(text, seconds, usage.ru_utime + usage.ru_stime, peak, watch.processes)


def _environment() -> dict[str, str]:
    """As on a user's machine: compiled modules are kept, and Dagster tells nobody."""
    known = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return known | {"DAGSTER_DISABLE_TELEMETRY": "yes"}


class _Watch(threading.Thread):
    """Samples the resident memory of a process and all below it."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self.peak_bytes = 0
        self.processes = 0

    def run(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            found = tree(self._pid)
            self.processes = max(self.processes, len(found))
            self.peak_bytes = max(self.peak_bytes, sum(resident_bytes(pid) for pid in found))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in _read(children).split()]
    return found


def resident_bytes(pid: int) -> int:
    """Resident memory of one process, 0 where it has ended."""
    fields = _read(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * _PAGE if fields else 0


def _read(path: Path) -> str:
    """Nothing where the process has ended meanwhile."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
