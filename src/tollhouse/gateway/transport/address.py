"""Where a URL leads."""

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from tollhouse.gateway.transport.interface import TransportError

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """What connections are shared by."""

    is_tls: bool
    host: str
    port: int


class Address(NamedTuple):
    """``name`` is for messages and holds no secret, since a query may. ``authority`` is the host header's value."""

    origin: Origin
    authority: str
    target: str

    @property
    def name(self) -> str:
        return f"{self.origin.host}:{self.origin.port}"


@lru_cache(maxsize=4096)
def address_of(url: str) -> Address:
    """Raises TransportError (protocol) where ``url`` is no http or https URL in ASCII without spaces."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise TransportError("protocol", f"a provider's URL cannot be used: {error}") from error
    if parts.scheme not in _PORTS or not host:
        raise TransportError("protocol", f"a provider's URL needs http:// or https:// and a host: {url[:40]!r}")
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise TransportError("protocol", f"{host}: a provider's URL must be printable ASCII without spaces")
    origin = Origin(parts.scheme == "https", host, _PORTS[parts.scheme] if port is None else port)
    return Address(origin, parts.netloc.rpartition("@")[2], target)
