"""Finding the caller's virtual key in a request, and all the credentials that must not go on."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from tollhouse.gateway.identity.keys import KEY_PATTERN, KEY_START
from tollhouse.gateway.wires import Wire

CREDENTIAL_HEADERS = frozenset(
    {
        b"x-tollhouse-key",
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"cookie",
        b"proxy-authorization",
    }
)
CREDENTIAL_PARAMETERS = frozenset({b"key", b"access_token"})

_ANYWHERE = frozenset({b"x-tollhouse-key", b"authorization"})
# Azure's clients of OpenAI's protocols send api-key.
_OPENAI = _ANYWHERE | {b"api-key"}
_PLACES: Mapping[Wire, frozenset[bytes]] = {
    "openai_chat": _OPENAI,
    "openai_responses": _OPENAI,
    "openai_embeddings": _OPENAI,
    "anthropic_messages": _ANYWHERE | {b"x-api-key"},
    "gemini": _ANYWHERE | {b"x-goog-api-key"},
}
_BEARER = b"bearer "
_WITH_SCHEME = frozenset({b"authorization", b"proxy-authorization"})


class Found(NamedTuple):
    """The virtual key of a request; where ``is_conflict``, it held two different ones and ``key`` is None.

    ``headers`` and ``parameters`` (decoded names in the query) must not go on to a provider.
    """

    key: bytes | None
    is_conflict: bool = False
    headers: frozenset[bytes] = CREDENTIAL_HEADERS
    parameters: frozenset[bytes] = CREDENTIAL_PARAMETERS


def find_key(headers: Sequence[tuple[bytes, bytes]], query: bytes, wire: Wire) -> Found:
    """The virtual key in x-tollhouse-key, the protocol's own place or Authorization; header names are lower-case.

    All places that hold a virtual key must hold the same one, so none goes before another. A value in another format
    is no key, wherever it is.
    """
    suspects = [header for header in headers if KEY_START in header[1]]
    if b"%" in query or KEY_START in query:
        return _found(suspects, _parameters(query), wire)
    if len(suspects) == 1:
        name, value = suspects[0]
        key = _key_in(name, value)
        if key is not None:
            return Found(key) if name in _PLACES[wire] else _NOTHING
    return _found(suspects, [], wire) if suspects else _NOTHING


def without_parameters(query: bytes, names: frozenset[bytes]) -> bytes:
    """``query`` without the parameters of these (decoded) names; the rest byte for byte."""
    if not query:
        return query
    return b"&".join(pair for pair in query.split(b"&") if _decoded(pair.partition(b"=")[0]) not in names)


_NOTHING = Found(None)


def _found(headers: list[tuple[bytes, bytes]], parameters: list[tuple[bytes, bytes]], wire: Wire) -> Found:
    in_headers = [(name, _key_in(name, value)) for name, value in headers if KEY_PATTERN.search(value)]
    in_query = [(name, _key_of(name, value)) for name, value in parameters if KEY_PATTERN.search(value)]
    known = {key for _, key in (*in_headers, *in_query)} - {None}
    counts = any(key is not None and name in _PLACES[wire] for name, key in in_headers)
    counts = counts or (wire == "gemini" and any(key is not None and name == b"key" for name, key in in_query))
    return Found(
        key=known.pop() if len(known) == 1 and counts else None,
        is_conflict=len(known) > 1,
        headers=CREDENTIAL_HEADERS.union(name for name, _ in in_headers),
        parameters=CREDENTIAL_PARAMETERS.union(name for name, _ in in_query),
    )


def _key_in(name: bytes, value: bytes) -> bytes | None:
    """The key that is all of a header's value, after its scheme where the header has one."""
    text = value.strip()
    if name in _WITH_SCHEME:
        if text[: len(_BEARER)].lower() != _BEARER:
            return None
        text = text[len(_BEARER) :].lstrip()
    return text if name in CREDENTIAL_HEADERS and KEY_PATTERN.fullmatch(text) else None


def _key_of(name: bytes, value: bytes) -> bytes | None:
    return value if name in CREDENTIAL_PARAMETERS and KEY_PATTERN.fullmatch(value) else None


def _parameters(query: bytes) -> list[tuple[bytes, bytes]]:
    pairs = [pair.partition(b"=") for pair in query.split(b"&")]
    return [(_decoded(name), _decoded(value)) for name, _, value in pairs]


def _decoded(part: bytes) -> bytes:
    return unquote_to_bytes(part.replace(b"+", b" ")) if b"%" in part or b"+" in part else part
