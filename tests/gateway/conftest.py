"""One simulated server and one gateway for all tests that change neither."""

from collections.abc import Generator

import pytest
from running_gateway import RunningGateway
from simulated_server import SimulatedServer


@pytest.fixture(scope="session")
def simulated() -> Generator[SimulatedServer]:
    with SimulatedServer() as server:
        yield server


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer) -> Generator[RunningGateway]:
    with RunningGateway(tmp_path_factory.mktemp("gateway"), simulated.url) as running:
        yield running
