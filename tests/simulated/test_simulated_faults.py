"""Every behaviour as bytes on a connection, and the ledger's word for it."""

import gzip
import json
import time
from typing import Any

import pytest
from bare_http import ANTHROPIC, CHAT, CONTENTS, GEMINI, MESSAGES, OPENAI, RESPONSES, Received, sent
from simulated_server import SimulatedServer

GEMINI_STREAM = "/v1beta/models/m:streamGenerateContent"
STREAMS: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", OPENAI, CHAT | {"stream": True}),
    "responses": ("/v1/responses", OPENAI, RESPONSES | {"stream": True}),
    "messages": ("/v1/messages", ANTHROPIC, MESSAGES | {"stream": True}),
    "gemini": (f"{GEMINI_STREAM}?alt=sse", GEMINI, CONTENTS),
    "gemini array": (GEMINI_STREAM, GEMINI, CONTENTS),
}
PROTOCOLS = pytest.mark.parametrize("protocol", STREAMS)


def stream(server: SimulatedServer, behaviour: str, protocol: str = "chat", **more: Any) -> Received:
    path, headers, body = STREAMS[protocol]
    return sent(server.url, path, headers | {"x-simulated": behaviour}, body, **more)


def unary(server: SimulatedServer, behaviour: str, **more: Any) -> Received:
    return sent(server.url, "/v1/chat/completions", OPENAI | {"x-simulated": behaviour}, CHAT, **more)


def test_a_behaviour_comes_by_header_by_base_url_or_from_the_queue(simulated: SimulatedServer) -> None:
    simulated.behave("text=queued", path="/v1/chat/*", model="gpt-5*")
    texts = [
        sent(simulated.behaving("text=based; words=3"), "/v1/chat/completions", OPENAI, CHAT),
        sent(simulated.behaving("text=based; words=3"), "/v1/chat/completions", OPENAI, CHAT),
        unary(simulated, "text=said%3B twice"),
    ]

    assert [text.json()["choices"][0]["message"]["content"] for text in texts] == ["queued", "based", "said; twice"]
    assert simulated.ledger()[1]["path"] == "/v1/chat/completions"
    assert simulated.ledger()[1]["behaviour"] == ";text=based; words=3"


def test_a_queued_behaviour_waits_for_its_call_and_counts_down(simulated: SimulatedServer) -> None:
    simulated.behave("status=503", count=2, model="other")
    first = unary(simulated, "").status
    others = [sent(simulated.url, "/v1/chat/completions", OPENAI, CHAT | {"model": "other"}).status for _ in range(3)]

    assert (first, others) == (200, [503, 503, 200])
    assert simulated.ask("GET", "/-/behaviours") == []


@pytest.mark.parametrize(
    ("behaviour", "complaint"),
    [("stauts=500", "'stauts'"), ("status=lots", "status cannot be 'lots'"), ("split=0", "split"), ("cut=-1", "cut")],
)
def test_a_behaviour_that_does_not_exist_is_named(simulated: SimulatedServer, behaviour: str, complaint: str) -> None:
    answer = unary(simulated, behaviour)

    assert answer.status == 400
    assert complaint in answer.json()["error"]["message"]


@pytest.mark.parametrize("protocol", ["chat", "responses"])
def test_a_status_is_the_providers_own_error(simulated: SimulatedServer, protocol: str) -> None:
    answer = stream(simulated, "status=429; retry_after=2", protocol)

    assert (answer.status, answer.headers["retry-after"]) == (429, "2")
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"
    assert simulated.last()["status"] == 429


def test_anthropics_and_googles_errors_have_their_shape(simulated: SimulatedServer) -> None:
    overloaded = stream(simulated, "status=529", "messages").json()
    unavailable = stream(simulated, "status=503", "gemini").json()

    assert (overloaded["type"], overloaded["error"]["type"]) == ("error", "overloaded_error")
    assert (unavailable["error"]["code"], unavailable["error"]["status"]) == (503, "UNAVAILABLE")


def test_an_error_may_be_html_or_empty_or_huge(simulated: SimulatedServer) -> None:
    assert unary(simulated, "status=502; error_body=html").headers["content-type"] == "text/html"
    assert unary(simulated, "status=500; error_body=empty").headers["content-length"] == "0"
    assert len(unary(simulated, "status=500; error_body=huge").body) > 1 << 20


def test_delays_come_before_the_head_the_content_and_each_event(simulated: SimulatedServer) -> None:
    began = time.monotonic()
    stream(simulated, "first_byte_ms=60; first_content_ms=40; event_ms=10; events=5")
    took = time.monotonic() - began

    assert took >= 0.06 + 0.04 + 7 * 0.01


def test_sizes_are_exact(simulated: SimulatedServer) -> None:
    def deltas(behaviour: str) -> list[str]:
        chunks = [json.loads(event) for event in stream(simulated, behaviour).events()[:-1]]
        return [text for chunk in chunks if (text := chunk["choices"][0]["delta"].get("content"))]

    assert len(deltas("events=57")) == 57
    assert [len(text) for text in deltas("events=9; event_bytes=40")] == [40] * 9
    assert len("".join(deltas("words=12")).split()) == 12
    assert len("".join(deltas("answer_bytes=300000")).encode()) == 300_000
    assert deltas("text=sk-12345678; event_bytes=5") == ["sk-12", "34567", "8"]


@PROTOCOLS
def test_a_cut_stream_ends_cleanly_without_its_end(simulated: SimulatedServer, protocol: str) -> None:
    answer = stream(simulated, "cut=after:3; events=50", protocol)
    call = simulated.last()

    assert answer.is_whole
    assert (call["finish"], call["content_events"]) == ("cut", 3)
    assert call["response_bytes"] == len(answer.body)


@PROTOCOLS
def test_a_reset_is_abrupt_after_what_was_sent(simulated: SimulatedServer, protocol: str) -> None:
    answer = stream(simulated, "reset=after:2", protocol)
    call = simulated.last()

    assert (answer.end, answer.is_whole) == ("reset", False)
    assert (call["finish"], call["content_events"]) == ("reset", 2)
    assert len(answer.body) == call["response_bytes"]


def test_a_reset_may_come_before_the_head(simulated: SimulatedServer) -> None:
    answer = unary(simulated, "reset=head")

    assert (answer.raw, answer.end) == (b"", "reset")
    assert simulated.last()["response_bytes"] == 0


@pytest.mark.parametrize(("behaviour", "has_head"), [("hang=head", False), ("hang=body", True), ("hang=after:2", True)])
def test_a_hanging_answer_ends_when_the_client_leaves(
    simulated: SimulatedServer, behaviour: str, has_head: bool
) -> None:
    answer = stream(simulated, behaviour, wait=0.2)

    assert answer.end == "open"
    assert bool(answer.raw) == has_head
    assert simulated.last()["finish"] == "hung"


def test_a_unary_body_may_hang_or_break_in_the_middle(simulated: SimulatedServer) -> None:
    hung = unary(simulated, "hang=body", wait=0.2)
    reset = unary(simulated, "reset=after:2")
    cut = unary(simulated, "cut=after:2")

    assert (hung.end, reset.end, cut.end) == ("open", "reset", "closed")
    assert len(hung.body) < len(reset.body) < int(reset.headers["content-length"])
    assert cut.is_whole
    assert 0 < len(cut.body) < int(reset.headers["content-length"])


def test_a_truncated_answer_is_shorter_than_it_says(simulated: SimulatedServer) -> None:
    for answer in (unary(simulated, "truncate"), stream(simulated, "truncate")):
        assert 0 < len(answer.body) < int(answer.headers["content-length"])
        assert answer.end == "closed"
        assert simulated.last()["finish"] == "truncated"


def test_a_wrong_length_is_shorter_than_the_body(simulated: SimulatedServer) -> None:
    answer = unary(simulated, "wrong_length")

    assert len(answer.body) > int(answer.headers["content-length"])
    assert simulated.last()["finish"] == "wrong_length"


def test_garbage_is_no_http_or_no_json(simulated: SimulatedServer) -> None:
    assert not unary(simulated, "garbage=head").raw.startswith(b"HTTP")
    body = unary(simulated, "garbage=body")
    assert (body.body, body.is_whole) == (b"\xff\xfe\x00{not json\xc3", True)
    assert stream(simulated, "garbage=body").chunks == [b"data: \xff\xfe\x00{not json\xc3\n\n"]
    assert simulated.last()["finish"] == "garbage"
    whole = stream(simulated, "garbage=event")
    assert b"data: \xff\xfe" in whole.body
    assert whole.chunks[-1] == b"data: [DONE]\n\n"


def test_an_endless_line_has_as_many_bytes(simulated: SimulatedServer) -> None:
    answer = stream(simulated, "endless_line=1000000")

    assert answer.body.rpartition(b"\n")[2] == b'data: {"endless":"' + b"a" * 1_000_000
    assert simulated.last()["finish"] == "endless_line"
    assert len(unary(simulated, "endless_line=70000").body) == 70_000 + len('{"endless":"')


ERRORS = {
    "chat": ['{"error":'],
    "responses": ['"type":"error"', '"type":"response.failed"'],
    "messages": ['"type":"overloaded_error"'],
    "gemini": ['"status":"UNAVAILABLE"'],
}


@pytest.mark.parametrize("protocol", ERRORS)
def test_an_error_inside_a_stream_is_the_protocols_own(simulated: SimulatedServer, protocol: str) -> None:
    answer = stream(simulated, "error_event=after:2", protocol)
    last = answer.events()[-len(ERRORS[protocol]) :]

    assert answer.status == 200
    assert all(part in event for part, event in zip(ERRORS[protocol], last, strict=True))
    assert (simulated.last()["finish"], simulated.last()["content_events"]) == ("error_event", 2)


def test_an_error_may_be_the_first_event_and_ends_a_json_array(simulated: SimulatedServer) -> None:
    assert len(stream(simulated, "error_event=after:0").events()) == 1
    assert stream(simulated, "error_event=after:0", "gemini array").json()[0]["error"]["code"] == 503
    assert stream(simulated, "error_event=after:1", "gemini array").json()[1]["error"]["code"] == 503


@pytest.mark.parametrize(
    ("protocol", "last"),
    [
        ("chat", '"finish_reason":"stop"'),
        ("responses", '"type":"response.output_item.done"'),
        ("messages", '"type":"message_delta"'),
        ("gemini", '"text":"'),
    ],
)
def test_a_stream_without_its_terminal_event(simulated: SimulatedServer, protocol: str, last: str) -> None:
    answer = stream(simulated, "no_terminal", protocol)

    assert last in answer.events()[-1]
    assert simulated.last()["finish"] == "no_terminal"


def test_gzip_comes_although_it_was_not_asked_for(simulated: SimulatedServer) -> None:
    whole, streamed = unary(simulated, "gzip"), stream(simulated, "gzip")

    assert whole.headers["content-encoding"] == streamed.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(whole.body))["object"] == "chat.completion"
    assert gzip.decompress(streamed.body).endswith(b"data: [DONE]\n\n")
    assert simulated.last()["response_bytes"] == len(streamed.body)


@pytest.mark.parametrize("protocol", ["chat", "responses", "messages", "gemini"])
@pytest.mark.parametrize(("lines", "end"), [("crlf", b"\r\n"), ("cr", b"\r")])
def test_line_ends_are_as_asked(simulated: SimulatedServer, protocol: str, lines: str, end: bytes) -> None:
    answer = stream(simulated, f"lines={lines}; events=3", protocol)

    assert answer.body.endswith(end + end)
    assert answer.body.replace(end, b"").count(b"\n") == 0
    assert len(answer.events()) == simulated.last()["events"]


def test_a_split_answer_comes_in_pieces_of_that_size(simulated: SimulatedServer) -> None:
    whole = stream(simulated, "split=7; events=3")

    assert {len(chunk) for chunk in whole.chunks} <= set(range(1, 8))
    assert whole.events()[-1] == "[DONE]"
    assert unary(simulated, "split=1").json()["object"] == "chat.completion"
    assert simulated.ledger()[0]["events"] == 6


def test_comments_and_pings_are_no_events(simulated: SimulatedServer) -> None:
    chat = stream(simulated, "comments=2; events=4")
    messages = stream(simulated, "pings=1; events=4", "messages")

    assert chat.body.startswith(b": a comment\n\ndata: ")
    assert chat.body.count(b": a comment") == 4
    assert simulated.ledger()[0]["events"] == 7
    assert messages.body.count(b"event: ping") == 1 + simulated.last()["events"]
    assert stream(simulated, "pings=2", "gemini array").json()


def test_odd_json_is_valid_and_odd(simulated: SimulatedServer) -> None:
    body = unary(simulated, "odd=all").body
    chunks = stream(simulated, "odd=duplicate_keys").events()

    assert json.loads(body)["simulated_big"] == 123456789012345678901234567890
    assert json.loads(body)["simulated_surrogate"] == "\ud83d"
    assert body.count(b'"id"') == chunks[0].count('"id"') == 2
    assert json.loads(chunks[0])["id"] != "first of two"


@pytest.mark.parametrize("protocol", ["chat", "responses", "messages", "gemini"])
def test_usage_may_be_absent_zero_or_partial(simulated: SimulatedServer, protocol: str) -> None:
    usages = {}
    for shape in ("absent", "zero", "partial"):
        path, headers, body = STREAMS[protocol]
        plain = {name: value for name, value in body.items() if name != "stream"}
        whole = path.replace("streamGenerateContent?alt=sse", "generateContent")
        answer = sent(simulated.url, whole, headers | {"x-simulated": f"usage={shape}"}, plain).json()
        usages[shape] = answer.get("usage") or answer.get("usageMetadata")
        assert simulated.last()["usage"] == usages[shape]
        assert simulated.last()["tokens"]["output"] > 0

    assert usages["absent"] is None
    assert not any(value for value in usages["zero"].values() if isinstance(value, int))
    assert not any(isinstance(value, (dict, list)) for value in usages["partial"].values())


def test_a_partial_message_delta_has_the_output_only(simulated: SimulatedServer) -> None:
    events = [json.loads(event) for event in stream(simulated, "usage=partial", "messages").events()]
    (delta,) = [event for event in events if event["type"] == "message_delta"]

    assert list(delta["usage"]) == ["output_tokens"]


def test_caches_can_be_asked_for_in_every_protocol(simulated: SimulatedServer) -> None:
    behaviour = "cached=3; cache_write=2; cache_write_1h=1"
    asked = [stream(simulated, behaviour, name) for name in ("chat", "responses", "messages", "gemini")]
    usages = [call["tokens"] for call in simulated.ledger()]
    anthropic = simulated.ledger()[2]["usage"]

    assert len(asked) == 4
    assert {usage["cached"] for usage in usages} == {3}
    assert anthropic["input_tokens"] == usages[2]["input"] - 6
    assert anthropic["cache_creation"] == {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 1}
    assert simulated.ledger()[1]["usage"]["input_tokens_details"] == {"cached_tokens": 3, "cache_write_tokens": 3}


def test_an_echo_shows_what_arrived(simulated: SimulatedServer) -> None:
    headers = {"x-odd": "käse", "x-simulated": "echo"}
    body = json.dumps(CHAT).encode()
    answer = sent(simulated.url, "/v1/chat/completions?a=1", OPENAI | headers, body).json()
    seen = json.loads(answer["choices"][0]["message"]["content"])

    assert ["authorization", "Bearer k"] in seen["headers"]
    assert (seen["query"], seen["body_bytes"]) == ("a=1", len(body))
    assert seen["body_sha256"] == simulated.last()["request_sha256"]


def test_reasoning_content_answer_model_and_headers(simulated: SimulatedServer) -> None:
    behaviour = "thinking=50; reasoning_content; answer_model=gpt-5.5-0101; header=x-one: 1|x-two: 2"
    answer = unary(simulated, behaviour)
    streamed = stream(simulated, behaviour).body

    assert len(answer.json()["choices"][0]["message"]["reasoning_content"]) == 50
    assert answer.json()["model"] == "gpt-5.5-0101"
    assert (answer.headers["x-one"], answer.headers["x-two"]) == ("1", "2")
    assert streamed.count(b'"reasoning_content":') == 3


def test_a_recorded_answer_is_given_byte_for_byte(simulated: SimulatedServer) -> None:
    body = b'data: {"x": "\xc3\xa9"}\r\n\r\ndata: [DONE]\n\n'
    headers = [("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked"), ("x-request-id", "req_1")]
    simulated.answer(body, status=201, headers=headers, chunks=[1, 20], path="/v1/messages")
    answer = stream(simulated, "", "messages")

    assert answer.status == 201
    assert answer.headers["x-request-id"] == "req_1"
    assert answer.chunks == [body[:1], body[1:21], body[21:]]
    assert simulated.last()["usage"] is None


def test_a_recorded_answer_without_chunks_has_its_length(simulated: SimulatedServer) -> None:
    simulated.answer(b"", status=204, headers=[])
    answer = unary(simulated, "")

    assert (answer.status, answer.headers["content-length"]) == (204, "0")
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("body", ["", None])
@pytest.mark.parametrize("chunks", [None, [], [0]])
def test_a_recorded_answer_may_be_empty(simulated: SimulatedServer, body: str | None, chunks: list[int] | None) -> None:
    queued = {"verbatim": {"body_base64": body, "chunks": chunks}}
    simulated.ask("POST", "/-/behaviours", json.dumps(queued).encode())
    answer = unary(simulated, "")

    assert (answer.status, answer.body, answer.is_whole) == (200, b"", True)
    assert answer.raw.endswith(b"\r\n\r\n" if chunks is None else b"\r\n\r\n0\r\n\r\n")
    assert answer.raw.count(b"0\r\n\r\n") == 1


def test_close_ends_the_connection_and_burst_joins_events(simulated: SimulatedServer) -> None:
    assert unary(simulated, "close").headers["connection"] == "close"
    began = time.monotonic()
    stream(simulated, "events=40; event_ms=20; burst=20")

    assert 0.02 <= time.monotonic() - began < 0.6
