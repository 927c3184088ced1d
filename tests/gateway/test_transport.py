"""What every transport sends and what it gives back."""

import asyncio
import gzip

import pytest
from raw_provider import Caller, RawProvider
from transports import OK, answer_of, each_transport, play, post, saying, whole

from tollhouse.gateway.configuration.document import TransportName
from tollhouse.gateway.transport.interface import Transport


@each_transport
def test_a_unary_answer_comes_whole(name: TransportName) -> None:
    reply, body = answer_of(name, OK)
    assert (reply.status, reply.headers, body) == (200, [("content-length", "2")], b"ok")


@each_transport
def test_a_chunked_answer_comes_without_its_framing(name: TransportName) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    _, body = answer_of(name, head + b"3\r\none\r\n", b"5;x=1\r\n two \r\n0\r\n\r\n")
    assert body == b"one two "


@each_transport
def test_an_answer_may_end_with_its_connection(name: TransportName) -> None:
    _, body = answer_of(name, b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", b"to the", b" end", then="close")
    assert body == b"to the end"


@each_transport
def test_trailers_are_no_headers_and_no_body(name: TransportName) -> None:
    reply, body = answer_of(
        name, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-late: 1\r\nx-later: 2\r\n\r\n"
    )
    assert (reply.headers, body) == ([("transfer-encoding", "chunked")], b"ok")


@each_transport
def test_informational_answers_are_skipped(name: TransportName) -> None:
    reply, body = answer_of(
        name, b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", OK
    )
    assert (reply.status, reply.headers, body) == (200, [("content-length", "2")], b"ok")


@each_transport
@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_an_answer_without_a_body_has_ended(name: TransportName, status: bytes) -> None:
    reply, body = answer_of(name, b"HTTP/1.1 " + status + b"\r\n\r\n")
    assert (reply.status, body) == (int(status[:3]), b"")


@each_transport
def test_an_empty_body_is_an_answer(name: TransportName) -> None:
    _, body = answer_of(name, b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 3\r\ncontent-length: 0\r\n\r\n")
    assert body == b""


@each_transport
def test_a_head_request_has_no_body(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        for _ in range(2):
            reply = await transport.send("HEAD", f"{provider.url}/api/hello", [], b"")
            assert (reply.status, await whole(reply)) == (200, b"")
            assert ("content-length", "2") in reply.headers

    play(name, saying(OK[:-2]), scenario)


@each_transport
def test_headers_keep_their_number_order_and_values(name: TransportName) -> None:
    reply, _ = answer_of(
        name,
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Empty:\r\nset-cookie: b=2\r\nX-RateLimit: 1, 2\r\n"
        b"Content-Length: 2\r\n\r\nok",
    )
    assert [pair for pair in reply.headers if pair[0] != "set-cookie"] == [
        ("x-empty", ""),
        ("x-ratelimit", "1, 2"),
        ("content-length", "2"),
    ]
    assert [value for field, value in reply.headers if field == "set-cookie"] == ["a=1", "b=2"]
    places = [place for place, (field, _) in enumerate(reply.headers) if field == "set-cookie"]
    assert places == [0, 2]


@each_transport
def test_a_header_that_is_not_ascii_does_not_cost_the_others(name: TransportName) -> None:
    reply, body = answer_of(name, b"HTTP/1.1 200 OK\r\nx-city: K\xf6ln\r\nx-two: 2\r\ncontent-length: 2\r\n\r\nok")
    assert reply.headers == [("x-city", "K\xf6ln"), ("x-two", "2"), ("content-length", "2")]
    assert body == b"ok"


@each_transport
def test_nothing_is_decompressed(name: TransportName) -> None:
    packed = gzip.compress(b"hello" * 100)
    length = str(len(packed)).encode()
    reply, body = answer_of(
        name, b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: " + length + b"\r\n\r\n" + packed
    )
    assert (body, ("content-encoding", "gzip") in reply.headers) == (packed, True)


@each_transport
def test_no_redirect_is_followed_and_no_cookie_kept(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        for _ in range(2):
            reply, _ = await post(transport, provider)
            assert reply.status == 307

    moved = b"HTTP/1.1 307 Moved\r\nlocation: /elsewhere\r\nset-cookie: a=1; path=/\r\ncontent-length: 0\r\n\r\n"
    provider = play(name, saying(moved), scenario)
    assert len(provider.requests) == 2
    assert b"cookie" not in provider.requests[1].lower()


@each_transport
def test_only_host_and_length_are_added(name: TransportName) -> None:
    given = [("accept", "a/b"), ("user-agent", "Agent/1"), ("X-One", "1"), ("x-one", "2"), ("x-token", "s")]

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        await whole(await transport.send("POST", f"{provider.url}/v1/x%2Fy?a=b&c=%20d", given, b"\x00body"))

    provider = play(name, saying(OK), scenario)
    head, _, body = provider.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert (first, body) == ("POST /v1/x%2Fy?a=b&c=%20d HTTP/1.1", b"\x00body")
    assert sorted(line.lower() for line in lines) == sorted(
        [
            f"host: 127.0.0.1:{provider.port}",
            "content-length: 5",
            *(f"{field}: {value}".lower() for field, value in given),
        ]
    )


@each_transport
def test_a_bare_request_stays_bare(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        await whole(await transport.send("GET", f"{provider.url}/v1/models", [], b""))

    provider = play(name, saying(OK), scenario)
    lines = {line.lower() for line in provider.requests[0].decode().split("\r\n")[1:] if line}
    assert lines == {f"host: 127.0.0.1:{provider.port}"}


@each_transport
def test_an_empty_post_says_its_length(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        await post(transport, provider, b"")

    provider = play(name, saying(OK), scenario)
    assert b"content-length: 0\r\n" in provider.requests[0].lower()
    assert b"transfer-encoding" not in provider.requests[0].lower()


@each_transport
def test_a_connection_is_used_again(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        for _ in range(5):
            _, body = await post(transport, provider)
            assert body == b"ok"

    assert play(name, saying(OK), scenario).connections == 1


@each_transport
def test_a_connection_that_the_server_ends_is_not_used_again(name: TransportName) -> None:
    left: list[asyncio.Event] = []

    async def script(caller: Caller) -> None:
        await caller.request()
        left.append(asyncio.Event())
        await caller.say(OK)
        caller.hang_up()
        await caller.has_left()
        left[-1].set()

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        for place in range(3):
            _, body = await post(transport, provider)
            assert body == b"ok"
            await left[place].wait()

    provider = play(name, script, scenario)
    assert (provider.connections, len(provider.requests)) == (3, 3)


@each_transport
def test_an_announced_end_of_a_connection_is_obeyed(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        for _ in range(3):
            await post(transport, provider)

    last = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
    assert play(name, saying(last, then="close"), scenario).connections == 3


@each_transport
def test_an_answer_nobody_asked_for_answers_nothing(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        for _ in range(2):
            _, body = await post(transport, provider)
            assert body == b"ok"

    surplus = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
    play(name, saying(surplus), scenario)


@each_transport
def test_the_environments_proxies_are_ignored(name: TransportName, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert answer_of(name, OK)[1] == b"ok"
