"""The machine refuses: no permission (as a user without root), or a disk that is full."""

import tempfile
from collections.abc import Callable, Iterator
from hashlib import shake_256
from pathlib import Path
from shutil import copytree

import pytest
from road.calls import line, outcome
from road.roads import Road, make_road
from road.strangers import give_to_nobody, run_as_nobody, run_with_files_up_to

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def road() -> Iterator[Road]:
    """A road, with models of its own, that everybody can get to: pytest's folders and the checkout may be closed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for content in ("models", "sql"):
            copytree(PROJECT / content, Path(folder) / content)
        road = make_road(Path(folder))
        road.append(outcome(1))
        road.drop("a.jsonl", line("one"))
        give_to_nobody(road)
        yield road


REFUSED: dict[str, Callable[[Road], Path]] = {
    "a log file without permission": lambda road: road.logs / "a.jsonl",
    "a segment without permission": lambda road: next(road.slot.glob("*.jsonl")),
    "a lake without permission": lambda road: _made(road.settings.lake_dir),
    "a state folder without permission": lambda road: _made(road.settings.state_dir),
}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_not_be_used_is_named_with_what_to_do(road: Road, name: str) -> None:
    path = REFUSED[name](road)
    give_to_nobody(road)
    mode = path.stat().st_mode
    path.chmod(0)
    failed = run_as_nobody(road)
    path.chmod(mode)
    assert failed.code == 1, failed.error
    assert "Traceback" not in failed.error
    assert "ermission" in failed.error
    assert str(path) in failed.error
    assert "→" in failed.error


def test_once_it_may_be_read_the_same_command_completes(road: Road) -> None:
    path = road.logs / "a.jsonl"
    path.chmod(0)
    assert run_as_nobody(road).code == 1
    path.chmod(0o644)
    assert run_as_nobody(road).code == 0
    assert road.totals()["invocations"] == 2
    road.assert_sound()


def _noise(number: int) -> str:
    """A body of 4 kB that no compression makes smaller than half."""
    return f'"{shake_256(number.to_bytes(2, "big")).hexdigest(2_000)}"'


@pytest.mark.parametrize("size", [3_000, 200_000])
def test_on_a_full_disk_the_run_says_so_and_completes_once_there_is_space(road: Road, size: int) -> None:
    if size > 3_000:
        road.append(*[outcome(number, request_body=_noise(number)) for number in range(2, 400)])
    failed = run_with_files_up_to(road, size)
    assert failed.code == 1, failed.error
    assert "Traceback" not in failed.error
    assert "free space" in failed.error
    assert run_with_files_up_to(road, 1 << 30).code == 0
    assert road.totals()["invocations"] == (2 if size <= 3_000 else 400)
    road.assert_sound()
