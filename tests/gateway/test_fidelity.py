"""In the caller's own protocol bytes pass as they are: what arrives at the provider, and what comes back, and when."""

import hashlib
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest
from official_clients import row_of, rows_of
from running_gateway import RunningGateway, endpoints
from simulated_server import SimulatedServer

from tollhouse.gateway.configuration.document import TransportName

ODD_BODIES = {
    "white space": b' {\r\n\t"model" :  "gpt-5.5" ,"messages":[ {"role":"user","content":"hi"} ]\n}\n\n',
    "repeated keys": b'{"model":"gpt-5.5","x":1,"x":2,"messages":[{"role":"user","role":"user","content":"hi"}]}',
    "great numbers": b'{"model":"gpt-5.5","seed":123456789012345678901234567890,"big":1e999,"messages":'
    b'[{"role":"user","content":"hi"}],"temperature":1.0000000000000000000001}',
    "lone surrogates": b'{"model":"gpt-5.5","messages":[{"role":"user","content":"\\ud83d alone"}]}',
    "unknown members": b'{"model":"gpt-5.5","new":{"deep":[null,{}]},"messages":[{"role":"user","content":"hi"}]}',
    "escapes": b'{"\\u006dodel":"gpt\\u002d5.5","messages":[{"role":"user","content":"\\u00e9\\/"}]}',
    "unicode": '{"model":"gpt-5.5","messages":[{"role":"user","content":"東京 🙂 \u2028"}]}'.encode(),
}
CHAT = "/v1/chat/completions"
SSE = [("content-type", "text/event-stream")]
MEGABYTE = 1 << 20
IDLE_SECONDS = 1.0
# Bytes as http.client shows them: "café" in Latin-1 and in UTF-8.
not_ascii = pytest.mark.parametrize("value", ["caf\xe9", "caf\xc3\xa9"], ids=["latin-1", "utf-8"])


@pytest.fixture(autouse=True)
def _nothing_queued(simulated: SimulatedServer) -> None:
    simulated.clear()


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer) -> Iterator[RunningGateway]:
    """One with an endpoint that renames its model, others that log less, and a limit of 64 kB an event."""
    openai = [{"provider": "openai"}]
    served = endpoints() | {
        "renamed": {"models": ["alias"], "destinations": [{"provider": "openai", "model": "gpt-real"}]},
        "quiet": {"models": ["quiet"], "destinations": openai, "payloads": {"mode": "off"}},
        "rare": {
            "models": ["rare"],
            "destinations": openai,
            "payloads": {"mode": "sampled", "sampling_fraction": 0.0},
        },
        "short": {"models": ["short"], "destinations": openai, "payloads": {"max_bytes": 200}},
        "hasty": {
            "models": ["hasty"],
            "destinations": openai,
            "timeouts": {"idle_ms": round(IDLE_SECONDS * 1000)},
        },
    }
    with RunningGateway(
        tmp_path_factory.mktemp("narrow"), simulated.url, endpoints=served, limits={"event_bytes": 65_536}
    ) as running:
        yield running


@pytest.fixture(scope="module", params=get_args(TransportName))
def over_each_transport(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer
) -> Iterator[RunningGateway]:
    with RunningGateway(tmp_path_factory.mktemp("each"), simulated.url, transport=request.param) as running:
        yield running


def body_for(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}


@pytest.mark.parametrize("name", ODD_BODIES)
def test_a_request_arrives_with_the_bytes_that_were_sent(
    gateway: RunningGateway, simulated: SimulatedServer, name: str
) -> None:
    body = ODD_BODIES[name]
    simulated.answer(b"{}")
    request_id = f"fidelity-{name.replace(' ', '-')}"
    assert gateway.call(CHAT, body, headers={"x-request-id": request_id}).status == 200
    digest = hashlib.sha256(body).hexdigest()
    assert simulated.last()["request_sha256"] == digest
    row = row_of(gateway, request_id)
    assert (row["request_sha256"], row["request_bytes"]) == (digest, len(body))
    assert row["request_body"].encode() == body


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", b'{"input": "hi",\n "model":"resp-1", "x":1, "x":2}'),
        ("/v1/messages", b'{"max_tokens":9,\t"messages":[{"role":"user","content":"hi"}],"model":"claude-opus-5"} '),
        ("/v1beta/models/gemini-3.1-pro:generateContent", b'{"contents":[{"parts":[{"text":"hi"}]}] , "y":1e999}'),
        ("/v1/embeddings", b'{"input": "hi",   "model":"text-embedding-3-small"}'),
    ],
)
def test_other_protocols_requests_arrive_as_they_were_sent(
    gateway: RunningGateway, simulated: SimulatedServer, path: str, body: bytes
) -> None:
    simulated.answer(b"{}")
    assert gateway.call(path, body).status == 200
    assert simulated.last()["request_sha256"] == hashlib.sha256(body).hexdigest()


def test_a_renamed_model_changes_only_its_own_bytes(narrow: RunningGateway, simulated: SimulatedServer) -> None:
    body = b'{ "x":"model", "metadata":{"model":"alias"},\n"model" : "alias" , "x":"alias","messages":[]}'
    simulated.answer(b"{}")
    narrow.call(CHAT, body)
    expected = body.replace(b'"model" : "alias"', b'"model" : "gpt-real"')
    assert simulated.last()["request_sha256"] == hashlib.sha256(expected).hexdigest()


def test_headers_that_nobody_knows_arrive(gateway: RunningGateway, simulated: SimulatedServer) -> None:
    sent = {
        "anthropic-beta": "context-1m-2031,other",
        "openai-organization": "org",
        "x-stainless-lang": "python",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "x-new-header": "anything; at=all",
        "user-agent": "Tests/1",
    }
    gateway.call(CHAT, body_for("gpt-5.5"), headers=sent)
    assert sent.items() <= dict(simulated.last()["request_headers"]).items()


@not_ascii
def test_an_answers_header_that_is_not_ascii_passes_as_it_is(
    over_each_transport: RunningGateway, simulated: SimulatedServer, value: str
) -> None:
    simulated.answer(b"{}", headers=[("content-type", "application/json"), ("x-city", value)])
    answer = raw_call(over_each_transport, {"authorization": f"Bearer {over_each_transport.key}"})
    assert (answer.status, answer.getheader("x-city")) == (200, value)


@not_ascii
def test_a_requests_header_that_is_not_ascii_arrives_as_it_is(
    request: pytest.FixtureRequest, over_each_transport: RunningGateway, simulated: SimulatedServer, value: str
) -> None:
    if over_each_transport.document["transport"] == "aiohttp" and value == "caf\xe9":
        request.applymarker(pytest.mark.xfail(reason="aiohttp writes the headers of a request in UTF-8"))
    headers = {"x-city": value, "authorization": f"Bearer {over_each_transport.key}"}
    assert raw_call(over_each_transport, headers).status == 200
    assert dict(simulated.last()["request_headers"])["x-city"] == value


def test_headers_of_the_way_and_credentials_do_not_arrive(gateway: RunningGateway, simulated: SimulatedServer) -> None:
    kept_back = {
        "te": "trailers",
        "keep-alive": "timeout=5",
        "proxy-authorization": "Basic eDp5",
        "x-mine": "listed",
        "x-api-key": "k1",
        "api-key": "k2",
        "x-goog-api-key": "k3",
        "cookie": "a=b",
        "x-amz-security-token": "k4",
        "x-forwarded-for": "1.2.3.4",
        "x-forwarded-proto": "https",
        "forwarded": "for=1.2.3.4",
        "via": "1.1 x",
        "x-tollhouse-tags": "a=b",
        "x-tollhouse-key": gateway.key,
        "x-real-ip": "1.2.3.4",
    }
    own = {"connection": "close, X-Mine", "accept-encoding": "gzip, br", "authorization": f"Bearer {gateway.key}"}
    headers = {**kept_back, **own}
    assert raw_call(gateway, headers).status == 200
    arrived = dict(simulated.last()["request_headers"])
    assert not arrived.keys() & kept_back.keys()
    assert arrived["accept-encoding"] == "identity"
    assert arrived["authorization"].startswith("Bearer sha256:")
    assert hashlib.sha256(gateway.key.encode()).hexdigest() not in arrived["authorization"]


def test_a_response_and_its_headers_pass_as_they_are(gateway: RunningGateway, simulated: SimulatedServer) -> None:
    body = b' {"id":"x",  "choices": [ ],"usage":null, "n":1e999, "s":"\\ud83d","s":2}\n'
    passed = [
        ("content-type", "application/json; charset=utf-8"),
        ("x-ratelimit-remaining", "7"),
        ("x-odd", "anything; at=all"),
    ]
    simulated.answer(body, headers=[*passed, ("set-cookie", "a=b"), ("keep-alive", "timeout=9"), ("alt-svc", "h3")])
    answer = gateway.call(CHAT, body_for("gpt-5.5"))
    assert answer.body == body
    assert set(passed) <= set(answer.headers.items())
    assert not answer.headers.keys() & {"set-cookie", "keep-alive", "alt-svc"}


def test_what_a_provider_compresses_unasked_is_read(gateway: RunningGateway, simulated: SimulatedServer) -> None:
    simulated.behave("gzip; text=plain")
    answer = gateway.call(CHAT, body_for("gpt-5.5"), headers={"x-request-id": "fidelity-gzip"})
    assert answer.json["choices"][0]["message"]["content"] == "plain"
    assert "content-encoding" not in answer.headers
    assert row_of(gateway, "fidelity-gzip")["response_body"].encode() == answer.body


def test_the_usage_chunk_is_hidden_only_from_whom_did_not_ask(
    gateway: RunningGateway, simulated: SimulatedServer
) -> None:
    for options, is_shown in (
        (None, False),
        ({"include_usage": False, "include_obfuscation": False}, False),
        ({"include_usage": True}, True),
    ):
        body = body_for("gpt-5.5", stream=True, **({"stream_options": options} if options else {}))
        request_id = f"fidelity-usage-{json.dumps(options)}".replace('"', "")
        answer = gateway.call(CHAT, body, headers={"x-request-id": request_id})
        assert (b'"choices":[]' in answer.body) == is_shown
        assert answer.body.endswith(b"data: [DONE]\n\n")
        usage = row_of(gateway, request_id)["attempts"][0]["usage"]
        assert usage == simulated.last()["usage"]
        if is_shown:
            assert simulated.last()["request_sha256"] == hashlib.sha256(json.dumps(body).encode()).hexdigest()


def test_comments_and_odd_events_pass_as_they_are(gateway: RunningGateway, simulated: SimulatedServer) -> None:
    stream = (
        b"\xef\xbb\xbf: a comment\n\n:\r\n\r\nretry: 5\nid: 7\n\nevent: new\ndata: {not json\n\n"
        b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}],"x":1,"x":2}\n\n'
        b"data: [DONE]\n\n: after\n\n"
    )
    simulated.answer(stream, headers=SSE)
    assert gateway.call(CHAT, body_for("gpt-5.5", stream=True)).body == stream


def test_a_stream_that_hangs_after_comments_ends_by_its_idle_limit(
    narrow: RunningGateway, simulated: SimulatedServer
) -> None:
    simulated.behave("text=first words of it; comments=1; hang=after:4")
    answer = narrow.call(CHAT, body_for("hasty", stream=True), headers={"x-request-id": "fidelity-hung"})
    assert answer.status == 200
    *events, last = [event for event in answer.body.split(b"\n\n") if event]
    assert (events.count(b": a comment"), answer.body.count(b'"content":')) == (5, 5)
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "upstream_timeout"
    row = row_of(narrow, "fidelity-hung")
    assert (row["outcome"], row["error_code"]) == ("cut", "upstream_timeout")
    assert simulated.last()["finish"] == "hung"
    assert rows_of(narrow, "fidelity-hung") == [row]


def test_comments_are_signs_of_life(narrow: RunningGateway, simulated: SimulatedServer) -> None:
    event = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'
    comment, count = b": still there\n\n", 10
    simulated.answer(
        event + comment * count + b"data: [DONE]\n\n",
        headers=SSE,
        chunks=[len(event), *[len(comment)] * count],
        behaviour=f"event_ms={round(IDLE_SECONDS * 1000 * 1.5 / count)}",
    )
    answer = narrow.call(CHAT, body_for("hasty", stream=True), headers={"x-request-id": "fidelity-comments"})
    assert answer.body == event + comment * count + b"data: [DONE]\n\n"
    assert row_of(narrow, "fidelity-comments")["outcome"] == "completed"


def test_events_pass_while_the_provider_has_not_ended(gateway: RunningGateway, simulated: SimulatedServer) -> None:
    simulated.behave("hang=after:3; words=20")
    with stream_of(gateway, body_for("gpt-5.5", stream=True)) as response:
        head = b""
        while head.count(b'"content":') < 3:
            head += response.read1(65_536)
        assert simulated.ledger()[-1]["finish"] == "open"


def test_marks_of_the_client_are_in_the_row(gateway: RunningGateway) -> None:
    headers = {
        "user-agent": "OpenAI/Python 3.0",
        "x-tollhouse-tags": '{"build": "77"}',
        "x-tollhouse-session-id": "session-of-fidelity",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "x-request-id": "fidelity-marks",
    }
    gateway.call(CHAT, body_for("gpt-5.5"), headers=headers)
    row = row_of(gateway, "fidelity-marks")
    assert row["request_tags"] == {"build": "77"}
    assert (row["session_id"], row["client_kind"]) == ("session-of-fidelity", "openai-python")
    assert (row["trace_id"], row["span_id"]) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


def test_tags_that_cannot_be_read_are_named_in_the_row_and_the_call_is_served(gateway: RunningGateway) -> None:
    headers = {"x-tollhouse-tags": '{"a": 1}', "x-request-id": "fidelity-bad-tags"}
    assert gateway.call(CHAT, body_for("gpt-5.5"), headers=headers).status == 200
    row = row_of(gateway, "fidelity-bad-tags")
    assert row["logging_error_codes"] == ["INVALID_REQUEST_TAGS"]
    assert "request_tags" not in row


@pytest.mark.parametrize(
    ("model", "state", "codes"),
    [
        ("quiet", "off", []),
        ("rare", "sampled_out", []),
        ("short", "oversize", ["MAX_RESPONSE_SIZE_EXCEEDED"]),
    ],
)
def test_an_endpoint_that_logs_less_leaves_bodies_out(
    narrow: RunningGateway, model: str, state: str, codes: list[str]
) -> None:
    assert narrow.call(CHAT, body_for(model), headers={"x-request-id": f"fidelity-{model}"}).status == 200
    row = row_of(narrow, f"fidelity-{model}")
    assert row["payload_state"] == state
    assert "response_body" not in row
    assert ("request_body" in row) == bool(codes)
    assert row.get("logging_error_codes", []) == codes
    assert row["attempts"][0]["usage"]["total_tokens"] > 0
    assert row["request_sha256"]


def test_a_request_too_long_for_its_row_is_served(narrow: RunningGateway) -> None:
    body = body_for("short", padding="x" * 300)
    assert narrow.call(CHAT, body, headers={"x-request-id": "fidelity-long"}).status == 200
    row = row_of(narrow, "fidelity-long")
    assert row["payload_state"] == "oversize"
    assert row["logging_error_codes"] == ["MAX_REQUEST_SIZE_EXCEEDED", "MAX_RESPONSE_SIZE_EXCEEDED"]
    assert "request_body" not in row


def test_an_endless_line_streams_through(narrow: RunningGateway, simulated: SimulatedServer) -> None:
    check_endless_line(narrow, simulated, 8 * MEGABYTE)


@pytest.mark.proof
def test_an_endless_line_of_100_megabytes_streams_through(narrow: RunningGateway, simulated: SimulatedServer) -> None:
    check_endless_line(narrow, simulated, 100 * MEGABYTE)


def check_endless_line(gateway: RunningGateway, simulated: SimulatedServer, size: int) -> None:
    narrowest = max(map(resident_bytes, gateway.workers()))
    simulated.behave(f"endless_line={size}")
    got = 0
    with stream_of(gateway, body_for("gpt-5.5", stream=True)) as response:
        while got < size and (piece := response.read1(MEGABYTE)):
            got += piece.count(b"a")
        most = max(map(resident_bytes, gateway.workers()))
    assert got >= size
    # The row keeps up to payloads.max_bytes (10 MB) of what no event could hold.
    assert most - narrowest < min(size * 4, 40 * MEGABYTE)


def resident_bytes(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


@contextmanager
def stream_of(gateway: RunningGateway, body: dict[str, Any]) -> Iterator[http.client.HTTPResponse]:
    """The response while it comes; the connection is closed at the end of the block."""
    url = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=20)
    headers = {"content-type": "application/json", "authorization": f"Bearer {gateway.key}"}
    connection.request("POST", CHAT, json.dumps(body), headers)
    response = connection.getresponse()
    try:
        yield response
    finally:
        response.close()
        connection.close()


def raw_call(gateway: RunningGateway, headers: dict[str, str]) -> http.client.HTTPResponse:
    """A call with exactly these headers, and those that a body needs."""
    url = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=20)
    try:
        connection.request("POST", CHAT, json.dumps(body_for("gpt-5.5")), headers)
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()
