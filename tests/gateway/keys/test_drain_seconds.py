"""How long streams may go on once the gateway is told to end."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from open_stream import OpenStream
from parallel_calls import CHAT
from running_gateway import RunningGateway
from simulated_server import SimulatedServer

SHORT, ENDLESS = "events=20; event_ms=50", "events=2; hang=after:1"
FRACTION = 0.49


@pytest.mark.parametrize(
    ("seconds", "behaviour", "end"),
    [
        pytest.param(0, ENDLESS, ("cut", "shutting_down"), id="none"),
        pytest.param(30, SHORT, ("completed", None), id="enough"),
    ],
)
@pytest.mark.changes("gateway.drain_seconds")
def test_a_stream_may_go_on_for_the_drain(
    tmp_path: Path, simulated: SimulatedServer, seconds: float, behaviour: str, end: tuple[str, str | None]
) -> None:
    row, _ = ended(RunningGateway(tmp_path, simulated.url, drain_seconds=seconds), behaviour)
    assert (row["outcome"], row.get("error_code")) == end


@pytest.mark.changes("gateway.drain_seconds")
def test_a_fraction_of_a_second_counts(tmp_path: Path, simulated: SimulatedServer) -> None:
    row, lasted = ended(RunningGateway(tmp_path, simulated.url, drain_seconds=FRACTION), ENDLESS)
    assert row["outcome"] == "cut"
    assert lasted >= FRACTION


def ended(gateway: RunningGateway, behaviour: str) -> tuple[dict[str, Any], float]:
    """The row of a stream in the middle of which the gateway is told to end, and how many seconds that took."""
    with gateway, ThreadPoolExecutor(1) as pool:
        stream = OpenStream(gateway, CHAT, "gpt-5.5", behaviour)
        read = pool.submit(stream.read)
        assert stream.first.wait(30)
        begun = time.monotonic()
        assert gateway.stop() == 0
        lasted = time.monotonic() - begun
        read.result()
    (row,) = gateway.rows()
    return row, lasted
