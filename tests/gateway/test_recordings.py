"""Recorded traffic replayed as the upstream of a running gateway, and streams split wherever they can be."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from gateway.test_recorded_answers import RECORDED, USAGE_MEMBERS, USAGES, stream_of, wire_of
from official_clients import row_of, spooled
from running_gateway import Answer, RunningGateway, fetch
from simulated_server import SimulatedServer

ENDPOINTS = {
    "openai_chat": "openai",
    "openai_responses": "openai",
    "anthropic_messages": "anthropic",
    "gemini": "gemini",
}
CASSETTES = sorted(RECORDED.glob("*/*.yaml"))
HIDDEN = {"connection", "set-cookie", "alt-svc", "strict-transport-security", "content-encoding", "content-length"}
HIDDEN |= {"transfer-encoding", "keep-alive"}


def path_here(uri: str) -> str:
    """The gateway's path of a provider's URL; a provider's own paths beyond its protocol stay as they are."""
    url = urlsplit(uri)
    query = f"?{url.query}" if url.query else ""
    wire = wire_of(uri)
    if wire is None:
        return f"/recorded{url.path}{query}"
    if wire == "gemini":
        return f"/v1beta/models/{url.path.rpartition('/models/')[2]}{query}"
    for suffix in ("/chat/completions", "/messages/count_tokens", "/messages"):
        if url.path.endswith(suffix):
            return f"/v1{suffix}"
    return f"/v1/responses{url.path.partition('/responses')[2]}{query if wire == 'openai_responses' else ''}"


def model_of(exchange: Any) -> str | None:
    uri = exchange["request"]["uri"]
    if wire_of(uri) == "gemini":
        return urlsplit(uri).path.rpartition("/models/")[2].partition(":")[0]
    return (exchange["request"].get("parsed_body") or {}).get("model")


@pytest.fixture(scope="module")
def replaying(tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer) -> Iterator[RunningGateway]:
    """A gateway whose endpoints leave every recorded model's name as it is."""
    models: dict[str, set[str]] = {name: set() for name in ENDPOINTS.values()}
    for file in CASSETTES:
        for exchange in yaml.safe_load(file.read_text())["interactions"]:
            wire, model = wire_of(exchange["request"]["uri"]), model_of(exchange)
            if wire is not None and model is not None:
                models[ENDPOINTS[wire]].add(model)
    served = {
        name: {"models": sorted(found), "destinations": [{"provider": name}], "retries": {"attempts": 0}}
        for name, found in models.items()
        if found
    }
    with RunningGateway(tmp_path_factory.mktemp("replaying"), simulated.url, endpoints=served) as running:
        yield running


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers of ../shared/data are not here")
@pytest.mark.parametrize("file", CASSETTES, ids=lambda file: file.stem)
def test_every_recorded_exchange_passes_byte_for_byte(
    replaying: RunningGateway, simulated: SimulatedServer, file: Any
) -> None:
    for number, exchange in enumerate(yaml.safe_load(file.read_text())["interactions"]):
        replay(replaying, simulated, exchange, f"recorded-{file.stem}-{number}")


def replay(gateway: RunningGateway, simulated: SimulatedServer, exchange: Any, request_id: str) -> None:
    simulated.clear()
    asked, recorded = exchange["request"], exchange["response"]
    wire = wire_of(asked["uri"])
    is_stream = "event-stream" in recorded["headers"].get("content-type", [""])[0]
    answered = stream_of(recorded)[0] if is_stream else json.dumps(recorded.get("parsed_body")).encode()
    headers = [(name, value) for name, values in recorded["headers"].items() for value in values]
    headers = [pair for pair in headers if pair[0].lower() not in HIDDEN]
    if wire is not None:
        simulated.answer(answered, status=recorded["status"]["code"], headers=headers)
    body = json.dumps(asked["parsed_body"]).encode() if "parsed_body" in asked else None
    method, path = asked["method"], path_here(asked["uri"])
    answer = gateway.call(path, body, method=method, headers={"x-request-id": request_id})
    if wire is None:
        assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")
        return
    row = row_of(gateway, request_id)
    assert answer.status == row["status_code"] == recorded["status"]["code"], answer.body
    assert {(name.lower(), value) for name, value in headers if len(recorded["headers"][name]) == 1} <= set(
        answer.headers.items()
    )
    check_body(answer, row, answered)
    check_usage(row, recorded, wire, is_stream=is_stream)
    if body is not None and not adds_usage(wire, asked["parsed_body"]):
        assert simulated.last()["request_sha256"] == hashlib.sha256(body).hexdigest()


def check_body(answer: Answer, row: dict[str, Any], answered: bytes) -> None:
    if row["outcome"] == "completed":
        assert answer.body == answered
    else:
        # A recording that its client left: the gateway says in its own event that the end is missing.
        assert row["outcome"] == "cut"
        assert answer.body.startswith(answered)


def check_usage(row: dict[str, Any], recorded: Any, wire: str, *, is_stream: bool) -> None:
    if row["outcome"] != "completed":
        return
    usage = USAGES[wire](stream_of(recorded)[1]) if is_stream else recorded["parsed_body"].get(usage_member(wire))
    assert row["attempts"][0].get("usage") == usage


def usage_member(wire: str) -> str:
    return USAGE_MEMBERS.get(wire, "usage")


def adds_usage(wire: str, body: Any) -> bool:
    """Whether the gateway asks for the usage chunk that the client did not ask for."""
    return wire == "openai_chat" and body.get("stream") and not (body.get("stream_options") or {}).get("include_usage")


PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "gemini": "/v1beta/models/gemini-3.1-pro:streamGenerateContent?alt=sse",
}
USER = [{"role": "user", "content": "Please find it and say why."}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "find", "parameters": SCHEMA}
BODIES: dict[str, dict[str, Any]] = {
    "openai_chat": {
        "model": "gpt-5.5",
        "messages": USER,
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [{"type": "function", "function": FUNCTION}],
    },
    "openai_responses": {
        "model": "resp-5.5",
        "input": USER,
        "stream": True,
        "store": False,
        "tools": [{"type": "function", "strict": False, **FUNCTION}],
    },
    "anthropic_messages": {
        "model": "claude-opus-5",
        "max_tokens": 4000,
        "messages": USER,
        "stream": True,
        "tools": [{"name": "find", "input_schema": SCHEMA}],
    },
    "gemini": {
        "contents": [{"role": "user", "parts": [{"text": "Please find it and say why."}]}],
        "tools": [{"functionDeclarations": [FUNCTION]}],
    },
}
LINE_ENDS = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r"}
# What two calls of the same stream may differ in.
OWN = {"invocation_id", "request_id", "event_time", "recorded_at", "sequence", "request_headers", "deadline"}
MEASURED = {"latency_ms", "time_to_first_byte_ms", "queue_ms", "upstream_ms", "start_time", "milliseconds", "crc32c"}


@pytest.mark.parametrize("ends", LINE_ENDS)
@pytest.mark.parametrize("wire", PATHS)
def test_a_stream_gives_the_same_row_wherever_it_is_split(
    gateway: RunningGateway, simulated: SimulatedServer, wire: str, ends: str
) -> None:
    stream = made_stream(simulated, wire, ends)
    places = range(1, len(stream), max(1, len(stream) // 12))
    check_splits(gateway, simulated, wire, stream, [[place] for place in places] + [[7] * (len(stream) // 7)])


@pytest.mark.proof
@pytest.mark.parametrize("ends", LINE_ENDS)
@pytest.mark.parametrize("wire", PATHS)
def test_a_stream_split_at_every_byte_gives_the_same_row(
    gateway: RunningGateway, simulated: SimulatedServer, wire: str, ends: str
) -> None:
    # A call each byte: of forty events that would be a hundred thousand calls.
    stream = made_stream(simulated, wire, ends, events=8)
    check_splits(gateway, simulated, wire, stream, [[place] for place in range(1, len(stream))] + [[1] * len(stream)])


def made_stream(simulated: SimulatedServer, wire: str, ends: str, *, events: int = 36) -> bytes:
    """Some more than that many events, with text beyond ASCII and a tool call, with that kind of line end."""
    headers = {"x-simulated": f"events={events}; tools=1", "authorization": "Bearer k", "x-api-key": "k"}
    headers |= {"anthropic-version": "2023-06-01", "x-goog-api-key": "k"}
    answer = fetch(simulated.url + PATHS[wire], json.dumps(BODIES[wire]).encode(), headers)
    assert answer.status == 200, answer.body
    return answer.body.replace(b"\r\n", b"\n").replace(b"\n", LINE_ENDS[ends])


def check_splits(
    gateway: RunningGateway, simulated: SimulatedServer, wire: str, stream: bytes, chunkings: list[list[int]]
) -> None:
    simulated.clear()
    run = f"split-{wire}-{hashlib.sha256(stream).hexdigest()}"
    for number, chunks in enumerate([[], *chunkings]):
        simulated.answer(stream, headers=[("content-type", "text/event-stream")], chunks=chunks or None)
        answer = gateway.call(PATHS[wire], BODIES[wire], headers={"x-request-id": f"{run}-{number}"})
        assert answer.body == stream, chunks
    lines = [line for line in spooled(gateway).split(b"\n") if f'"request_id":"{run}-'.encode() in line]
    rows = [row for row in map(json.loads, lines) if row["record"] == "OUTCOME"]
    assert len(rows) == 1 + len(chunkings)
    first = compared(rows[0])
    assert first["outcome"] == "completed"
    assert first["attempts"][0]["usage"]
    for row in rows[1:]:
        assert compared(row) == first


def compared(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: compared(member) for name, member in value.items() if name not in OWN | MEASURED}
    return [compared(member) for member in value] if isinstance(value, list) else value
