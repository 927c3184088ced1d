"""A collector for each test that asks for one."""

import threading
from collections.abc import Iterator

import pytest
from span_collector import Collector


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
