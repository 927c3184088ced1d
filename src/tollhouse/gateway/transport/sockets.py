"""The transport of our own: asyncio's sockets and httptools, in the event loop's own thread.

A call costs a quarter of what it costs over the next best client, since nothing crosses a thread and nothing is copied
into a richer request; benchmarks/README.md has the figures.
"""

import asyncio
import socket
import ssl
from collections import deque

from tollhouse.gateway.transport.address import Origin, address_of
from tollhouse.gateway.transport.connection import Connection, SocketReply
from tollhouse.gateway.transport.interface import Headers, TransportError

IDLE_SECONDS = 50.0
_KEEPALIVE_SECONDS = 60


class SocketTransport:
    """Connections without a limit, kept for 50 s after their last answer.

    A connection that the server has closed meanwhile is not used. A request whose connection breaks before its answer
    is never sent again: the server may have read it, so it is a ``reset``.
    """

    def __init__(self, connect_seconds: float) -> None:
        """Certificates are checked against the system's store (``SSL_CERT_FILE`` names another)."""
        self._connect_seconds = connect_seconds
        self._tls: ssl.SSLContext | None = None
        self._loop = asyncio.get_running_loop()
        self._idle: dict[Origin, deque[Connection]] = {}
        self._open: set[Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def send(self, method: str, url: str, headers: Headers, body: bytes) -> SocketReply:
        address = address_of(url)
        head = _head(method, address.target, address.authority, headers, body)
        connection = self._take(address.origin) or await self._connect(address.origin)
        return await connection.exchange(head, body, method)

    async def close(self) -> None:
        """Answers that have not ended break off."""
        self._is_closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in list(self._open):
            connection.drop()
        self._idle.clear()
        await asyncio.sleep(0)  # the loop closes the sockets at its next turn

    def give_back(self, connection: Connection) -> None:
        """Called by a connection that may be used again."""
        connection.idle_since = self._loop.time()
        self._idle.setdefault(connection.origin, deque()).append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(IDLE_SECONDS, self._drop_idle)

    def forget(self, connection: Connection) -> None:
        """Called by a connection that is lost."""
        self._open.discard(connection)

    def _take(self, origin: Origin) -> Connection | None:
        """The one used last, so that those not needed grow old."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_usable():
                return connection
            connection.drop()
        return None

    async def _connect(self, origin: Origin) -> Connection:
        if self._is_closed:
            raise TransportError("connect", f"{origin.host}:{origin.port}: the transport is closed")
        try:
            tls = self._trusted() if origin.is_tls else None
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self, origin), origin.host, origin.port, ssl=tls
                )
        except TimeoutError as error:
            text = f"{origin.host}:{origin.port}: no connection within {self._connect_seconds:g} s"
            raise TransportError("connect", text) from error
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that has no spelling in the DNS
            raise TransportError("connect", f"{origin.host}:{origin.port}: {error}") from error
        self._open.add(connection)
        _keep_alive(connection)
        return connection

    def _trusted(self) -> ssl.SSLContext:
        """Reading the store takes some 40 ms, so it is read once, and not where there is no TLS."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def _drop_idle(self) -> None:
        """Drops those idle for too long; comes again as long as there are idle ones."""
        oldest = self._loop.time() - IDLE_SECONDS
        for origin, idle in list(self._idle.items()):
            while idle and idle[0].idle_since <= oldest:
                idle.popleft().drop()
            if not idle:
                del self._idle[origin]
        self._sweep = self._loop.call_later(IDLE_SECONDS / 4, self._drop_idle) if self._idle else None


def _keep_alive(connection: Connection) -> None:
    """Has the system ask an idle peer, so that a stream whose network is gone ends."""
    raw = connection.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_SECONDS)


def _head(method: str, target: str, authority: str, headers: Headers, body: bytes) -> bytes:
    """Raises TransportError (protocol) where a header cannot be written."""
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    length = f"content-length: {len(body)}\r\n" if body or method in {"POST", "PUT", "PATCH"} else ""
    text = f"{method} {target} HTTP/1.1\r\nhost: {authority}\r\n{''.join(lines)}{length}\r\n"
    if text.count("\n") != len(lines) + (4 if length else 3) or text.count("\r") != text.count("\n"):
        raise TransportError("protocol", f"{authority}: a header has a line break in its value")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise TransportError("protocol", f"{authority}: a header has characters beyond Latin-1") from error
