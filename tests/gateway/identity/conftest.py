from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gateway.identity.identity_times import PEPPER, StoreClock

from tollhouse.gateway.identity.store import IdentityStore


@pytest.fixture
def clock() -> StoreClock:
    return StoreClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway" / "identity.sqlite"


@pytest.fixture
def open_store(path: Path, clock: StoreClock) -> Iterator[Callable[[], IdentityStore]]:
    """Opens the store of the test; more than one at once are as those of several processes."""
    opened: list[IdentityStore] = []

    def call() -> IdentityStore:
        opened.append(IdentityStore(path, PEPPER, clock=clock))
        return opened[-1]

    yield call
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], IdentityStore]) -> IdentityStore:
    """A store with the teams search (CC-1) and mobile, and ana in both, search first."""
    store = open_store()
    store.set_team("search", cost_center="CC-1")
    store.set_team("mobile", cost_center="CC-2", project="app")
    store.set_principal("ana", teams=["search", "mobile"], groups=["engineers"], cost_center="CC-9", project="own")
    store.forget_delivered(store.waiting())
    return store
