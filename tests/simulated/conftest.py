from collections.abc import Iterator

import pytest
from simulated_server import SimulatedServer


@pytest.fixture(scope="session")
def running() -> Iterator[SimulatedServer]:
    with SimulatedServer() as server:
        yield server


@pytest.fixture
def simulated(running: SimulatedServer) -> SimulatedServer:
    running.clear()
    return running
