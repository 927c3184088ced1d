"""What the headers of a request say. A client sends the same ones with each request, so they are read once."""

from functools import lru_cache
from typing import NamedTuple

from tollhouse.gateway.clients import Marks, marks
from tollhouse.gateway.headers import TextPairs, upstream_headers
from tollhouse.gateway.identity.credentials import CREDENTIAL_HEADERS, Found, find_key
from tollhouse.gateway.identity.keys import KEY_START
from tollhouse.gateway.redaction import logged_headers
from tollhouse.gateway.wires import Wire

_CONTENT_LENGTH = b"content-length"
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 512, 8192

Headers = tuple[tuple[bytes, bytes], ...]


class Introduction(NamedTuple):
    """The headers without the content length, which is each request's own, and what follows from them.

    ``named`` and all below it lack the headers that hold a virtual key under another name than the usual ones.
    ``logged`` holds ``redactions`` replaced credentials; ``marks`` are without the body's; ``upstream`` are the headers
    that go on in the same protocol. Shared by many calls, so never changed.
    """

    found: Found
    logged: dict[str, str]
    redactions: int
    named: dict[bytes, bytes]
    user_agent: str | None
    marks: Marks
    upstream: TextPairs


def introduce(headers: list[tuple[bytes, bytes]], query: bytes, wire: Wire, size: int) -> tuple[Introduction, bytes]:
    """What ``headers`` of ``size`` bytes say in a call of that protocol, and their content length or b""."""
    length = b""
    others: list[tuple[bytes, bytes]] = []
    for header in headers:
        if header[0] == _CONTENT_LENGTH:
            length = header[1]
        else:
            others.append(header)
    if size > _LONGEST_REMEMBERED or b"%" in query or KEY_START in query:
        return _read(tuple(others), query, wire), length
    return _remembered(tuple(others), b"", wire), length


def _read(headers: Headers, query: bytes, wire: Wire) -> Introduction:
    found = find_key(headers, query, wire)
    logged, redactions = logged_headers(headers, found.key)
    kept = headers
    if found.headers is not CREDENTIAL_HEADERS:
        kept = tuple(header for header in headers if header[0] not in found.headers)
    named = dict(kept)
    agent = named.get(b"user-agent")
    return Introduction(
        found,
        logged,
        redactions,
        named,
        agent.decode("latin-1") if agent else None,
        marks(named, None, None),
        upstream_headers(kept, named.get(b"connection")),
    )


_remembered = lru_cache(_MOST_REMEMBERED)(_read)
NOBODY = _read((), b"", "openai_chat")
