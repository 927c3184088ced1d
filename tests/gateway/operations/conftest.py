"""A collector for each test that asks for one."""

from collections.abc import Iterator

import pytest
from span_collector import Collector, collecting


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as server:
        yield server
