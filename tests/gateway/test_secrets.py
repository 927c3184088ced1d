"""Secrets of every kind go through a gateway of their own, and nothing that it leaves behind holds any."""

import base64
import hashlib
import json
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from official_clients import row_of, spooled
from running_gateway import PROVIDER_KEY, RunningGateway
from simulated_server import SimulatedServer

NUMBERS = count()
USER = [{"role": "user", "content": "Why?"}]
SSE = [("content-type", "text/event-stream")]


def canary(kind: str) -> str:
    """A secret that nobody else has, of one provider's look."""
    number = next(NUMBERS)
    letters = f"{'CANARY':A<8}{number:04d}".replace("0", "Q")
    return {
        "openai": f"sk-proj-{letters}abcdefghijklmnop",
        "anthropic": f"sk-ant-api03-{letters}abcdefghijklmnop",
        "google": f"AIza{letters:x<35}",
        "github": f"ghp_{letters:x<36}",
        "gateway": f"th_{number:012d}_{letters:x<43}",
        "jwt": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI{letters}.{letters}abcdefghij",
    }[kind]


KINDS = ("openai", "anthropic", "google", "github", "gateway", "jwt")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer) -> Iterator[RunningGateway]:
    with RunningGateway(tmp_path_factory.mktemp("guarded"), simulated.url) as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_queued(simulated: SimulatedServer) -> None:
    simulated.clear()


def assert_nowhere(gateway: RunningGateway, *secrets: str) -> None:
    """Neither in the spool, nor in the log, nor in the metrics, nor in base64."""
    left = [spooled(gateway), (gateway.folder / "gateway.log").read_bytes(), gateway.admin("/metrics").body]
    for secret in (*secrets, PROVIDER_KEY, gateway.key):
        for form in (secret.encode(), base64.b64encode(secret.encode())[:-4]):
            assert [text.find(form) for text in left] == [-1, -1, -1], secret


def chat(gateway: RunningGateway, request_id: str, body: dict[str, Any] | bytes | None = None, **more: Any) -> Any:
    headers = {"x-request-id": request_id, **more.pop("headers", {})}
    path = more.pop("path", "/v1/chat/completions")
    return gateway.call(path, body or {"model": "gpt-5.5", "messages": USER}, headers=headers, **more)


def test_credentials_in_headers_are_not_logged(guarded: RunningGateway) -> None:
    names = ("x-api-key", "api-key", "x-goog-api-key", "cookie", "proxy-authorization", "x-my-token", "x-note")
    secrets = {name: canary("openai") for name in names}
    chat(guarded, "secret-headers", headers=secrets)
    row = row_of(guarded, "secret-headers")
    assert row["request_headers"]["x-my-token"] == "[REDACTED]"
    assert row["request_headers"]["x-note"] == "[REDACTED:openai_key]"
    assert row["redaction_count"] == len(names)
    assert_nowhere(guarded, *secrets.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_in_a_body_is_not_logged(guarded: RunningGateway, simulated: SimulatedServer, kind: str) -> None:
    secret, request_id = canary(kind), f"secret-body-{kind}"
    text = f"before {secret} after"
    body = {"model": "gpt-5.5", "messages": [{"role": "user", "content": text}], "metadata": {"note": text}}
    simulated.behave(f"text={quote(text)}")
    answer = chat(guarded, request_id, body)
    row = row_of(guarded, request_id)
    assert answer.json["choices"][0]["message"]["content"] == text
    logged = json.loads(row["request_body"])["messages"][0]["content"]
    assert logged.startswith("before [REDACTED:")
    assert logged.endswith("] after")
    assert row["redaction_count"] == 3
    assert_nowhere(guarded, secret)


def test_a_secret_in_a_tools_arguments_is_not_logged(guarded: RunningGateway) -> None:
    secret = canary("github")
    call = {"name": "find", "arguments": json.dumps({"city": json.dumps({"token": secret})})}
    messages = [
        *USER,
        {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "found"},
    ]
    chat(guarded, "secret-arguments", {"model": "gpt-5.5", "messages": messages})
    row = row_of(guarded, "secret-arguments")
    assert row["redaction_count"] == 1
    assert json.loads(row["request_body"])["messages"][1]["tool_calls"][0]["function"]["name"] == "find"
    assert_nowhere(guarded, secret)


def test_a_secret_in_a_query_tags_and_session_is_not_logged(guarded: RunningGateway) -> None:
    secrets = [canary("openai") for _ in range(4)]
    chat(
        guarded,
        "secret-query",
        path=f"/v1/chat/completions?key={secrets[0]}&note={secrets[1]}",
        headers={
            "x-tollhouse-tags": json.dumps({"build": secrets[2]}),
            "x-tollhouse-session-id": secrets[3],
        },
    )
    row = row_of(guarded, "secret-query")
    assert row["query"] == "key=[REDACTED]&note=[REDACTED:openai_key]"
    assert row["request_tags"] == {"build": "[REDACTED:openai_key]"}
    assert_nowhere(guarded, *secrets)


def test_a_key_in_geminis_query_is_not_logged(guarded: RunningGateway) -> None:
    path = f"/v1beta/models/gemini-3.1-pro:generateContent?key={guarded.key}"
    body = {"contents": [{"role": "user", "parts": [{"text": "Why?"}]}]}
    answer = guarded.call(path, body, key="", headers={"x-request-id": "secret-gemini"})
    row = row_of(guarded, "secret-gemini")
    assert answer.status == 200
    assert (row["query"], row.get("redaction_count", 0)) == ("key=[REDACTED]", 0)
    assert_nowhere(guarded)


def test_the_providers_own_key_in_its_error_is_not_logged(guarded: RunningGateway, simulated: SimulatedServer) -> None:
    secret = canary("anthropic")
    message = f"Incorrect API key provided: {PROVIDER_KEY}, or {secret}"
    simulated.answer(json.dumps({"error": {"message": message, "code": "invalid_api_key"}}).encode(), status=401)
    answer = chat(guarded, "secret-error")
    row = row_of(guarded, "secret-error")
    assert answer.status == 401
    assert "[REDACTED:" in row["response_body"]
    assert "[REDACTED:" in row["error_message"]
    assert_nowhere(guarded, secret)


def test_a_secret_split_over_two_events_is_not_logged(guarded: RunningGateway, simulated: SimulatedServer) -> None:
    secret = canary("openai")
    simulated.answer(chat_stream([secret[:15], secret[15:]]), headers=SSE)
    answer = chat(guarded, "secret-split", {"model": "gpt-5.5", "messages": USER, "stream": True})
    row = row_of(guarded, "secret-split")
    assert secret[15:].encode() in answer.body
    assert json.loads(row["response_body"])["choices"][0]["message"]["content"] == "[REDACTED:openai_key]"
    assert row["redaction_count"] == 1
    assert_nowhere(guarded, secret, secret[15:])


def test_a_secret_split_over_events_that_nobody_knows_is_not_logged(
    guarded: RunningGateway, simulated: SimulatedServer
) -> None:
    secret = canary("openai")
    strange = [{"type": "response.strange", "delta": part} for part in (secret[:15], secret[15:])]
    events = [*strange, {"type": "response.completed", "response": {"id": "resp_1", "output": [], "usage": None}}]
    stream = b"".join(b"event: %s\ndata: %s\n\n" % (e["type"].encode(), json.dumps(e).encode()) for e in events)
    simulated.answer(stream, headers=SSE)
    body = {"model": "resp-5.5", "input": "Why?", "stream": True, "store": False}
    chat(guarded, "secret-strange", body, path="/v1/responses")
    row = row_of(guarded, "secret-strange")
    assert "[REDACTED" in row["raw_events"]
    assert row["redaction_count"] >= 1
    assert_nowhere(guarded, secret, secret[15:])


def test_a_secret_in_bytes_that_are_no_text_is_not_logged(guarded: RunningGateway, simulated: SimulatedServer) -> None:
    secret = canary("openai")
    raw = b'{"error": {"message": "\xff\xfe ' + secret.encode() + b'"}}'
    simulated.answer(raw, status=400)
    answer = chat(guarded, "secret-bytes")
    row = row_of(guarded, "secret-bytes")
    assert answer.body == raw
    assert row["response_body_encoding"] == "base64"
    assert b"[REDACTED:openai_key]" in base64.b64decode(row["response_body"])
    assert secret.encode() not in base64.b64decode(row["response_body"])
    assert_nowhere(guarded, secret)


def test_a_translated_call_hides_secrets_on_both_sides(guarded: RunningGateway, simulated: SimulatedServer) -> None:
    secret = canary("anthropic")
    simulated.behave(f"text={quote(secret)}")
    body = {"model": "claude-opus-5", "messages": [{"role": "user", "content": secret}]}
    answer = chat(guarded, "secret-translated", body)
    row = row_of(guarded, "secret-translated")
    assert answer.json["choices"][0]["message"]["content"] == secret
    assert row["redaction_count"] == 4
    assert_nowhere(guarded, secret)


def test_a_key_that_is_not_known_is_not_logged(guarded: RunningGateway) -> None:
    secret = canary("gateway")
    answer = chat(guarded, "secret-unknown", key=secret)
    row = row_of(guarded, "secret-unknown")
    assert answer.status == 401
    assert row["payload_state"] == "unauthenticated"
    assert "request_body" not in row
    assert_nowhere(guarded, secret)


def test_text_that_only_looks_a_little_like_a_secret_is_logged_as_it_is(guarded: RunningGateway) -> None:
    text = "sk-learn, AIza, ghp_x, th_is is no key, eyJ, the token bucket, password: hunter2"
    chat(guarded, "secret-none", {"model": "gpt-5.5", "messages": [{"role": "user", "content": text}]})
    row = row_of(guarded, "secret-none")
    assert json.loads(row["request_body"])["messages"][0]["content"] == text
    assert row.get("redaction_count", 0) == 0


def test_the_providers_key_reaches_the_provider(guarded: RunningGateway, simulated: SimulatedServer) -> None:
    digest = hashlib.sha256(PROVIDER_KEY.encode()).hexdigest()
    chat(guarded, "secret-sent")
    assert dict(simulated.last()["request_headers"])["authorization"] == f"Bearer sha256:{digest}"


def chat_stream(pieces: list[str]) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5.5"}
    deltas = [{"index": 0, "delta": {"content": piece}, "finish_reason": None} for piece in pieces]
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    events = [json.dumps({**chunk, "choices": [choice]}) for choice in (*deltas, last)]
    return "".join(f"data: {event}\n\n" for event in (*events, "[DONE]")).encode()
