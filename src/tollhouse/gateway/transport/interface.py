"""What the gateway needs of an HTTP client, and nothing more."""

from collections.abc import Sequence
from typing import Literal, Protocol

from tollhouse.errors import TollhouseError

Headers = Sequence[tuple[str, str]]
FailureKind = Literal["connect", "timeout", "reset", "protocol"]


class TransportError(TollhouseError):
    """A provider that could not be reached, or a response that broke off.

    ``kind``: ``connect`` (no connection: refused, no such host, TLS, connect timeout), ``timeout``, ``reset`` (the
    connection ended before the body did, a content length that was too great among it), ``protocol`` (not HTTP).
    """

    is_retryable = True

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind


class Reply(Protocol):
    """A response whose head has come. ``headers`` are in the order and number in which they came, names lower-case."""

    status: int
    headers: list[tuple[str, str]]

    async def read(self) -> bytes:
        """The next bytes as soon as there are any, never decompressed; b"" at the end. Raises TransportError."""
        ...

    async def close(self) -> None:
        """Give the connection back, or drop it where the body has not ended. May be called twice."""
        ...


class Transport(Protocol):
    """A pool of connections. It follows no redirects, keeps no cookies, adds no header but host and content-length."""

    async def send(self, method: str, url: str, headers: Headers, body: bytes) -> Reply:
        """Send one request and return at the head of its response; an empty body is none. Raises TransportError.

        Cancelling it drops the connection.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
