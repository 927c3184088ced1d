"""Providers that compress although they were asked not to."""

import zlib
from collections.abc import Sequence
from typing import Protocol

from tollhouse.gateway.transport.interface import TransportError

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Decoder(Protocol):
    """Undoes a content encoding piece by piece."""

    def feed(self, data: bytes) -> bytes:
        """The plain bytes of ``data``. Raises TransportError where it is damaged."""
        ...


class Plain:
    """No encoding."""

    def feed(self, data: bytes) -> bytes:
        return data


class Inflating:
    """gzip and deflate."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)

    def feed(self, data: bytes) -> bytes:
        try:
            return self._inflater.decompress(data)
        except zlib.error as error:
            raise TransportError("protocol", f"the provider's answer is not compressed as it says: {error}") from error


_PLAIN = Plain()


def decoder_for(headers: Sequence[tuple[str, str]]) -> Decoder:
    """The decoder of a response. Raises TransportError for an encoding that the gateway does not know."""
    encoding = next((value.strip().lower() for name, value in headers if name == "content-encoding"), "identity")
    if encoding in ("identity", ""):
        return _PLAIN
    if encoding in ("gzip", "x-gzip", "deflate"):
        return Inflating()
    raise TransportError("protocol", f"the provider answered with content-encoding {encoding!r}, though not asked to")
