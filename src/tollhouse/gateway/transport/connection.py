"""One connection to a provider, and the answer that it is reading."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Protocol, Self, cast

import httptools

from tollhouse.gateway.transport.address import Origin
from tollhouse.gateway.transport.interface import FailureKind, TransportError

_HEAD_BYTES = 262_144
_BUFFERED_BYTES = 262_144
_SWITCHING, _FINAL = 101, 200


class Pool(Protocol):
    """Who owns a connection."""

    def give_back(self, connection: "Connection") -> None: ...

    def forget(self, connection: "Connection") -> None: ...


class SocketReply:
    """See ``Reply``. Holds at most 256 KiB that nobody has read, more than that waits in the network."""

    __slots__ = ("_chunks", "_connection", "_failure", "_is_ended", "_size", "_waiter", "headers", "status")

    def __init__(self, connection: "Connection") -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self._connection = connection
        self._chunks: list[bytes] = []
        self._size = 0
        self._is_ended = False
        self._failure: tuple[FailureKind, str] | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def head(self) -> Self:
        """Return once the head has come."""
        if not self.status and self._failure is None:
            await self._wait()
        if not self.status and self._failure is not None:
            raise TransportError(*self._failure)
        return self

    async def read(self) -> bytes:
        while not self._chunks:
            if self._failure is not None:
                raise TransportError(*self._failure)
            if self._is_ended:
                return b""
            await self._wait()
        chunks, self._chunks = self._chunks, []
        if self._size > _BUFFERED_BYTES:
            self._connection.resume(self)
        self._size = 0
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def close(self) -> None:
        if not self._is_ended:
            self._is_ended = True
            self._chunks.clear()
            self._connection.drop()

    def put(self, chunk: bytes) -> bool:
        """Keep a part of the body; whether there is enough of it for now."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        return self._size > _BUFFERED_BYTES

    def end(self) -> None:
        self._is_ended = True

    def fail(self, kind: FailureKind, message: str) -> None:
        if not self._is_ended:
            self._is_ended = True
            self._failure = (kind, message)

    def wake(self) -> None:
        """Called after one or several of the above, once for all data that came together."""
        waiter = self._waiter
        if waiter is not None and (self._chunks or self._is_ended or self.status):
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    async def _wait(self) -> None:
        self._waiter = self._connection.loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            await self.close()
            raise


class Connection(asyncio.Protocol):
    """Reads one answer at a time."""

    def __init__(self, pool: Pool, origin: Origin) -> None:
        self.origin = origin
        self.idle_since = 0.0
        self.loop = asyncio.get_running_loop()
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reply: SocketReply | None = None
        self._fields: list[tuple[str, str]] = []
        self._head_bytes = 0
        self._is_head_method = False
        self._is_paused = False
        self._is_spoiled = False

    async def exchange(self, head: bytes, body: bytes, method: str) -> SocketReply:
        """Send a request and return at the head of its answer."""
        transport = self._transport
        reply = SocketReply(self)
        if transport is None:
            reply.fail("connect", self._text("the connection was lost as it was made"))
            return await reply.head()
        self._reply = reply
        self._fields = []
        self._head_bytes = 0
        self._is_head_method = method == "HEAD"
        transport.writelines((head, body) if body else (head,))
        return await reply.head()

    def is_usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing() and not self._is_spoiled

    def socket(self) -> socket.socket:
        """For options. Raises TransportError where the connection is lost already."""
        if self._transport is None:
            raise TransportError("connect", self._text("the connection was lost as it was made"))
        return self._transport.get_extra_info("socket")

    def drop(self) -> None:
        self._is_spoiled = True
        if self._transport is not None:
            self._transport.abort()

    def resume(self, reply: SocketReply) -> None:
        """Called by the reply once it has been read."""
        if self._is_paused and self._reply is reply and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's does not derive from it

    def data_received(self, data: bytes) -> None:
        reply = self._reply
        if reply is None:
            self.drop()  # nothing was asked for
            return
        if not reply.status:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(reply, f"the answer is no HTTP: {error}")
        if not reply.status and self._head_bytes > _HEAD_BYTES:
            self._fail(reply, f"the answer's head is greater than {_HEAD_BYTES} bytes")
        if self._reply is None:
            self._release()
        reply.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._pool.forget(self)
        reply, self._reply = self._reply, None
        if reply is None:
            return
        if exc is None and reply.status and not _has_length(reply.headers):
            reply.end()
        else:
            place = "before the answer ended" if reply.status else "before there was an answer"
            reply.fail("reset", self._text(f"the connection broke {place}{f': {exc}' if exc else ''}"))
        reply.wake()

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._reply is None:
            self._is_spoiled = True  # an answer more than was asked for: it must not answer the next request

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        fields, self._fields = self._fields, []
        status = self._parser.get_status_code()
        reply = self._reply
        if reply is None or (status < _FINAL and status != _SWITCHING):
            return
        if status == _SWITCHING:
            self._fail(reply, "it changed to another protocol, unasked")
            return
        reply.status, reply.headers = status, fields
        if self._is_head_method:  # the parser cannot be told that no body follows
            self._is_spoiled = True
            self._end()

    def on_body(self, body: bytes) -> None:
        reply = self._reply
        if reply is not None and reply.put(body) and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        reply = self._reply
        if reply is not None and reply.status:
            self._end()

    def _end(self) -> None:
        self._is_spoiled = self._is_spoiled or not self._parser.should_keep_alive()
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.end()

    def _release(self) -> None:
        """Free the connection, even before the answer has been read."""
        transport = self._transport
        if transport is None:
            return
        if self._is_paused:
            self._is_paused = False
            transport.resume_reading()
        if self._is_spoiled or transport.get_write_buffer_size():
            self.drop()
        else:
            self._pool.give_back(self)

    def _fail(self, reply: SocketReply, message: str) -> None:
        """An answer that has ended stays; the connection does not."""
        self._reply = None
        self._is_spoiled = True
        reply.fail("protocol", self._text(message))

    def _text(self, message: str) -> str:
        return f"{self.origin.host}:{self.origin.port}: {message}"


def _has_length(headers: Sequence[tuple[str, str]]) -> bool:
    """Whether a body says where it ends, other than by the connection's end."""
    return any(name in {"content-length", "transfer-encoding"} for name, _ in headers)
