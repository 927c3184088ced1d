"""A run killed anywhere and run again gives the lake of a run that nobody disturbed."""

import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from lake.small_lake import AS_OF, SmallLake

SCRIPT = Path(__file__).with_name("killed_run.py")
NORMAL, PROOF, TIMED = 4, 43, 7


@dataclass(frozen=True)
class Undisturbed:
    """What a run without kills met and made: its moments in order, its seconds after the imports, its tables."""

    moments: list[str]
    seconds: float
    contents: dict[str, list[str]]
    versions: dict[str, int]


def start(lake: SmallLake, moment: int) -> "subprocess.Popen[str]":
    command = [sys.executable, str(SCRIPT), str(lake.root / "tollhouse.yml"), AS_OF.isoformat(), str(moment)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def undisturbed(traffic: SmallLake, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    lake = traffic.copy(tmp_path_factory.mktemp("undisturbed") / "lake")
    with start(lake, 0) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        begun = time.monotonic()
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0
    moments = [line for line in lines if not line.startswith("done")]
    return Undisturbed(moments, time.monotonic() - begun, lake.contents(), lake.versions())


def kill_at_moment(lake: SmallLake, moment: int) -> str:
    """The moment at which the run killed itself."""
    with start(lake, moment) as process:
        assert process.stdout
        lines = process.stdout.read().splitlines()
    assert process.returncode == -signal.SIGKILL
    return lines[-1]


def kill_after(lake: SmallLake, seconds: float) -> str:
    with start(lake, 0) as process:
        assert process.stdout
        process.stdout.readline()
        time.sleep(seconds)
        process.kill()
    return f"{seconds:.2f} s"


def check(lake: SmallLake, moment: str, whole: Undisturbed) -> bool:
    """Runs again to the end and compares; whether the kill fell between the first and the last commit."""
    met = lake.versions()
    print(f"killed {moment}: {met}")
    lake.run()
    assert lake.contents() == whole.contents, moment
    assert lake.rows("SELECT count(*), count(DISTINCT invocation_id) FROM {silver.invocations}") == [(155, 155)]
    assert lake.rows("SELECT bool_and(is_balanced) FROM {gold.reconciliation}") == [(True,)]
    is_begun = any(version > 0 for version in met.values())
    return is_begun and any(met.get(table, -1) < version for table, version in whole.versions.items())


def spread(count: int, whole: Undisturbed) -> list[int]:
    """So many moments, evenly from the first write to the last."""
    last = len(whole.moments)
    return [1 + round(step * (last - 1) / (count - 1)) for step in range(count)]


def test_a_run_killed_between_its_writes_and_run_again_is_as_if_nothing_had_happened(
    traffic: SmallLake, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    for moment in spread(NORMAL, undisturbed):
        lake = traffic.copy(tmp_path / str(moment))
        check(lake, kill_at_moment(lake, moment), undisturbed)


def test_a_run_killed_at_any_time_and_run_again_is_as_if_nothing_had_happened(
    traffic: SmallLake, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    lake = traffic.copy(tmp_path / "lake")
    check(lake, kill_after(lake, undisturbed.seconds / 3), undisturbed)


def test_a_run_that_is_killed_again_and_again_comes_to_its_end(
    traffic: SmallLake, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    lake = traffic.copy(tmp_path / "lake")
    for moment in (20, 60):
        kill_at_moment(lake, moment)
    check(lake, "twice", undisturbed)


@pytest.mark.proof
def test_fifty_kills_spread_over_the_writes_change_nothing(
    traffic: SmallLake, undisturbed: Undisturbed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = random.Random(7)
    between = 0
    for number, moment in enumerate([*spread(PROOF, undisturbed), *[0] * TIMED]):
        lake = traffic.copy(tmp_path / str(number))
        seconds = times.uniform(0, undisturbed.seconds)
        met = kill_at_moment(lake, moment) if moment else kill_after(lake, seconds)
        with capsys.disabled():
            between += check(lake, met, undisturbed)
    assert between >= 30
