"""One client's connection: requests in, answers out, and the ways in which a connection can end."""

import asyncio
import socket
import struct
import time
from collections import deque
from contextlib import suppress
from itertools import count
from typing import cast

import httptools

from tollhouse.simulated.behaviours import Behaviour
from tollhouse.simulated.control import PREFIX, control
from tollhouse.simulated.ledger import Entry, Ledger
from tollhouse.simulated.plan import Plan, at_once, planned
from tollhouse.simulated.provider import Provider
from tollhouse.simulated.reply import Reply
from tollhouse.simulated.request import Request, split_target

_AT_ONCE_BYTES = 1 << 18
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)
_BEFORE_RESET_SECONDS = 0.01  # so that what was written before it has left: a reset discards what has not
_numbers = count(1)


class Connection(asyncio.Protocol):
    """Answers one request after the other, in their order; notices at once when the client leaves."""

    def __init__(self, provider: Provider, ledger: Ledger) -> None:
        self._provider = provider
        self._ledger = ledger
        self._number = next(_numbers)
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._entry: Entry | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_hanging = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._begin()

    def _begin(self) -> None:
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._transport.write(_BAD_REQUEST)
            self._transport.close()
        self._proceed()

    def _feed(self, data: bytes) -> None:
        with suppress(httptools.HttpParserUpgrade):  # asked for, not granted: the request is answered as it is
            self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._waiting.clear()
        if self._entry is not None:
            self._entry.client_error = None if exc is None else str(exc)
            self._ledger.close(self._entry, "hung" if self._is_hanging else "client_left")
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # What the parser calls.

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if (b"expect", b"100-continue") in self._headers:
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        path, query, base = split_target(self._target.decode("latin-1"))
        request = Request(
            method=self._parser.get_method().decode(),
            path=path,
            query=query,
            base=base,
            headers=self._headers,
            known=dict(reversed(self._headers)),
            body=b"".join(self._body),
            keeps_alive=self._parser.should_keep_alive() and not self._parser.should_upgrade(),
            connection=self._number,
            received_ms=time.time() * 1000,
        )
        self._begin()
        self._waiting.append(request)

    # Answers.

    def _proceed(self) -> None:
        """Answer what waits, outside the parser, which would take an error of ours for one of the client's."""
        while self._waiting and self._entry is None:
            self._answer(self._waiting.popleft())

    def _answer(self, request: Request) -> None:
        if request.path.startswith(PREFIX):
            reply = control(request, self._ledger, self._provider.queue)
            self._transport.write(at_once(reply, keeps_alive=request.keeps_alive))
            self._next(request)
            return
        entry = self._ledger.open(request)
        reply, behaviour = self._provider.reply(request, entry)
        entry.status, entry.tokens, entry.response_id = reply.status, reply.tokens, reply.response_id
        size = sum([len(event.raw) for event in reply.events])
        if behaviour.shapes_delivery or size > _AT_ONCE_BYTES:
            self._entry = entry
            self._deliver(request, reply, behaviour, entry)
        else:
            self._write_at_once(request, reply, entry, size)

    def _write_at_once(self, request: Request, reply: Reply, entry: Entry, size: int) -> None:
        if request.method == "HEAD":
            size, reply.events = 0, []
        self._transport.write(at_once(reply, keeps_alive=request.keeps_alive))
        entry.first_byte_ms = time.time() * 1000
        entry.response_bytes = size
        for event in reply.events:
            entry.add(event)
        if reply.on_complete is not None:
            reply.on_complete()
        self._ledger.close(entry, "completed")
        self._next(request)

    def _deliver(self, request: Request, reply: Reply, behaviour: Behaviour, entry: Entry) -> None:
        plan = planned(reply, behaviour, keeps_alive=request.keeps_alive)
        self._task = asyncio.get_running_loop().create_task(self._perform(request, reply, plan, entry))

    async def _perform(self, request: Request, reply: Reply, plan: Plan, entry: Entry) -> None:
        for step in plan.steps:
            if step.pause:
                await asyncio.sleep(step.pause)
            if not self._writable.is_set():
                await self._writable.wait()
            if step.data:
                self._transport.write(step.data)
                entry.first_byte_ms = entry.first_byte_ms or time.time() * 1000
            entry.response_bytes += step.size
            if step.event is not None:
                entry.add(step.event)
            if step.is_alone:
                await asyncio.sleep(0)
        if plan.ending == "hang":
            self._is_hanging = True
            await asyncio.get_running_loop().create_future()
        if reply.on_complete is not None and plan.finish == "completed":
            reply.on_complete()
        if plan.ending == "reset":
            await asyncio.sleep(_BEFORE_RESET_SECONDS)
        self._end(plan, entry, request)

    def _end(self, plan: Plan, entry: Entry, request: Request) -> None:
        self._task = self._entry = None
        self._ledger.close(entry, plan.finish)
        if plan.ending == "reset":
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
            self._transport.abort()
        elif plan.ending == "close":
            self._transport.close()
        else:
            self._next(request)
            self._proceed()

    def _next(self, request: Request) -> None:
        if not request.keeps_alive:
            self._waiting.clear()
            self._transport.close()
