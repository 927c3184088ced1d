"""The process: credentials, connections, its greeting and its end."""

import signal
import subprocess
import sys

import pytest
from bare_http import ANTHROPIC, CHAT, CONTENTS, GEMINI, MESSAGES, OPENAI, message, opened, parsed, sent
from simulated_server import SimulatedServer

ROUTES = {
    "/v1/chat/completions": ("authorization", "Bearer ", CHAT, "invalid_api_key"),
    "/openai/deployments/d/chat/completions?api-version=1": ("api-key", "", CHAT, "invalid_api_key"),
    "/v1/messages": ("x-api-key", "", MESSAGES, "authentication_error"),
    "/v1beta/models/m:generateContent": ("x-goog-api-key", "", CONTENTS, "UNAUTHENTICATED"),
}


@pytest.fixture(scope="module")
def locked() -> "pytest.Generator[SimulatedServer]":
    with SimulatedServer("--key", "right") as server:
        yield server


@pytest.mark.parametrize("path", ROUTES)
def test_only_the_given_key_is_accepted_in_the_protocols_place(locked: SimulatedServer, path: str) -> None:
    name, scheme, body, word = ROUTES[path]
    extra = {"anthropic-version": "2023-06-01"}
    right = sent(locked.url, path, extra | {name: f"{scheme}right"}, body)
    wrong = sent(locked.url, path, extra | {name: f"{scheme}wrong"}, body)

    assert (right.status, wrong.status) == (200, 401)
    assert word in wrong.body.decode()


@pytest.mark.parametrize("path", ROUTES)
def test_a_call_without_a_credential_is_401_and_in_the_ledger(simulated: SimulatedServer, path: str) -> None:
    answer = sent(simulated.url, path, {"anthropic-version": "2023-06-01"}, ROUTES[path][2])

    assert answer.status == 401
    assert (simulated.last()["status"], simulated.last()["usage"]) == (401, None)


def test_bearer_is_accepted_everywhere_and_another_providers_place_is_not(simulated: SimulatedServer) -> None:
    version = {"anthropic-version": "2023-06-01"}

    assert sent(simulated.url, "/v1/messages", version | OPENAI, MESSAGES).status == 200
    assert sent(simulated.url, "/v1beta/models/m:generateContent", OPENAI, CONTENTS).status == 200
    assert sent(simulated.url, "/v1/chat/completions", ANTHROPIC, CHAT).status == 401
    assert sent(simulated.url, "/v1/chat/completions", {"api-key": "k"}, CHAT).status == 401


@pytest.mark.parametrize(
    ("method", "path", "headers", "word"),
    [
        ("POST", "/v1/audio/speech", OPENAI, "Invalid URL"),
        ("GET", "/v1/chat/completions", OPENAI, "Invalid URL"),
        ("POST", "/v1/complete", ANTHROPIC, "not_found_error"),
        ("POST", "/v1beta/models/m:dance", GEMINI, "NOT_FOUND"),
        ("POST", "/openai/deployments/d/images", OPENAI, "Invalid URL"),
    ],
)
def test_what_no_provider_has_is_404(
    simulated: SimulatedServer, method: str, path: str, headers: dict[str, str], word: str
) -> None:
    answer = sent(simulated.url, path, headers, b"{}", method=method)

    assert answer.status == 404
    assert word in answer.body.decode()


def test_head_has_no_body(simulated: SimulatedServer) -> None:
    answer = sent(simulated.url, "/", OPENAI, method="HEAD")

    assert (answer.status, answer.body) == (404, b"")
    assert simulated.last()["response_bytes"] == 0


def test_a_websocket_is_not_granted(simulated: SimulatedServer) -> None:
    headers = OPENAI | {"connection": "Upgrade", "upgrade": "websocket"}

    assert sent(simulated.url, "/v1/responses", headers, method="GET", wait=0.3).status == 404


def test_what_is_not_http_is_400(simulated: SimulatedServer) -> None:
    with opened(simulated.url) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")
        assert connection.recv(4096) == b""


def test_requests_on_one_connection_are_answered_in_their_order(simulated: SimulatedServer) -> None:
    slow = OPENAI | {"x-simulated": "text=slow; first_byte_ms=50", "connection": "keep-alive"}
    with opened(simulated.url) as connection:
        connection.sendall(
            message(simulated.url, "/v1/chat/completions", slow, CHAT)
            + message(simulated.url, "/v1/chat/completions", OPENAI | {"x-simulated": "text=quick"}, CHAT)
        )
        raw = b""
        while data := connection.recv(1 << 16):
            raw += data

    assert raw.count(b"HTTP/1.1 200 OK") == 2
    assert raw.index(b'"slow"') < raw.index(b'"quick"')
    assert len({call["connection"] for call in simulated.ledger()}) == 1


def test_a_client_that_waits_for_100_continue_gets_it(simulated: SimulatedServer) -> None:
    head, _, body = message(simulated.url, "/v1/chat/completions", OPENAI | {"expect": "100-continue"}, CHAT).partition(
        b"\r\n\r\n"
    )
    with opened(simulated.url) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert parsed(connection.recv(1 << 16), "open").status == 200


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal_even_with_an_open_stream(ending: signal.Signals) -> None:
    with SimulatedServer() as server, opened(server.url) as connection:
        headers = OPENAI | {"x-simulated": "hang=body"}
        connection.sendall(message(server.url, "/v1/chat/completions", headers, CHAT | {"stream": True}))
        assert connection.recv(1)
        server.process.send_signal(ending)

        assert server.process.wait(timeout=20) == 0


def test_a_taken_port_is_named(simulated: SimulatedServer) -> None:
    port = simulated.url.rpartition(":")[2]
    command = [sys.executable, "-m", "tollhouse", "serve", "simulated", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port 0" in done.stderr
