"""A client's connection: uvicorn's, which by itself waits for the head of a request for ever."""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tollhouse.gateway.configuration.configuration import Configuration
from tollhouse.gateway.configuration.reload import ConfigurationKeeper

_HEAD_START: Final = b"HTTP/1.1 "
CONFIGURATION: Final = "configuration"  # where in the lifespan's state its keeper is

# Beside names and values, which limits.header_bytes bounds once the head is there, a head has separators and a URL.
_MARGIN_TIMES, _MARGIN_BYTES = 2, 16_384


def _last_answer(status: bytes, message: bytes) -> bytes:
    return (
        b"HTTP/1.1 %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
        % (status, len(message), message)
    )


_TOO_LATE = _last_answer(b"408 Request Timeout", b"The request's head did not arrive in time (limits.request_seconds).")
_TOO_LARGE = _last_answer(
    b"431 Request Header Fields Too Large", b"The request's head is too large (limits.header_bytes)."
)


class _HeadWithBody:
    """A transport that sends an answer's head together with what follows it at once: uvicorn writes the two apart,
    which costs another system call and another segment.
    """

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        elif data.startswith(_HEAD_START):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head and not self._transport.is_closing():
            self._transport.write(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connection(HttpToolsProtocol):
    """Ends where no request begins within ``limits.request_seconds``, and where a head that has begun is not complete
    by then, which is answered 408, or grows beyond all that ``limits.header_bytes`` would allow, which is answered 431.
    Between requests uvicorn's time for an idle connection holds.

    A head that comes in one piece needs no timer but the connection's first one.
    """

    _timer: asyncio.TimerHandle | None = None
    _timed: object = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(cast("asyncio.Transport", _HeadWithBody(transport, self.loop)))
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        cycle = self.cycle
        if not cycle or cycle.scope is not self.scope or cycle.response_complete:
            if self._timer is None or self._timed is not self.scope:
                self._head_bytes = 0
                self._expect_head()
            else:
                self._count(len(data))
        elif self._timer is not None:
            self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    @property
    def _configuration(self) -> Configuration:
        keeper: ConfigurationKeeper = self.app_state[CONFIGURATION]
        return keeper.current

    def _is_head_begun(self) -> bool:
        """Whether a part of a head is there: each has a scope of its own, which gets a cycle once it is complete."""
        return bool(self.scope) and not (self.cycle and self.cycle.scope is self.scope)

    def _expect_head(self) -> None:
        self._forget()
        self._timed = self.scope
        self._timer = self.loop.call_later(self._configuration.document.limits.request_seconds, self._end)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        limit = self._configuration.document.limits.header_bytes
        if self._head_bytes > _MARGIN_TIMES * limit + _MARGIN_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        if self.cycle and not self.cycle.response_complete:
            self._expect_head()  # a head behind a call whose answer is not to be cut
        elif not self.transport.is_closing():
            if self._is_head_begun():
                self.transport.write(_TOO_LATE)
            self.transport.close()
