"""Receiving a request's body: under a cap, within a deadline, decoded where it came encoded."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

import zstandard

from tollhouse.gateway.refusals import (
    INVALID_REQUEST,
    REQUEST_TIMEOUT,
    REQUEST_TOO_LARGE,
    UNSUPPORTED_ENCODING,
    RefusalError,
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class BodyLimits(NamedTuple):
    """``body_bytes`` also bounds a body after decoding, which may be ``ratio`` times its encoded size at most."""

    body_bytes: int
    seconds: float
    ratio: int


class ClientLeftError(Exception):
    """The client went away before its request was whole."""


def received_at_once(receive: Receive) -> Message | None:
    """The message that is there already; None where one would have to be waited for."""
    step = receive().__await__()
    try:
        next(step)
    except StopIteration as received:
        return received.value
    step.close()
    return None


async def receive_body(receive: Receive, limits: BodyLimits, announced: int) -> bytes:
    """The whole body; ``announced`` is its content length, 0 where none was given.

    Raises RefusalError for a body over the cap or too slow, ClientLeftError where the client went away.
    """
    if announced > limits.body_bytes:
        raise _too_large(limits.body_bytes)
    message = received_at_once(receive)
    if message is not None and not message.get("more_body", False):
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        body: bytes = message["body"]
        if len(body) > limits.body_bytes:
            raise _too_large(limits.body_bytes)
        return body
    try:
        async with asyncio.timeout(limits.seconds):
            return await _receive_rest(receive, limits.body_bytes, message["body"] if message else b"")
    except TimeoutError as error:
        raise RefusalError(
            REQUEST_TIMEOUT, f"the request's body did not arrive within {limits.seconds:g} seconds"
        ) from error


async def _receive_rest(receive: Receive, cap: int, first: bytes) -> bytes:
    pieces, size, is_more = [first], len(first), True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        pieces.append(message["body"])
        size += len(message["body"])
        if size > cap:
            raise _too_large(cap)
        is_more = message.get("more_body", False)
    return b"".join(pieces)


def _too_large(cap: int) -> RefusalError:
    return RefusalError(
        REQUEST_TOO_LARGE,
        f"the request's body is larger than {cap:,} bytes, the gateway's limit (limits.request_bytes)",
        headers=((b"connection", b"close"),),
    )


def decode_body(body: bytes, encoding: str, limits: BodyLimits) -> bytes:
    """``body`` without its content encoding (gzip, deflate, zstd, several of them in a row).

    Raises RefusalError for another encoding, for damaged data, and for what would grow beyond the limits.
    """
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name not in ("", "identity"):
            body = _inflate(body, name, min(limits.body_bytes, max(len(body), 1024) * limits.ratio))
    return body


def _inflate(body: bytes, name: str, cap: int) -> bytes:
    try:
        plain = _plain(body, name, cap + 1)
    except (zlib.error, zstandard.ZstdError) as error:
        raise RefusalError(INVALID_REQUEST, f"the body is not {name}, as its content-encoding says: {error}") from error
    if len(plain) > cap:
        raise RefusalError(
            REQUEST_TOO_LARGE, f"the body is larger than {cap:,} bytes once its content-encoding {name} is undone"
        )
    return plain


def _plain(body: bytes, name: str, most: int) -> bytes:
    """The first ``most`` bytes of what ``body`` holds: no more than that is ever in memory."""
    if name in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, most)
    if name == "zstd":
        return zstandard.ZstdDecompressor().stream_reader(body).read(most)
    raise RefusalError(
        UNSUPPORTED_ENCODING,
        f"content-encoding {name!r} is not understood; send the body plain, or as gzip, deflate or zstd",
    )
