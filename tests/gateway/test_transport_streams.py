"""Streams, cancellation and sizes, over every transport."""

import asyncio
import resource

import pytest
from raw_provider import Caller, RawProvider, Script
from transports import DEADLINE_SECONDS, OK, each_transport, play, post, saying, whole

from tollhouse.gateway.configuration.document import TransportName
from tollhouse.gateway.transport.interface import Transport, TransportError


@each_transport
def test_the_head_comes_before_the_body(name: TransportName) -> None:
    said = asyncio.Event()

    async def script(caller: Caller) -> None:
        await caller.request()
        await caller.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
        await said.wait()
        await caller.say(b"ok")
        await caller.has_left()

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        reply = await transport.send("POST", f"{provider.url}/x", [], b"{}")
        said.set()
        assert await whole(reply) == b"ok"

    play(name, script, scenario)


@each_transport
@pytest.mark.parametrize("is_chunked", [True, False])
def test_each_chunk_comes_as_soon_as_it_is_sent(name: TransportName, is_chunked: bool) -> None:
    taken: asyncio.Queue[None] = asyncio.Queue()

    async def script(caller: Caller) -> None:
        await caller.request()
        kind = b"transfer-encoding: chunked" if is_chunked else b"content-length: 40"
        await caller.say(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n" + kind + b"\r\n\r\n")
        for _ in range(20):
            await caller.say(b"2\r\n:\n\r\n" if is_chunked else b":\n")
            await taken.get()
        await caller.say(b"0\r\n\r\n" if is_chunked else b"")
        await caller.has_left()

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        reply = await transport.send("POST", f"{provider.url}/x", [], b"{}")
        for _ in range(20):
            assert await reply.read() == b":\n"
            taken.put_nowait(None)
        assert await reply.read() == b""

    play(name, script, scenario)


def _leaving(heads: bytes) -> tuple[Script, asyncio.Event, asyncio.Event]:
    """A server that says ``heads`` and then nothing; events for the request's coming and the caller's leaving."""
    came, left = asyncio.Event(), asyncio.Event()

    async def script(caller: Caller) -> None:
        await caller.request()
        await caller.say(heads)
        came.set()
        await caller.has_left()
        left.set()

    return script, came, left


PART = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart"


@each_transport
def test_a_request_cancelled_before_its_head_drops_the_connection(name: TransportName) -> None:
    script, came, left = _leaving(b"")

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        sending = asyncio.create_task(transport.send("POST", f"{provider.url}/x", [], b"{}"))
        await came.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await left.wait()

    play(name, script, scenario)


@each_transport
def test_cancelling_a_read_drops_the_connection(name: TransportName) -> None:
    script, _, left = _leaving(PART)

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        reply = await transport.send("POST", f"{provider.url}/x", [], b"{}")
        assert await reply.read() == b"part"
        reading = asyncio.create_task(reply.read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await left.wait()

    play(name, script, scenario)


@each_transport
def test_closing_an_answer_that_has_not_ended_drops_the_connection(name: TransportName) -> None:
    script, _, left = _leaving(PART)

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        reply = await transport.send("POST", f"{provider.url}/x", [], b"{}")
        await reply.close()
        await reply.close()
        await left.wait()

    play(name, script, scenario)


@each_transport
def test_closing_an_answer_that_has_ended_keeps_the_connection(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        for _ in range(3):
            reply, _ = await post(transport, provider)
            await reply.close()

    assert play(name, saying(OK), scenario).connections == 1


@each_transport
def test_closing_the_transport_drops_every_connection(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        await post(transport, provider)
        await transport.close()
        await transport.close()
        with pytest.raises(TransportError):
            await transport.send("POST", f"{provider.url}/x", [], b"{}")

    play(name, saying(OK), scenario)


@each_transport
def test_a_great_request_goes_out_whole(name: TransportName) -> None:
    body = b"0123456789abcdef" * 524_288

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        _, answer = await post(transport, provider, body)
        assert answer == b"ok"

    assert play(name, saying(OK), scenario).requests[0].endswith(b"\r\n\r\n" + body)


@each_transport
def test_an_answer_before_the_request_has_gone_out_is_read(name: TransportName) -> None:
    left = asyncio.Event()

    async def script(caller: Caller) -> None:
        await caller.head()
        await caller.say(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbig")
        await left.wait()

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        reply, body = await post(transport, provider, b"x" * 16_777_216)
        assert (reply.status, body) == (413, b"big")
        left.set()

    play(name, script, scenario)


@each_transport
def test_a_great_answer_takes_little_memory_and_waits_for_its_reader(name: TransportName) -> None:
    size, part = 100 * 1_048_576, b"x" * 1_048_576
    said: list[int] = []

    async def script(caller: Caller) -> None:
        await caller.request()
        await caller.say(b"HTTP/1.1 200 OK\r\ncontent-length: " + str(size).encode() + b"\r\n\r\n")
        for place in range(size // len(part)):
            await caller.say(part)
            said.append(place)
        await caller.has_left()

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        reply = await transport.send("POST", f"{provider.url}/x", [], b"{}")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert len(await reply.read()) > 0
        stuck = -1
        while stuck != len(said):
            stuck = len(said)
            await asyncio.sleep(0.2)
        assert len(said) < 30
        seen = 1
        while chunk := await reply.read():
            seen += len(chunk)
        assert size - 1_048_576 < seen <= size
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 * 1024

    play(name, script, scenario)


@each_transport
def test_there_is_no_limit_of_open_streams(name: TransportName) -> None:
    streams = 400

    async def script(caller: Caller) -> None:
        await caller.request()
        await caller.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n:\n\r\n")
        await caller.has_left()

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        sent = (transport.send("POST", f"{provider.url}/x", [], b"{}") for _ in range(streams))
        replies = await asyncio.gather(*sent)
        assert await asyncio.gather(*(reply.read() for reply in replies)) == [b":\n"] * streams
        await asyncio.gather(*(reply.close() for reply in replies))

    play(name, script, scenario, connect_seconds=DEADLINE_SECONDS)
