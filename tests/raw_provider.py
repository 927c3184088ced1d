"""A provider that says exactly the bytes it is told to, over a loopback socket."""

import asyncio
import contextlib
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

Script = Callable[["Caller"], Awaitable[None]]


class Caller:
    """One connection that the provider has accepted."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: list[bytes]) -> None:
        self._reader = reader
        self._writer = writer
        self._seen = seen

    async def request(self) -> bytes:
        """The next request, head and body; b"" where the caller has left."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        length = _LENGTH.search(head)
        whole = head + await self._reader.readexactly(int(length[1]) if length else 0)
        self._seen.append(whole)
        return whole

    async def head(self) -> None:
        """Read no further than the end of the next request's head."""
        await self._reader.readuntil(b"\r\n\r\n")

    async def say(self, *parts: bytes) -> None:
        for part in parts:
            self._writer.write(part)
            await self._writer.drain()

    async def has_left(self) -> None:
        """Return when the caller has closed its end."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(65_536):
                pass

    def hang_up(self) -> None:
        """Close this end only."""
        self._writer.write_eof()

    def reset(self) -> None:
        """Break the connection off as a crash does."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def close(self) -> None:
        with contextlib.suppress(ConnectionError):
            self._writer.close()
            await self._writer.wait_closed()


class RawProvider:
    """Runs ``script`` for each connection; ``requests`` are those that came, ``connections`` how many there were."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.failures: list[Exception] = []
        self._script = script
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls, backlog=4096)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.failures and error is None:
            raise self.failures[0]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        caller = Caller(reader, writer, self.requests)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await self._script(caller)
        except ConnectionError:
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        except (AssertionError, OSError, ValueError, asyncio.IncompleteReadError) as error:
            self.failures.append(error)
        finally:
            await caller.close()


@contextlib.asynccontextmanager
async def full_port() -> AsyncIterator[int]:
    """A port whose queue is full, so that nobody gets a connection and nobody is refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        try:
            yield port
        finally:
            for each in waiting:
                each.close()
