"""The transport over pyreqwest (Rust's hyper on a thread of its own).

Where it cannot keep the contract: a cancelled ``send`` lets its request run until the head of the answer has come;
headers of one name stand together, and one whose value is not ASCII is left out; ``accept: */*`` and a user agent are
added to a request without them; ``..`` in a path is resolved.
"""

import asyncio
from datetime import timedelta
from http import HTTPStatus

import pyreqwest.exceptions as errors
from pyreqwest.client import ClientBuilder
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from tollhouse.gateway.transport.address import address_of
from tollhouse.gateway.transport.interface import FailureKind, Headers, TransportError

_IDLE = timedelta(seconds=50)
_USER_AGENT = "tollhouse"
# With 0 the head comes before the body and each chunk as soon as it is there; more would wait for that many bytes.
_READ_BUFFER_BYTES = 0


class PyreqwestTransport:
    """One client, whose connections are kept for 50 s. A connection closed meanwhile is not used; a request whose
    connection breaks before its answer is never sent again, and is a ``reset``."""

    def __init__(self, connect_seconds: float) -> None:
        builder = ClientBuilder().connect_timeout(timedelta(seconds=connect_seconds)).pool_idle_timeout(_IDLE)
        for unasked in (builder.gzip, builder.brotli, builder.zstd, builder.deflate, builder.follow_redirects):
            builder = unasked(enable=False)
        builder = builder.referer(enable=False).no_proxy().http1_only().http1_lower_case_headers()
        self._client = builder.user_agent(_USER_AGENT).build()
        self._is_closed = False

    async def send(self, method: str, url: str, headers: Headers, body: bytes) -> "PyreqwestReply":
        host = address_of(url).name
        try:
            builder = self._client.request(method, url)
            for name, value in headers:
                builder = builder.header(name, value)
            if body:
                builder = builder.body_bytes(body)
            request = builder.streamed_read_buffer_limit(_READ_BUFFER_BYTES).build_streamed()
        except ValueError as error:
            raise TransportError("protocol", f"{host}: the request cannot be sent: {error}") from error
        cancels = _cancels()
        try:
            reply = PyreqwestReply(request, await request.__aenter__(), host)
        except errors.PyreqwestError as error:
            raise _failure(error, host) from error
        if _cancels() > cancels:
            await reply.close()
            raise asyncio.CancelledError
        if reply.status == HTTPStatus.SWITCHING_PROTOCOLS:
            await reply.close()
            raise TransportError("protocol", f"{host}: it changed to another protocol, unasked")
        return reply

    async def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            await self._client.close()


class PyreqwestReply:
    """See ``Reply``."""

    __slots__ = ("_host", "_is_ended", "_reader", "_request", "headers", "status")

    def __init__(self, request: StreamRequest, response: Response, host: str) -> None:
        self.status = response.status
        self.headers = _headers(response)
        self._request = request
        self._reader = response.body_reader
        self._host = host
        self._is_ended = False

    async def read(self) -> bytes:
        if self._is_ended:
            return b""
        cancels = _cancels()
        try:
            chunk = await self._reader.read_chunk()
        except errors.PyreqwestError as error:
            self._is_ended = True
            raise _failure(error, self._host) from error
        except asyncio.CancelledError:
            await self.close()
            raise
        if _cancels() > cancels:
            await self.close()
            raise asyncio.CancelledError
        if chunk is None:
            self._is_ended = True
            return b""
        return chunk.to_bytes()

    async def close(self) -> None:
        if not self._is_ended:
            self._is_ended = True
            await self._request.__aexit__(None, None, None)


def _cancels() -> int:
    """How often this task was cancelled: the library forgets a cancellation that meets an answer on its way."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def _headers(response: Response) -> list[tuple[str, str]]:
    try:
        return list(response.headers.items())
    except ValueError:  # one value that is not ASCII spoils the whole list
        return [pair for name in dict.fromkeys(response.headers.keys()) for pair in _readable(response, name)]


def _readable(response: Response, name: str) -> list[tuple[str, str]]:
    try:
        return [(name, value) for value in response.headers.getall(name)]
    except ValueError:
        return []


def _failure(error: errors.PyreqwestError, host: str) -> TransportError:
    details = error.details if isinstance(error, errors.DetailedPyreqwestError) else {"causes": None}
    causes = [cause["message"] for cause in details["causes"] or []]
    return TransportError(_kind(error, causes), f"{host}: {causes[-1] if causes else error.message}")


def _kind(error: errors.PyreqwestError, causes: list[str]) -> FailureKind:
    """By the class of the error as far as it tells; the library says the rest in words only."""
    if isinstance(error, errors.ConnectTimeoutError) or "client error (Connect)" in causes:
        return "connect"
    if isinstance(error, errors.NetworkError | errors.ClientClosedError):
        return "reset"
    return "reset" if any(cause.startswith("end of file") for cause in causes) else "protocol"
