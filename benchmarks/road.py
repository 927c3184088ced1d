"""Log → gold from an empty lake by ``tollhouse run`` in a process of its own, beside the floor."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from logs import Log
from processes import Done, run

_STEP = re.compile(r"^(\S+) +([\d,]+) +([\d,]+) +(\d+\.\d+)$", re.MULTILINE)
_DAGSTER = """
from time import perf_counter
begun = perf_counter()
from pipelines.definitions import build
from tollhouse.settings import load_settings
build(load_settings({settings!r})).resolve_job_def("all")
print(perf_counter() - begun)
"""


@dataclass(frozen=True)
class Road:
    """The best of several runs: ``steps`` in seconds, ``peak_bytes`` the largest of all runs.

    ``cpu`` are the seconds of all cores, of the floor and of the run: other work on the machine changes them less.
    """

    log: Log
    floor_seconds: float
    run_seconds: float
    cpu: tuple[float, float]
    steps: Mapping[str, float]
    peak_bytes: int
    processes: int
    floor_peak_bytes: int

    @property
    def ratio(self) -> float:
        """The whole command, the interpreter's start included, over the floor's one statement."""
        return self.run_seconds / self.floor_seconds


def travel(log: Log, folder: Path, repeat: int) -> Road:
    """Measures ``log`` ``repeat`` times, floor and road in turns; the last lake stays under ``folder``."""
    floors, runs = list[Done](), list[Done]()
    for _ in range(repeat):
        floors.append(run("benchmarks/floor.py", str(log.spool), str(folder / "floor")))
        shutil.rmtree(folder / "floor")
        runs.append(_run(log, folder))
    times = [tuple(map(float, done.output.splitlines()[-1].split())) for done in floors]
    best = min(runs, key=lambda done: done.seconds)
    return Road(
        log=log,
        floor_seconds=min(clock for clock, _ in times),
        run_seconds=best.seconds,
        cpu=(min(cpu for _, cpu in times), min(done.cpu_seconds for done in runs)),
        steps={name: float(seconds) for name, _, _, seconds in _STEP.findall(best.output)},
        peak_bytes=max(done.peak_bytes for done in runs),
        processes=max(done.processes for done in runs),
        floor_peak_bytes=max(done.peak_bytes for done in floors),
    )


def settings_file(folder: Path, spool: Path) -> Path:
    """A settings file for an empty lake under ``folder`` that reads ``spool``."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    file = folder / "tollhouse.yml"
    file.write_text(f"lake: lake\nstate: state\nspool:\n  path: {spool.resolve()}\n")
    return file


def _run(log: Log, folder: Path) -> Done:
    file = settings_file(folder / "lake", log.spool)
    return run("-m", "tollhouse", "--config", str(file), "run", "--as-of", log.as_of.isoformat())


def dagster_seconds(file: Path) -> float:
    """What it takes to load the Dagster job, which ``tollhouse run`` does not need."""
    return float(run("-c", _DAGSTER.format(settings=str(file))).output.splitlines()[-1])


def road_lines(road: Road) -> list[str]:
    """The road's times, and each step's share of the whole."""
    spent = sum(road.steps.values())
    size = road.log.facts.log_bytes / 1e6
    floor, whole = road.floor_seconds, road.run_seconds
    lines = [
        f"floor: {floor:.2f} s, {size / floor:,.0f} MB/s, peak {road.floor_peak_bytes >> 20:,} MiB",
        f"run:   {whole:.2f} s, {size / whole:,.0f} MB/s, peak {road.peak_bytes >> 20:,} MiB, "
        f"processes: {road.processes}; {road.ratio:.2f}x the floor, its steps alone {spent / floor:.2f}x",
        f"CPU:   floor {road.cpu[0]:.2f} s, run {road.cpu[1]:.2f} s with start-up: {road.cpu[1] / road.cpu[0]:.2f}x",
    ]
    return lines + [
        f"  {name:<32} {seconds:>8.2f} s {seconds / whole:>6.1%} of the run {seconds / floor:>6.2f}x the floor"
        for name, seconds in [*road.steps.items(), ("start, imports, end", whole - spent)]
    ]
