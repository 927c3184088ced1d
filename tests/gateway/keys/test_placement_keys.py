"""Where a gateway is, how it calls providers, where its spans go: two gateways that differ in all of that."""

import socket
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from gateway.keys.changed_gateway import served
from parallel_calls import chat
from running_gateway import RunningGateway, providers
from simulated_server import SimulatedServer
from span_collector import Collector, collecting

# A share of one half samples the first trace and not the second.
SAMPLED, UNSAMPLED = "0" * 16 + "1" + "0" * 15, "0" * 16 + "f" * 16
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"

Place = tuple[str, int]


class Placed(NamedTuple):
    """A gateway, where it should be, and where its spans should go."""

    gateway: RunningGateway
    listen: Place
    admin: Place
    collector: Collector


@pytest.fixture(scope="module")
def observed() -> Generator[socket.socket]:
    """A provider whose connections a test takes itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        yield listener


@pytest.fixture(scope="module")
def known(simulated: SimulatedServer, observed: socket.socket) -> dict[str, Any]:
    """What both gateways have."""
    plain = providers(simulated.url)["openai"]
    port = observed.getsockname()[1]
    return {
        "providers": {"openai": plain, "observed": {**plain, "base_url": f"http://127.0.0.1:{port}/v1"}},
        "endpoints": {"plain": served(), "observed": served("observed")},
    }


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory, known: dict[str, Any]) -> Generator[Placed]:
    tracing = {"sampling_fraction": 0.5, "service_name": "one"}
    hosts = ("127.0.0.1", "127.0.0.1")
    yield from placed(tmp_path_factory.mktemp("one"), hosts, tracing, **known, transport="sockets")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, known: dict[str, Any]) -> Generator[Placed]:
    tracing = {"sampling_fraction": 1, "service_name": "other"}
    hosts = ("127.0.0.2", "127.0.0.3")
    yield from placed(tmp_path_factory.mktemp("other"), hosts, tracing, **known, transport="aiohttp")


def placed(folder: Path, hosts: tuple[str, str], tracing: dict[str, Any], **changes: Any) -> Generator[Placed]:
    listen, admin = [(host, free_port(host)) for host in hosts]
    with collecting() as collector:
        changes["listen"], changes["admin"] = ({"host": host, "port": port} for host, port in (listen, admin))
        changes["tracing"] = {"otlp_endpoint": collector.url, **tracing}
        with RunningGateway(folder, "", {"OTEL_BSP_SCHEDULE_DELAY": "10"}, **changes) as gateway:
            yield Placed(gateway, listen, admin, collector)


def free_port(host: str) -> int:
    with socket.create_server((host, 0)) as taken:
        return taken.getsockname()[1]


def url(place: Place) -> str:
    host, port = place
    return f"http://{host}:{port}"


def is_taken(host: str, port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex((host, port)) == 0


@pytest.mark.changes("gateway.listen.host", "gateway.listen.port")
def test_clients_reach_the_gateway_where_it_listens(one: Placed, other: Placed) -> None:
    for here, there in ((one, other), (other, one)):
        assert here.gateway.url == url(here.listen)
        assert chat(here.gateway, "plain").status == 200
        assert not is_taken(there.listen[0], here.listen[1])


@pytest.mark.changes("gateway.admin.host", "gateway.admin.port")
def test_operators_reach_the_gateway_where_its_admin_is(one: Placed, other: Placed) -> None:
    for here, there in ((one, other), (other, one)):
        assert here.gateway.admin_url == url(here.admin)
        assert here.gateway.admin("/healthz").body == b"ok"
        assert not is_taken(there.admin[0], here.admin[1])


@pytest.mark.changes("gateway.transport")
def test_each_transport_writes_its_own_request(one: Placed, other: Placed, observed: socket.socket) -> None:
    assert b"\r\nhost: 127.0.0.1:" in sent(one.gateway, observed)
    assert b"\r\nHost: 127.0.0.1:" in sent(other.gateway, observed)


def sent(gateway: RunningGateway, observed: socket.socket) -> bytes:
    """The bytes of a call as they arrive at the provider."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(chat, gateway, "observed")
        connection, _ = observed.accept()
        with connection:
            request = b""
            while not request.endswith(b"}"):
                request += connection.recv(65536)
            connection.sendall(ANSWER)
        assert waiting.result().status == 200
    return request


@pytest.mark.changes(
    "gateway.tracing.otlp_endpoint", "gateway.tracing.sampling_fraction", "gateway.tracing.service_name"
)
def test_so_many_calls_have_spans_of_that_service_at_that_collector(one: Placed, other: Placed) -> None:
    for here, name, sampled in ((one, "one", {SAMPLED}), (other, "other", {SAMPLED, UNSAMPLED})):
        for trace in (UNSAMPLED, SAMPLED):
            traceparent = f"00-{trace}-00f067aa0ba902b7-01"
            assert chat(here.gateway, "plain", headers={"traceparent": traceparent}).status == 200
        here.gateway.await_effect(lambda here=here: SAMPLED in traces(here.collector), "the last call's span")
        assert traces(here.collector) & {SAMPLED, UNSAMPLED} == sampled
        assert here.collector.services == {name}


def traces(collector: Collector) -> set[str]:
    return {span.trace_id.hex() for span in collector.spans}
