"""A provider that costs as little as Python can: precomputed answers over raw sockets, one process.

``python benchmarks/gateway_upstream.py`` prints its port. What is answered is in the model's name: ``unary`` (1 kB),
``burst-100`` (100 events of 250 bytes at once), ``paced-100-4`` (one event every 4 ms, each a write of its own) and
``held`` (one event, then nothing until the client leaves).
"""

import asyncio
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import cast

import uvloop

EVENT_BYTES = 250
ANSWER_BYTES = 1000
_TICK_SECONDS = 0.001
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_MODEL = re.compile(rb'"model": *"(?:[^"/]*/)?([a-z0-9-]+)"')
_UNARY = (
    b'{"id":"chatcmpl-benchmark","object":"chat.completion","created":1767225600,"model":"unary","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"%s","refusal":null},"logprobs":null,"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":500,"completion_tokens":150,"total_tokens":650}}'
)
_MESSAGE = (
    b'{"id":"msg_benchmark","type":"message","role":"assistant","model":"unary","content":[{"type":"text","text":"%s"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":500,"cache_creation_input_tokens":0,'
    b'"cache_read_input_tokens":0,"output_tokens":150}}'
)
_EVENT = (
    b'data: {"id":"chatcmpl-benchmark","object":"chat.completion.chunk","created":1767225600,"model":"stream",'
    b'"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n'
)
_LAST_EVENTS = (
    b'data: {"id":"chatcmpl-benchmark","object":"chat.completion.chunk","created":1767225600,"model":"stream",'
    b'"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"chatcmpl-benchmark","object":"chat.completion.chunk","created":1767225600,"model":"stream",'
    b'"choices":[],"usage":{"prompt_tokens":500,"completion_tokens":100,"total_tokens":600}}\n\ndata: [DONE]\n\n'
)
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _padded(template: bytes, size: int) -> bytes:
    words = b"the quick brown fox jumps over the lazy dog " * (1 + size // 44)
    return template % words[: size - len(template) + len(b"%s")]


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@cache
def _unary(is_message: bool) -> bytes:
    body = _padded(_MESSAGE if is_message else _UNARY, ANSWER_BYTES)
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


@cache
def _burst(events: int) -> bytes:
    return _STREAM_HEAD + _chunk(_padded(_EVENT, EVENT_BYTES)) * events + _chunk(_LAST_EVENTS) + b"0\r\n\r\n"


def _paced(events: int) -> Iterator[bytes]:
    event = _chunk(_padded(_EVENT, EVENT_BYTES))
    yield _STREAM_HEAD + event
    for _ in range(events - 1):
        yield event
    yield _chunk(_LAST_EVENTS) + b"0\r\n\r\n"


class Clock:
    """One timer for all paced streams, whose events are spread over its ticks; it rests while there is none."""

    def __init__(self) -> None:
        self._due: defaultdict[int, list[tuple[asyncio.Transport, Iterator[bytes], int]]] = defaultdict(list)
        self._tick = 0
        self._begun = 0.0
        self._loop = asyncio.get_running_loop()

    def go_on(self, transport: asyncio.Transport, parts: Iterator[bytes], gap: int) -> None:
        """Write the next part now and the one after it ``gap`` ticks later."""
        part = next(parts, None)
        if part is None or transport.is_closing():
            return
        transport.write(part)
        if not self._due:
            self._tick, self._begun = 0, self._loop.time()
            self._loop.call_later(_TICK_SECONDS, self._turn)
        self._due[self._tick + gap].append((transport, parts, gap))

    def _turn(self) -> None:
        """All ticks that have passed; late ones are made up for."""
        while self._due and self._begun + (self._tick + 1) * _TICK_SECONDS <= self._loop.time():
            self._tick += 1
            due = self._due.get(self._tick, ())
            for transport, parts, gap in due:
                self.go_on(transport, parts, gap)
            self._due.pop(self._tick, None)
        if self._due:
            next_tick = self._begun + (self._tick + 1) * _TICK_SECONDS
            self._loop.call_later(max(0.0, next_tick - self._loop.time()), self._turn)


class Upstream(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buffer = b""
        self._needed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        while self._buffer and len(self._buffer) >= self._needed:
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            length = _LENGTH.search(self._buffer, 0, head)
            self._needed = head + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < self._needed:
                return
            request, self._buffer = self._buffer[: self._needed], self._buffer[self._needed :]
            self._needed = 0
            self._answer(request, head)

    def _answer(self, request: bytes, head: int) -> None:
        model = _MODEL.search(request, head)
        kind, *numbers = model[1].decode().split("-") if model else ["unary"]
        if kind == "burst":
            self._transport.write(_burst(int(numbers[0])))
        elif kind == "paced":
            self._clock.go_on(self._transport, _paced(int(numbers[0])), int(numbers[1]))
        elif kind == "held":
            self._transport.write(next(_paced(1)))
        else:
            self._transport.write(_unary(b"/messages" in request[:100]))


async def _serve() -> None:
    clock = Clock()
    server = await asyncio.get_running_loop().create_server(lambda: Upstream(clock), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(uvloop.run(_serve()))
