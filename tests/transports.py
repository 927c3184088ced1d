"""Scenarios of a transport against a provider that says exactly these bytes."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest
import uvloop
from raw_provider import Caller, RawProvider, Script

from tollhouse.gateway.configuration.document import TransportName
from tollhouse.gateway.transport.interface import Reply, Transport, TransportError
from tollhouse.gateway.transport.registry import open_transport

EVERY: tuple[TransportName, ...] = ("sockets", "aiohttp")
each_transport = pytest.mark.parametrize("name", EVERY)
DEADLINE_SECONDS = 20
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

Scenario = Callable[[Transport, RawProvider], Awaitable[None]]


def play(
    name: TransportName,
    script: Script,
    scenario: Scenario,
    tls: ssl.SSLContext | None = None,
    connect_seconds: float = 1.0,
) -> RawProvider:
    """Runs the scenario against the script, in uvloop as the gateway does."""

    async def main() -> RawProvider:
        async with asyncio.timeout(DEADLINE_SECONDS), RawProvider(script, tls) as provider:
            transport = open_transport(name, connect_seconds)
            try:
                await scenario(transport, provider)
            finally:
                await transport.close()
        return provider

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


def saying(*parts: bytes, then: str = "wait") -> Script:
    """Answers each request of a connection with ``parts``, then waits for the next one, closes, or resets."""

    async def script(caller: Caller) -> None:
        while await caller.request():
            await caller.say(*parts)
            if then == "close":
                return
            if then == "reset":
                caller.reset()
                return

    return script


async def whole(reply: Reply) -> bytes:
    parts = []
    while part := await reply.read():
        parts.append(part)
    assert await reply.read() == b""
    return b"".join(parts)


async def post(transport: Transport, provider: RawProvider, body: bytes = b"{}") -> tuple[Reply, bytes]:
    reply = await transport.send("POST", f"{provider.url}/v1/x", [("content-type", "application/json")], body)
    return reply, await whole(reply)


def answer_of(name: TransportName, *parts: bytes, then: str = "wait") -> tuple[Reply, bytes]:
    found: list[tuple[Reply, bytes]] = []

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        found.append(await post(transport, provider))

    play(name, saying(*parts, then=then), scenario)
    return found[0]


def failure_of(name: TransportName, *parts: bytes, then: str = "close") -> TransportError:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        await post(transport, provider)

    with pytest.raises(TransportError) as caught:
        play(name, saying(*parts, then=then), scenario)
    assert "127.0.0.1:" in str(caught.value)
    return caught.value
