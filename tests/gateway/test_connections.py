"""Clients that connect and send no request, or a part of one."""

import json
import select
from collections.abc import Generator
from contextlib import suppress

import pytest
from gateway.keys.changed_gateway import changed
from parallel_calls import CHAT, HELLO
from raw_client import RawClient
from running_gateway import RunningGateway
from simulated_server import SimulatedServer

HALF = b"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthor"


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer) -> Generator[RunningGateway]:
    limits = {"request_seconds": 0.5}
    with RunningGateway(tmp_path_factory.mktemp("hurried"), simulated.url, limits=limits) as running:
        yield running


def request(gateway: RunningGateway, behaviour: str = "words=1") -> bytes:
    body = json.dumps({"model": "gpt-5.5", "messages": HELLO})
    lines = [
        f"POST {CHAT} HTTP/1.1",
        "host: gateway",
        f"authorization: Bearer {gateway.key}",
        f"x-simulated: {behaviour}",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body]).encode()


def assert_timed_out(client: RawClient) -> None:
    answer = client.answer()
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert b"limits.request_seconds" in answer.body
    assert client.read_to_end() == b""


def test_a_connection_without_a_request_is_closed(hurried: RunningGateway) -> None:
    for url in (hurried.url, hurried.admin_url):
        with RawClient(url) as silent:
            assert silent.read_to_end() == b""


def test_half_a_head_is_answered_408_and_no_row(hurried: RunningGateway) -> None:
    before = len(hurried.rows())
    with RawClient(hurried.url) as stalled:
        stalled.socket.sendall(HALF)
        assert_timed_out(stalled)
    with RawClient(hurried.url) as one_byte:
        one_byte.socket.sendall(b"P")
        assert_timed_out(one_byte)
    assert len(hurried.rows()) == before


def test_a_head_without_end_is_answered_431_and_takes_no_memory(hurried: RunningGateway) -> None:
    limit = 3 * 65_536 + (1 << 20)  # what may be read before it is counted
    with RawClient(hurried.url) as endless:
        endless.socket.sendall(HALF)
        sent = 0
        with suppress(ConnectionError):
            while sent < 64 * limit and not select.select([endless.socket], [], [], 0)[0]:
                sent += endless.socket.send(b"ization: x\r\nx-more: " + b"a" * 50_000 + b"\r\nx-auth")
        assert endless.answer().status == 431
        assert sent < 64 * limit


def test_what_is_no_http_is_answered_400(hurried: RunningGateway) -> None:
    with RawClient(hurried.url) as stranger:
        stranger.socket.sendall(b"\x16\x03\x01\x02\x00 a TLS greeting\r\n\r\n")
        answer = stranger.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert stranger.read_to_end() == b""


def test_half_a_head_after_a_call_is_answered_408(hurried: RunningGateway) -> None:
    with RawClient(hurried.url) as stalled:
        stalled.socket.sendall(request(hurried))
        assert stalled.answer().status == 200
        stalled.socket.sendall(HALF)
        assert_timed_out(stalled)


def test_a_head_that_trickles_without_end_is_answered_408(hurried: RunningGateway) -> None:
    with RawClient(hurried.url) as slow:
        slow.socket.sendall(HALF)

        def is_answered() -> bool:
            with suppress(OSError):
                slow.socket.sendall(b"x")
            return bool(select.select([slow.socket], [], [], 0)[0])

        hurried.await_effect(is_answered, "an answer while the head goes on")
        assert slow.answer().status == 408


def test_empty_lines_in_the_place_of_a_request_hold_no_connection(hurried: RunningGateway) -> None:
    with RawClient(hurried.url) as idle:
        idle.socket.sendall(request(hurried))
        assert idle.answer().status == 200
        idle.socket.sendall(b"\r\n")
        assert idle.read_to_end() == b""


def test_half_a_head_behind_a_call_leaves_its_answer_whole(hurried: RunningGateway) -> None:
    with RawClient(hurried.url) as pipelining, RawClient(hurried.url) as silent:
        pipelining.socket.sendall(request(hurried, "first_byte_ms=1500; text=whole") + HALF)
        assert silent.read_to_end() == b""
        answer = pipelining.answer()
        assert (answer.status, answer.json["choices"][0]["message"]["content"]) == (200, "whole")
        assert_timed_out(pipelining)


def test_an_idle_connection_may_be_used_again_after_that_time(hurried: RunningGateway) -> None:
    with RawClient(hurried.url) as idle:
        idle.socket.sendall(request(hurried))
        assert idle.answer().status == 200
        with RawClient(hurried.url) as silent:
            assert silent.read_to_end() == b""
        idle.socket.sendall(request(hurried))
        assert idle.answer().status == 200


def test_a_head_in_pieces_is_served(gateway: RunningGateway) -> None:
    whole = request(gateway)
    with RawClient(gateway.url) as slow:
        for _ in range(2):
            for start in range(0, len(whole), 40):
                slow.socket.sendall(whole[start : start + 40])
                assert gateway.call("/v1/models").status == 200
            assert slow.answer().status == 200


@pytest.mark.changes("gateway.limits.request_seconds")
def test_a_reload_counts_for_the_heads_that_begin_after_it(hurried: RunningGateway) -> None:
    whole = request(hurried)
    with RawClient(hurried.url) as patient:
        with changed(hurried, limits={"request_seconds": 60}):
            patient.socket.sendall(whole[:40])
            assert hurried.call("/v1/models").status == 200
        with RawClient(hurried.url) as silent:
            assert silent.read_to_end() == b""
        patient.socket.sendall(whole[40:])
        assert patient.answer().status == 200
