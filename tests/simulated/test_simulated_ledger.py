"""The ledger says what crossed the connection, no more and no less."""

import hashlib
import json
import urllib.error

import pytest
from bare_http import ANTHROPIC, CHAT, CONTENTS, GEMINI, MESSAGES, OPENAI, message, opened, sent
from simulated_server import SimulatedServer

CHAT_PATH = "/v1/chat/completions"


def test_a_call_is_counted_in_bytes_and_hashes(simulated: SimulatedServer) -> None:
    body = json.dumps(CHAT, indent=3).encode()
    answer = sent(simulated.url, f"{CHAT_PATH}?x=1", OPENAI | {"X-Request-Id": "r-1", "x-simulated": "id=c7"}, body)
    call = simulated.last()

    assert (call["method"], call["path"], call["query"], call["status"]) == ("POST", CHAT_PATH, "x=1", 200)
    assert (call["wire"], call["operation"], call["model"]) == ("openai_chat", "generate", "gpt-5.5")
    assert (call["request_bytes"], call["request_sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
    assert call["response_bytes"] == len(answer.body)
    assert (call["request_id"], call["simulated_id"]) == ("r-1", "c7")
    assert (call["response_id"], call["usage"]) == (answer.json()["id"], answer.json()["usage"])
    assert call["finish"] == "completed"
    assert call["received_ms"] <= call["first_byte_ms"] <= call["ended_ms"]


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        (CHAT_PATH, OPENAI, CHAT | {"stream": True}),
        ("/v1/messages", ANTHROPIC, MESSAGES | {"stream": True}),
        ("/v1beta/models/m:streamGenerateContent", GEMINI, CONTENTS),
    ],
)
@pytest.mark.parametrize("behaviour", ["", "event_ms=1; events=9", "answer_bytes=400000"])
def test_a_stream_is_counted_event_by_event(
    simulated: SimulatedServer, path: str, headers: dict[str, str], body: object, behaviour: str
) -> None:
    answer = sent(simulated.url, path, headers | {"x-simulated": behaviour}, body)
    call = simulated.last()

    assert call["response_bytes"] == len(answer.body)
    assert call["events"] == len(answer.chunks)
    assert call["finish"] == "completed"


def test_credentials_are_hashed_and_other_headers_kept_in_order(simulated: SimulatedServer) -> None:
    hashed = f"sha256:{hashlib.sha256(b'secret').hexdigest()}"
    more = {"authorization": "Bearer secret", "api-key": "secret", "x-b": "2", "x-a": "1"}
    sent(simulated.url, CHAT_PATH, more, CHAT)
    sent(simulated.url, "/v1beta/models/m:generateContent?key=secret&x=1", {}, CONTENTS)
    first, second = simulated.ledger()

    assert first["request_headers"][3:] == [
        ["authorization", f"Bearer {hashed}"],
        ["api-key", hashed],
        ["x-b", "2"],
        ["x-a", "1"],
    ]
    assert (second["status"], second["query"]) == (200, f"key={hashed}&x=1")


def test_a_client_that_leaves_is_noticed_with_what_it_was_sent(simulated: SimulatedServer) -> None:
    headers = OPENAI | {"x-simulated": "events=1000; event_ms=5"}
    with opened(simulated.url) as connection:
        connection.sendall(message(simulated.url, CHAT_PATH, headers, CHAT | {"stream": True}))
        while b'"delta":{"content":' not in connection.recv(1 << 16):
            pass
        assert simulated.ledger()[-1]["finish"] == "open"
    call = simulated.last()

    assert call["finish"] == "client_left"
    assert 1 <= call["content_events"] < 1000
    assert call["usage"] is None


def test_a_client_that_leaves_before_the_head_is_noticed(simulated: SimulatedServer) -> None:
    with opened(simulated.url) as connection:
        connection.sendall(message(simulated.url, CHAT_PATH, OPENAI | {"x-simulated": "first_byte_ms=60000"}, CHAT))
        simulated.await_ledger(lambda calls: len(calls) == 1)
    call = simulated.last()

    assert (call["finish"], call["response_bytes"], call["first_byte_ms"]) == ("client_left", 0, None)


def test_a_cut_anthropic_stream_has_the_usage_of_its_start(simulated: SimulatedServer) -> None:
    headers = ANTHROPIC | {"x-simulated": "cut=after:1"}
    sent(simulated.url, "/v1/messages", headers, MESSAGES | {"stream": True})
    call = simulated.last()

    assert call["usage"]["output_tokens"] == 1
    assert call["tokens"]["output"] > 1


def test_totals_are_the_sums_of_the_calls(simulated: SimulatedServer) -> None:
    for behaviour in ("", "status=500", "cut=after:2"):
        sent(simulated.url, CHAT_PATH, OPENAI | {"x-simulated": behaviour}, CHAT | {"stream": True})
    simulated.last()
    calls, totals = simulated.ledger(), simulated.totals()

    assert (totals["calls"], totals["open"]) == (3, 0)
    assert totals["by_finish"] == {"completed": 2, "cut": 1}
    assert totals["by_status"] == {"200": 2, "500": 1}
    assert totals["by_model"] == {"gpt-5.5": 3}
    for name in ("request_bytes", "response_bytes", "events"):
        assert totals[name] == sum(call[name] for call in calls)
    for name in ("input", "output", "cached"):
        assert totals[f"{name}_tokens"] == sum(call["tokens"][name] for call in calls if call["tokens"])


def test_only_newer_calls_are_shown_and_clearing_forgets(simulated: SimulatedServer) -> None:
    for _ in range(3):
        sent(simulated.url, CHAT_PATH, OPENAI, CHAT)
    sequences = [call["sequence"] for call in simulated.ledger()]

    assert [call["sequence"] for call in simulated.ledger(since=sequences[1])] == sequences[2:]
    assert simulated.ledger(since=sequences[2]) == []
    simulated.clear()
    assert simulated.ledger() == []
    assert simulated.totals()["calls"] == 0


def test_without_detail_the_sums_remain() -> None:
    with SimulatedServer("--no-ledger-detail") as server:
        sent(server.url, CHAT_PATH, OPENAI, CHAT)

        assert server.ledger() == []
        assert server.totals()["calls"] == 1
        assert server.totals()["output_tokens"] > 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/-/nothing", None, 404),
        ("GET", "/-/ledger?since=x", None, 400),
        ("POST", "/-/behaviours", b"{", 400),
        ("POST", "/-/behaviours", b'{"behaviour": "stauts=1"}', 400),
        ("POST", "/-/behaviours", b'{"paht": "*"}', 400),
    ],
)
def test_a_wrong_request_to_the_server_itself_is_refused(
    simulated: SimulatedServer, method: str, path: str, body: bytes | None, status: int
) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        simulated.ask(method, path, body)
    with caught.value as answer:
        assert answer.status == status
        assert json.loads(answer.read())["error"]


def test_the_server_itself_is_no_call(simulated: SimulatedServer) -> None:
    assert simulated.ask("GET", "/-/health") == {}
    assert simulated.totals()["calls"] == 0
