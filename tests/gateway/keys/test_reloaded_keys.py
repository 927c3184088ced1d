"""Keys of the gateway itself that a reload takes into force: one gateway, another outcome while the key is changed."""

import gzip
import json
from collections.abc import Generator
from typing import Any

import pytest
from gateway.keys.changed_gateway import changed, row_of, served
from parallel_calls import CHAT, HELLO, chat
from raw_client import RawClient
from running_gateway import RunningGateway
from simulated_server import SimulatedServer

STRANGER = "203.0.113.7"


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer) -> Generator[RunningGateway]:
    endpoints = {"plain": served(), "other": served()}
    with RunningGateway(tmp_path_factory.mktemp("reloaded"), simulated.url, endpoints=endpoints) as running:
        yield running


@pytest.mark.changes("gateway.limits.request_bytes")
def test_request_bytes_bound_a_body(varied: RunningGateway) -> None:
    assert chat(varied, "plain", user="x" * 200).status == 200
    with changed(varied, limits={"request_bytes": 100}):
        assert chat(varied, "plain", user="x" * 200).status == 413


@pytest.mark.changes("gateway.limits.header_bytes")
def test_header_bytes_bound_the_headers(varied: RunningGateway) -> None:
    assert chat(varied, "plain").status == 200
    with changed(varied, limits={"header_bytes": 50}):
        assert chat(varied, "plain").status == 431


@pytest.mark.changes("gateway.limits.decoded_ratio")
def test_the_ratio_bounds_what_a_body_may_become(varied: RunningGateway) -> None:
    packed = gzip.compress(json.dumps({"model": "plain", "messages": HELLO, "user": "x" * 50_000}).encode())
    headers = {"content-encoding": "gzip"}
    assert varied.call(CHAT, packed, headers=headers).status == 200
    with changed(varied, limits={"decoded_ratio": 1}):
        assert varied.call(CHAT, packed, headers=headers).status == 413


@pytest.mark.changes("gateway.limits.request_seconds")
def test_request_seconds_bound_the_time_of_a_body(varied: RunningGateway) -> None:
    body = json.dumps({"model": "plain", "messages": HELLO}).encode()
    with RawClient(varied.url) as patient:
        begin(patient, varied, body, body[:9])
        with changed(varied, limits={"request_seconds": 0.2}):
            for sent in (body[:9], b""):
                with RawClient(varied.url) as hurried:
                    begin(hurried, varied, body, sent)
                    assert hurried.answer().status == 408
        patient.socket.sendall(body[9:])
        assert patient.answer().status == 200


def begin(client: RawClient, gateway: RunningGateway, body: bytes, sent: bytes) -> None:
    """Announce ``body``, send a part of it and return once the gateway waits for the rest."""
    headers = {"authorization": f"Bearer {gateway.key}", "content-length": str(len(body)), "expect": "100-continue"}
    client.send_head("POST", CHAT, {**headers, "content-type": "application/json"})
    client.read_until(b"100 Continue\r\n\r\n")
    client.socket.sendall(sent)


@pytest.mark.changes("gateway.limits.event_bytes")
def test_a_greater_event_passes_unread(varied: RunningGateway) -> None:
    def row() -> Any:
        found = row_of(varied, "plain", simulated="events=2; event_bytes=2000", stream=True)
        assert found["response_bytes"] > 4000
        assert found["time_to_first_byte_ms"] >= 0
        return found

    assert len(row()["response_body"]) > 4000
    with changed(varied, limits={"event_bytes": 1000}):
        cut = row()
        assert (cut["payload_state"], cut["logging_error_codes"]) == ("oversize", ["MAX_RESPONSE_SIZE_EXCEEDED"])
        assert "response_body" not in cut


@pytest.mark.changes("gateway.limits.response_bytes")
def test_a_greater_response_passes_and_is_not_logged(varied: RunningGateway) -> None:
    assert "response_body" in row_of(varied, "plain")
    with changed(varied, limits={"response_bytes": 10}):
        assert row_of(varied, "plain")["payload_state"] == "oversize"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"groups": ["strangers"]}, id="groups"),
        pytest.param({"groups": ["*"], "endpoints": ["other"]}, id="endpoints"),
        pytest.param({"groups": ["*"], "models": ["other"]}, id="models"),
    ],
)
@pytest.mark.changes("gateway.permissions[].groups", "gateway.permissions[].endpoints", "gateway.permissions[].models")
def test_permissions_say_who_may_use_what(varied: RunningGateway, given: dict[str, Any]) -> None:
    with changed(varied, permissions=[{"groups": ["*"]}]):
        assert chat(varied, "plain").status == 200
    with changed(varied, permissions=[given]):
        assert chat(varied, "plain").status == 403


@pytest.mark.parametrize(
    ("payloads", "state"),
    [
        pytest.param({"mode": "off"}, "off", id="mode"),
        pytest.param({"max_bytes": 10}, "oversize", id="max_bytes"),
        pytest.param({"mode": "sampled", "sampling_fraction": 0}, "sampled_out", id="sampling_fraction"),
        pytest.param({"mode": "sampled", "sampling_fraction": 1}, None, id="sampling_fraction of all"),
    ],
)
@pytest.mark.changes("gateway.payloads.mode", "gateway.payloads.max_bytes", "gateway.payloads.sampling_fraction")
def test_payloads_say_what_is_logged_of_bodies(
    varied: RunningGateway, payloads: dict[str, Any], state: str | None
) -> None:
    assert "payload_state" not in row_of(varied, "plain")
    with changed(varied, payloads=payloads):
        assert row_of(varied, "plain").get("payload_state") == state


@pytest.mark.changes("gateway.trusted_proxies")
def test_a_trusted_proxy_says_whose_call_it_is(varied: RunningGateway) -> None:
    forwarded = {"x-forwarded-for": STRANGER}
    assert row_of(varied, "plain", headers=forwarded)["ip_address"] == "127.0.0.1"
    with changed(varied, trusted_proxies=["127.0.0.0/8"]):
        assert row_of(varied, "plain", headers=forwarded)["ip_address"] == STRANGER


@pytest.mark.changes("gateway.log_level")
def test_lesser_lines_are_not_logged(varied: RunningGateway) -> None:
    before = reloads(varied)
    with changed(varied, log_level="warning"):
        assert reloads(varied) == before
    assert reloads(varied) == before + 1


def reloads(gateway: RunningGateway) -> int:
    """How many lines of ``info`` tell of a reload."""
    return (gateway.folder / "gateway.log").read_text().count("configuration reloaded")
