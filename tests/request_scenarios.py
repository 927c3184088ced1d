"""Scenarios of docs/errors.md that the request or its client makes: one function for each case of the table."""

import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

import zstandard
from gateway_cases import Bench, Seen, Spoken, body_of, path_of
from raw_client import RawClient
from running_gateway import Answer

Scenario = Callable[[Bench, Spoken], Seen]
SCENARIOS: dict[str, Scenario] = {}
FULL_BODY_BYTES = 100 * 1024 * 1024
ENDED = "the gateway has ended the call"


def scenario(case: str) -> Callable[[Scenario], Scenario]:
    def register(function: Scenario) -> Scenario:
        assert case not in SCENARIOS
        SCENARIOS[case] = function
        return function

    return register


def simple(case: str, **asked: Any) -> None:
    """A scenario that is one call."""
    scenario(case)(lambda bench, spoken: Seen(bench.ask(spoken, **asked)))


def _encoded(spoken: Spoken) -> bytes:
    return json.dumps(body_of(spoken.caller, spoken.model())).encode()


simple("no key", key="")
simple("unknown key", key="th_abcdefghijkl_" + "0" * 43)


@scenario("expired key")
def expired_key(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, key=bench.keys["expired"]))


@scenario("revoked key")
def revoked_key(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, key=bench.keys["revoked"]))


@scenario("two different keys")
def two_different_keys(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, headers={"x-api-key": bench.keys["other"], "x-goog-api-key": bench.keys["other"]}))


@scenario("group without permission")
def group_without_permission(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, key=bench.keys["stranger"]))


simple("model that no endpoint has", model="no-such-model")
simple("model that the provider does not have", prefix="missing-")
simple("body empty", raw=b"")
simple("body not JSON", raw=b"{'model': 'gpt-5.5'}")
simple("body not an object", raw=b"[1]")
simple("body nested 100,000 deep", raw=b'{"deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
simple("stream not a boolean", changes={"stream": "yes"})
simple("model not a string", changes={"model": 5})


@scenario("no model")
def no_model(bench: Bench, spoken: Spoken) -> Seen:
    body = {name: value for name, value in body_of(spoken.caller, "").items() if name != "model"}
    return Seen(bench.ask(spoken, raw=json.dumps(body).encode()))


@scenario("body with byte order mark")
def body_with_byte_order_mark(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, raw=b"\xef\xbb\xbf" + _encoded(spoken)))


@scenario("body not UTF-8")
def body_not_utf8(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, raw=_encoded(spoken).replace(b"hello", b"h\xe9llo")))


@scenario("key that is read twice in the body")
def key_twice_in_the_body(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, raw=b'{"model":"%b",%b' % (spoken.model().encode(), _encoded(spoken)[1:])))


@scenario("other key twice, big integer, lone surrogate")
def other_oddities(bench: Bench, spoken: Spoken) -> Seen:
    odd = b'{"x_note":1,"x_note":123456789012345678901234567890,"x_half":"\\ud83d",'
    return Seen(bench.ask(spoken, raw=odd + _encoded(spoken)[1:]))


@scenario("body gzip")
def body_gzip(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, raw=gzip.compress(_encoded(spoken)), headers={"content-encoding": "gzip"}))


@scenario("body zstd")
def body_zstd(bench: Bench, spoken: Spoken) -> Seen:
    packed = zstandard.ZstdCompressor().compress(_encoded(spoken))
    return Seen(bench.ask(spoken, raw=packed, headers={"content-encoding": "zstd"}))


@scenario("body said to be gzip and is not")
def body_not_gzip(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, raw=_encoded(spoken), headers={"content-encoding": "gzip"}))


@scenario("body gzip cut short")
def body_gzip_cut_short(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, raw=gzip.compress(_encoded(spoken))[:-12], headers={"content-encoding": "gzip"}))


@scenario("decompression bomb")
def decompression_bomb(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, raw=gzip.compress(bytes(30_000_000)), headers={"content-encoding": "gzip"}))


simple("unknown content encoding", raw=b"\x0b\x02\x80{}\x03", headers={"content-encoding": "br"})
simple("headers too large", headers={"x-filler": "x" * 70_000})


def _raw(bench: Bench, spoken: Spoken, more: Mapping[str, str]) -> tuple[RawClient, dict[str, str]]:
    client = RawClient(bench.gateway.url)
    headers = {**bench.headers(spoken.caller), "authorization": f"Bearer {bench.gateway.key}"}
    return client, {**headers, "content-type": "application/json", **more}


def _posted(bench: Bench, spoken: Spoken, data: bytes, count: int, **more: str) -> Answer:
    client, headers = _raw(bench, spoken, {name.replace("_", "-"): value for name, value in more.items()})
    with client:
        client.send_head("POST", path_of(spoken.caller, spoken.model()), headers)
        sender = client.send_meanwhile(data, count)
        answer = client.answer()
        client.shut()
        sender.join()
    return answer


@scenario("body of 100 MB, announced")
def body_of_100_mb(bench: Bench, spoken: Spoken) -> Seen:
    piece = b" " * (1 << 20)
    return Seen(_posted(bench, spoken, piece, FULL_BODY_BYTES >> 20, content_length=str(FULL_BODY_BYTES)))


@scenario("body of 100 MB, in chunks")
def body_of_100_mb_in_chunks(bench: Bench, spoken: Spoken) -> Seen:
    piece = b"%x\r\n%b\r\n" % (1 << 20, b" " * (1 << 20))
    return Seen(_posted(bench, spoken, piece, FULL_BODY_BYTES >> 20, transfer_encoding="chunked"))


@scenario("body that does not arrive in time")
def body_that_does_not_arrive(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(_posted(bench, spoken, b'{"model":', 1, content_length="1000"))


@scenario("client leaves before its body is whole")
def client_leaves_before_its_body_is_whole(bench: Bench, spoken: Spoken) -> Seen:
    client, headers = _raw(bench, spoken, {"content-length": "1000"})
    with client:
        client.send_head("POST", path_of(spoken.caller, spoken.model()), headers)
        client.socket.sendall(b'{"model":')
    return Seen(None)


def _leave(bench: Bench, spoken: Spoken, behaviour: str, mark: bytes | None, *, is_stream: bool) -> Seen:
    """A client that closes its connection once it has read ``mark``; None: once the provider has the call."""
    bench.simulated.behave(behaviour)
    body = json.dumps(body_of(spoken.caller, spoken.model(), is_stream=is_stream)).encode()
    client, headers = _raw(bench, spoken, {"content-length": str(len(body))})
    with client:
        client.send_head("POST", path_of(spoken.caller, spoken.model(), is_stream=is_stream), headers)
        client.socket.sendall(body)
        bench.simulated.await_ledger(bool)
        if mark is not None:
            client.read_until(mark)
    return Seen(None)


@scenario("client leaves before the answer")
def client_leaves_before_the_answer(bench: Bench, spoken: Spoken) -> Seen:
    return _leave(bench, spoken, "hang=head", None, is_stream=False)


@scenario("client leaves before the stream")
def client_leaves_before_the_stream(bench: Bench, spoken: Spoken) -> Seen:
    return _leave(bench, spoken, "hang=head", None, is_stream=True)


@scenario("client leaves in the stream")
def client_leaves_in_the_stream(bench: Bench, spoken: Spoken) -> Seen:
    return _leave(bench, spoken, "text=first%20second%20third; events=3; hang=after:1", b"first", is_stream=True)


TERMINAL_MARKS = {
    "openai_chat": b"[DONE]",
    "openai_responses": b'"type":"response.completed"',
    "anthropic_messages": b'"type":"message_stop"',
    "gemini": b'"finishReason"',
}


@scenario("client leaves after the terminal event")
def client_leaves_after_the_terminal_event(bench: Bench, spoken: Spoken) -> Seen:
    return _leave(bench, spoken, "", TERMINAL_MARKS[spoken.caller], is_stream=True)


MANY_TOKENS: dict[str, dict[str, Any]] = {
    "openai_chat": {},
    "openai_responses": {},
    "anthropic_messages": {"max_tokens": 10_000_000},
    "gemini": {},
}


@scenario("client reads slowly")
def client_reads_slowly(bench: Bench, spoken: Spoken) -> Seen:
    """More than all buffers on the way hold, and a client that reads nothing until the gateway has been held up."""
    bench.simulated.behave("events=30; event_bytes=200000")
    asked = {**body_of(spoken.caller, spoken.model(), is_stream=True), **MANY_TOKENS[spoken.caller]}
    body = json.dumps(asked).encode()
    headers = {
        **bench.headers(spoken.caller),
        "authorization": f"Bearer {bench.gateway.key}",
        "content-length": str(len(body)),
        "connection": "close",
    }
    with RawClient(bench.gateway.url, receive_buffer=4096) as client:
        client.send_head("POST", path_of(spoken.caller, spoken.model(), is_stream=True), headers)
        client.socket.sendall(body)
        bench.simulated.await_ledger(bool)
        head = client.read_until(b"\r\n\r\n")
        assert not bench.rows()
        read = len(head) + len(client.read_to_end())
    assert read > 30 * 200_000
    return Seen(None)


@scenario("WebSocket upgrade of /v1/responses")
def websocket_upgrade(bench: Bench, spoken: Spoken) -> Seen:
    client, headers = _raw(bench, spoken, {"connection": "Upgrade", "upgrade": "websocket"})
    headers |= {"sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}
    with client:
        client.send_head("GET", "/v1/responses", headers)
        return Seen(client.answer())


UNMANAGED = {
    "openai_chat": "/v1/fine_tuning/jobs",
    "openai_responses": "/v1/responses/compact",
    "anthropic_messages": "/v1/messages/batches",
    "gemini": "/v1beta/cachedContents",
    "embeddings": "/v1/audio/speech",
}


@scenario("route that is not served")
def route_that_is_not_served(bench: Bench, spoken: Spoken) -> Seen:
    body = body_of(spoken.caller, spoken.model())
    return Seen(bench.gateway.call(UNMANAGED[spoken.caller], body, headers=bench.headers(spoken.caller)))


@scenario("method that is not served")
def method_that_is_not_served(bench: Bench, spoken: Spoken) -> Seen:
    path = path_of(spoken.caller, spoken.model())
    return Seen(bench.gateway.call(path, b"{}", headers=bench.headers(spoken.caller), method="PUT"))


COUNTING = {
    "anthropic_messages": "/v1/messages/count_tokens",
    "gemini": "/v1beta/models/gpt-5.5:countTokens",
    "embeddings": "/v1/embeddings",
}


@scenario("operation that the model's provider does not have")
def operation_that_the_provider_does_not_have(bench: Bench, spoken: Spoken) -> Seen:
    model = "claude-sonnet-5" if spoken.caller == "embeddings" else "gpt-5.5"
    body = body_of(spoken.caller, model)
    return Seen(bench.gateway.call(COUNTING[spoken.caller], body, headers=bench.headers(spoken.caller)))


UNTRANSLATABLE = {
    "openai_chat": {"n": 2},
    "openai_responses": {"tools": [{"type": "web_search"}]},
    "anthropic_messages": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    "gemini": {"tools": [{"googleSearch": {}}]},
}


@scenario("field that cannot be translated")
def field_that_cannot_be_translated(bench: Bench, spoken: Spoken) -> Seen:
    return Seen(bench.ask(spoken, changes=UNTRANSLATABLE[spoken.caller]))


@scenario("stored response of somebody else")
def stored_response_of_somebody_else(bench: Bench, spoken: Spoken) -> Seen:
    made = bench.ask(spoken, key=bench.keys["other"])
    bench.row()
    bench.simulated.clear()
    return Seen(bench.gateway.call(f"/v1/responses/{made.json['id']}", headers=bench.headers(spoken.caller)))
