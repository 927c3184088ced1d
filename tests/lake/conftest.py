from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from lake.small_lake import END, NOON, SmallLake, payload, spend_log

from tollhouse.demo.spooling import write_spool


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    """A lake without a record: the prices, which take a second, are in it."""
    lake = SmallLake(tmp_path_factory.mktemp("empty")).configure()
    lake.run(NOON - timedelta(days=30))
    return lake


@pytest.fixture
def make_lake(empty: SmallLake, tmp_path: Path) -> Callable[[str], SmallLake]:
    """Lakes without a record, by name."""
    return lambda name: empty.copy(tmp_path / name)


@pytest.fixture
def lake(make_lake: Callable[[str], SmallLake]) -> SmallLake:
    """A lake without a record."""
    return make_lake("lake")


@pytest.fixture(scope="session")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    """Two days of 120 calls in several segments of two spools, three files of LiteLLM, no table yet; to be copied."""
    lake = SmallLake(tmp_path_factory.mktemp("traffic")).configure()
    write_spool(lake.root / "spool", end=END, calls=120, days=2, seed=7, workers=2, segment_bytes=128 << 10)
    lake.log("a.jsonl", [payload(n, NOON + timedelta(minutes=n)) for n in range(20)])
    broken = [
        payload(20, startTime="yesterday"),
        payload(3, NOON + timedelta(minutes=3), completion_tokens=99, total_tokens=199),
    ]
    lake.log("b.jsonl", [*broken, *(payload(n, NOON + timedelta(hours=n)) for n in range(21, 31))])
    lake.log("c.jsonl", [spend_log(n, NOON + timedelta(minutes=n)) for n in range(5)])
    return lake


@pytest.fixture(scope="session")
def finished(traffic: SmallLake, tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    """The lake of ``traffic`` after one undisturbed run; to be read, or copied and changed."""
    lake = traffic.copy(tmp_path_factory.mktemp("finished") / "lake")
    lake.run()
    return lake


@pytest.fixture
def copied(finished: SmallLake, tmp_path: Path) -> SmallLake:
    """A finished lake that the test may change."""
    return finished.copy(tmp_path / "copied")
