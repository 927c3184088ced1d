"""Which headers go on: hop-by-hop ones, credentials and the gateway's own never do, all others do."""

from collections.abc import Iterable, Sequence

from tollhouse.gateway.identity.credentials import CREDENTIAL_HEADERS

Pairs = list[tuple[bytes, bytes]]
TextPairs = list[tuple[str, str]]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# The upstream connection's own, or what only concerns the way from the client to here.
_OWN = frozenset(
    {
        b"host",
        b"content-length",
        b"content-encoding",
        b"accept-encoding",
        b"expect",
        b"forwarded",
        b"x-real-ip",
        b"via",
        b"databricks-ai-gateway-request-tags",
    }
)
_NOT_UPSTREAM = HOP_BY_HOP | CREDENTIAL_HEADERS | {b"x-amz-security-token"} | _OWN
_NOT_TO_CLIENT = HOP_BY_HOP | {b"content-length", b"set-cookie", b"alt-svc", b"strict-transport-security"}
# What a call to another family's provider may keep: nothing there speaks the caller's protocol.
_FOREIGN = frozenset({b"user-agent", b"traceparent", b"tracestate", b"baggage"})
ANTHROPIC_VERSION = ("anthropic-version", "2023-06-01")
_UNBUFFERED = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))


def upstream_headers(headers: Iterable[tuple[bytes, bytes]], named: bytes | None) -> TextPairs:
    """The client's headers as they go on in the same protocol, in order; ``named`` is its Connection header."""
    left_out = _NOT_UPSTREAM | _listed(named) if named else _NOT_UPSTREAM
    kept = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if name not in left_out and not name.startswith((b"x-tollhouse-", b"x-forwarded-"))
    ]
    kept.append(("accept-encoding", "identity"))
    return kept


def foreign_headers(headers: Iterable[tuple[bytes, bytes]], *, is_stream: bool, is_anthropic: bool) -> TextPairs:
    """The headers of a call in another family's protocol."""
    kept = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers if name in _FOREIGN]
    kept += [
        ("content-type", "application/json"),
        ("accept", "text/event-stream" if is_stream else "application/json"),
        ("accept-encoding", "identity"),
    ]
    if is_anthropic:
        kept.append(ANTHROPIC_VERSION)
    return kept


def client_headers(headers: Sequence[tuple[str, str]], *, is_decoded: bool, is_stream: bool) -> Pairs:
    """The provider's headers as the client gets them, without a content length."""
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    named = next((value for name, value in pairs if name == b"connection"), None)
    left_out = _NOT_TO_CLIENT | _listed(named) if named else _NOT_TO_CLIENT
    if is_decoded:
        left_out |= {b"content-encoding"}
    kept = [(name, value) for name, value in pairs if name not in left_out]
    return unbuffered(kept) if is_stream else kept


def unbuffered(headers: Pairs) -> Pairs:
    """``headers`` of a stream, which no proxy on the way may hold back."""
    known = {name for name, _ in headers}
    return [*headers, *(pair for pair in _UNBUFFERED if pair[0] not in known)]


def _listed(connection: bytes) -> frozenset[bytes]:
    return frozenset(part.strip().lower() for part in connection.split(b","))
