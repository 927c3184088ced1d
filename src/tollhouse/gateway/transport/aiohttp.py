"""The transport over aiohttp: plain, widely used, and dearer."""

import asyncio
import io
import socket
import ssl

import aiohttp
from yarl import URL

from tollhouse.gateway.transport.address import address_of
from tollhouse.gateway.transport.interface import FailureKind, Headers, TransportError

_IDLE_SECONDS = 50.0
_HEAD_BYTES = 262_144
_HEADERS = 1000
_DNS_SECONDS = 10
_READ_BYTES = 65_536
_WHOLE_BYTES = 1_048_576  # beyond it aiohttp wants a file, which it sends in parts
_SWITCHING_PROTOCOLS = 101
_UNASKED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class AiohttpTransport:
    """One session without a limit of connections, kept for 50 s after their last answer.

    aiohttp sends a GET again whose kept connection turned out closed; any other request is never sent again, and is a
    ``reset``. Header values that are not ASCII go on as they came where they are UTF-8; aiohttp writes no others.
    """

    def __init__(self, connect_seconds: float) -> None:
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_IDLE_SECONDS,
            ttl_dns_cache=_DNS_SECONDS,
            ssl=ssl.create_default_context(),  # its own is made at import, before SSL_CERT_FILE may be set
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, connect=connect_seconds),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_UNASKED,
            read_bufsize=_READ_BYTES,
            max_line_size=_HEAD_BYTES,
            max_field_size=_HEAD_BYTES,
            max_headers=_HEADERS,
        )

    async def send(self, method: str, url: str, headers: Headers, body: bytes) -> "AiohttpReply":
        host = address_of(url).name
        if self._session.closed:
            raise TransportError("connect", f"{host}: the transport is closed")
        # Lower-case, since of names that differ in case only the last would be sent.
        fields = [(name.lower(), _as_text(value)) for name, value in headers]
        data = io.BytesIO(body) if len(body) > _WHOLE_BYTES else body or None
        try:
            response = await self._session.request(
                method, URL(url, encoded=True), headers=fields, data=data, allow_redirects=False
            )
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            raise TransportError(_kind(error), f"{host}: {error or type(error).__name__}") from error
        if response.status == _SWITCHING_PROTOCOLS:
            response.close()
            raise TransportError("protocol", f"{host}: it changed to another protocol, unasked")
        return AiohttpReply(response, host)

    async def close(self) -> None:
        await self._session.close()


class AiohttpReply:
    """See ``Reply``."""

    __slots__ = ("_content", "_host", "_response", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, host: str) -> None:
        self.status = response.status
        self.headers = [
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.raw_headers
        ]
        self._response = response
        self._content = response.content
        self._host = host

    async def read(self) -> bytes:
        try:
            return await self._content.readany()
        except (aiohttp.ClientError, OSError) as error:
            await self.close()
            raise TransportError(_kind(error), f"{self._host}: {error or type(error).__name__}") from error
        except asyncio.CancelledError:
            await self.close()
            raise

    async def close(self) -> None:
        """aiohttp gives a connection back by itself at the end of a body."""
        self._response.close()


def _as_text(value: str) -> str:
    """aiohttp encodes a value as UTF-8, whatever bytes it stands for."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def _kind(error: Exception) -> FailureKind:
    if isinstance(error, aiohttp.ClientConnectorError | TimeoutError | socket.gaierror):
        return "connect"
    if isinstance(error, aiohttp.ClientConnectionError | OSError) or _is_cut(error):
        return "reset"
    return "protocol"


def _is_cut(error: Exception) -> bool:
    """Whether a body ended too early; the parser says that as it says that a body is malformed."""
    return isinstance(error, aiohttp.ClientPayloadError) and "Not enough data" in str(error)
