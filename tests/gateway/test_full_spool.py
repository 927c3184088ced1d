"""A disk that takes no more bytes, under each policy of ``spool.on_full``."""

import resource
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gateway_cases import HELLO
from running_gateway import Answer, RunningGateway
from simulated_server import SimulatedServer


@contextmanager
def full_disk(gateway: RunningGateway) -> Generator[None]:
    """No file of the gateway's may grow until the block ends."""
    (pid,) = gateway.workers()
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


def ask(gateway: RunningGateway) -> Answer:
    return gateway.call("/v1/chat/completions", {"model": "gpt-5.5", "messages": HELLO})


def gaps(gateway: RunningGateway) -> list[dict[str, Any]]:
    return gateway.records("GAP")


@pytest.mark.changes("gateway.spool.on_full")
def test_reject_refuses_calls_before_any_provider_has_them_and_counts_what_is_lost(
    tmp_path: Path, simulated: SimulatedServer
) -> None:
    with RunningGateway(tmp_path, simulated.url, spool={"on_full": "reject"}) as gateway:
        calls = simulated.totals()["calls"]
        with full_disk(gateway):
            refused = ask(gateway)
        assert (refused.status, refused.json["error"]["code"]) == (503, "spool_unavailable")
        assert refused.headers["retry-after"] == "5"
        assert simulated.totals()["calls"] == calls

        served = ask(gateway)

        rows = gateway.rows(1)
        assert served.status == 200
        assert [row["invocation_id"] for row in rows] == [served.headers["x-tollhouse-invocation-id"]]
        assert "refused 2 records" in gaps(gateway)[0]["reason"]


@pytest.mark.changes("gateway.spool.on_full")
def test_drop_serves_calls_and_counts_what_is_lost(tmp_path: Path, simulated: SimulatedServer) -> None:
    with RunningGateway(tmp_path, simulated.url, spool={"on_full": "drop"}) as gateway:
        with full_disk(gateway):
            assert ask(gateway).status == 200

        assert ask(gateway).status == 200

        assert len(gateway.rows(1)) == 1
        assert "refused 2 records" in gaps(gateway)[0]["reason"]


@pytest.mark.changes("gateway.spool.on_full", "gateway.spool.wait_seconds")
def test_wait_refuses_calls_where_the_disk_stays_full(tmp_path: Path, simulated: SimulatedServer) -> None:
    with RunningGateway(tmp_path, simulated.url, spool={"on_full": "wait", "wait_seconds": 0.2}) as gateway:
        with full_disk(gateway):
            assert ask(gateway).status == 503

        assert ask(gateway).status == 200
        assert len(gateway.rows(1)) == 1
        assert "refused 2 records" in gaps(gateway)[0]["reason"]


@pytest.mark.changes("gateway.spool.wait_seconds")
def test_wait_serves_calls_once_the_disk_takes_records_again(tmp_path: Path, simulated: SimulatedServer) -> None:
    with RunningGateway(tmp_path, simulated.url, spool={"on_full": "wait", "wait_seconds": 600}) as gateway:
        with ThreadPoolExecutor(1) as pool, full_disk(gateway):
            waiting = pool.submit(ask, gateway)
            gateway.await_effect(lambda: gateway.admin("/readyz").status == 503, "the disk has refused a record")
            assert not waiting.done()

        assert waiting.result().status == 200
        assert not gaps(gateway)
