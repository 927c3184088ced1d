"""The few members of a request's body that the gateway reads, and the byte spans of those that it replaces.

The rest of the body is not decoded: it goes on as the bytes that came.
"""

import json
import re
from typing import Any, NamedTuple

import msgspec

from tollhouse.gateway.refusals import INVALID_JSON, INVALID_REQUEST, REPEATED_KEY, RefusalError

_BOM = b"\xef\xbb\xbf"
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKEN = re.compile(rb'%b|[{}\[\]:,]|[^\s"{}\[\]:,]+' % _STRING, re.DOTALL)
_VALUE = re.compile(rb'\s*:\s*(%b|\{[^{}"]*+(?:%b[^{}"]*+)*+\}|[\w.+-]+)' % (_STRING, _STRING), re.DOTALL)
_DEPTHS = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}
_encode = msgspec.json.encode


class _Member:
    """The value of a member: a class each, since msgspec hands every occurrence of such a type to the hook."""

    __slots__ = ("value",)
    name = ""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Model(_Member):
    name = "model"


class _Stream(_Member):
    name = "stream"


class _StreamOptions(_Member):
    name = "stream_options"


class _PreviousResponseId(_Member):
    name = "previous_response_id"


class _Background(_Member):
    name = "background"


class _Metadata(_Member):
    name = "metadata"


class _PromptCacheKey(_Member):
    name = "prompt_cache_key"


class _Store(_Member):
    name = "store"


_KINDS = (_Store, _Model, _Stream, _StreamOptions, _PreviousResponseId, _Background, _Metadata, _PromptCacheKey)


class _Document(msgspec.Struct):
    model: _Model = _Model(None)
    stream: _Stream = _Stream(None)
    stream_options: _StreamOptions = _StreamOptions(None)
    previous_response_id: _PreviousResponseId = _PreviousResponseId(None)
    background: _Background = _Background(None)
    metadata: _Metadata = _Metadata(None)
    prompt_cache_key: _PromptCacheKey = _PromptCacheKey(None)
    store: _Store = _Store(None)


class Head(NamedTuple):
    """What the gateway reads of a body. ``includes_usage``: chat's stream_options ask for a usage chunk; ``is_stored``:
    nothing says that a Responses answer is not to be kept.
    """

    model: str | None
    is_stream: bool
    includes_usage: bool
    has_stream_options: bool
    stream_options: dict[str, Any] | None
    previous_response_id: str | None
    is_background: bool
    metadata_user_id: str | None
    prompt_cache_key: str | None
    is_stored: bool


NO_HEAD = Head(
    model=None,
    is_stream=False,
    includes_usage=False,
    has_stream_options=False,
    stream_options=None,
    previous_response_id=None,
    is_background=False,
    metadata_user_id=None,
    prompt_cache_key=None,
    is_stored=False,
)


class HeadReader:
    """Reads heads, one at a time: for use on one thread."""

    def __init__(self) -> None:
        self._seen: list[type] = []
        self._decoder = msgspec.json.Decoder(_Document, dec_hook=self._take)

    def read(self, body: bytes) -> Head:
        """The head of a JSON object, whose strings may not be UTF-8. Raises RefusalError, also for a repeated key."""
        if body.startswith(_BOM):
            raise RefusalError(INVALID_JSON, "the body begins with a byte order mark; send JSON in UTF-8 without one")
        self._seen.clear()
        try:
            document = self._decoder.decode(body)
        except msgspec.ValidationError as error:
            document = self._read_slowly(body, str(error))
        except msgspec.DecodeError as error:
            document = self._read_slowly(body, str(error))
        except RecursionError as error:
            raise RefusalError(INVALID_JSON, "the body's JSON is nested too deeply") from error
        except UnicodeDecodeError as error:
            raise _not_utf8(error) from error
        if len(self._seen) != len(set(self._seen)):
            raise _repeated(next(kind.name for kind in _KINDS if self._seen.count(kind) > 1))
        return _head(document, has_stream_options=_StreamOptions in self._seen)

    def _take(self, kind: type, value: Any) -> Any:
        self._seen.append(kind)
        return kind(value)

    def _read_slowly(self, body: bytes, complaint: str) -> _Document:
        """Python's own reader also takes lone surrogates and numbers beyond a double, which msgspec refuses."""
        self._seen.clear()
        pairs: list[tuple[str, Any]] = []

        def keep(members: list[tuple[str, Any]]) -> dict[str, Any]:
            pairs[:] = members
            return dict(members)

        try:
            document = json.loads(body.decode(), object_pairs_hook=keep, parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise _not_utf8(error) from error
        except RecursionError as error:
            raise RefusalError(INVALID_JSON, "the body's JSON is nested too deeply") from error
        except ValueError as error:
            reason = error if body.strip() else "it is empty"
            raise RefusalError(INVALID_JSON, f"the body is not JSON: {reason}") from error
        if not isinstance(document, dict):
            raise RefusalError(INVALID_JSON, f"the body must be a JSON object: {complaint}")
        names = {kind.name: kind for kind in _KINDS}
        return _Document(**{key: self._take(names[key], value) for key, value in pairs if key in names})


def _head(document: _Document, *, has_stream_options: bool) -> Head:
    options = document.stream_options.value
    metadata = document.metadata.value
    user = metadata.get("user_id") if isinstance(metadata, dict) else None
    stream = document.stream.value
    if stream is not None and not isinstance(stream, bool):
        raise RefusalError(INVALID_REQUEST, f"stream must be true or false, not {stream!r:.80}", param="stream")
    if options is not None and not isinstance(options, dict):
        raise RefusalError(
            INVALID_REQUEST, f"stream_options must be an object, not {options!r:.80}", param="stream_options"
        )
    return Head(
        model=_text(document.model),
        is_stream=bool(stream),
        includes_usage=bool(options and options.get("include_usage")),
        has_stream_options=has_stream_options,
        stream_options=options,
        previous_response_id=_text(document.previous_response_id),
        is_background=document.background.value is True,
        metadata_user_id=user if isinstance(user, str) else None,
        prompt_cache_key=_text(document.prompt_cache_key),
        is_stored=document.store.value is not False,
    )


def _text(member: _Member) -> str | None:
    value = member.value
    if value is None or isinstance(value, str):
        return value
    raise RefusalError(INVALID_REQUEST, f"{member.name} must be a string, not {value!r:.80}", param=member.name)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _not_utf8(error: UnicodeDecodeError) -> RefusalError:
    return RefusalError(INVALID_JSON, f"the body is not UTF-8: {error.reason} at byte {error.start}")


def _repeated(name: str) -> RefusalError:
    return RefusalError(
        REPEATED_KEY, f"the body has the key {name!r} more than once, which servers read differently", param=name
    )


def insert_member(body: bytes, name: str, value: Any) -> bytes:
    """``body``, an object without the member ``name``, with it put first; all other bytes are the same."""
    start = body.index(b"{") + 1
    comma = b"" if body[start:].lstrip().startswith(b"}") else b","
    return b'%b"%b":%b%b%b' % (body[:start], name.encode(), _encode(value), comma, body[start:])


def replace_member(body: bytes, name: str, value: Any) -> bytes:
    """``body``, an object with exactly one member ``name``, with its value replaced; all other bytes are the same."""
    start, end = _span(body, name.encode())
    return body[:start] + _encode(value) + body[end:]


def _span(body: bytes, name: bytes) -> tuple[int, int]:
    """Where the value of the outermost member ``name`` stands."""
    literal = b'"%b"' % name
    at = body.find(literal)
    if at >= 0 and body.find(literal, at + 1) < 0 and b"\\u00" not in body:
        found = _VALUE.match(body, at + len(literal))
        if found:
            return found.span(1)
    return _walk(body, name)


def _walk(body: bytes, name: bytes) -> tuple[int, int]:
    """The same token by token, where the name's letters stand in several places or may be written as escapes."""
    depth, is_key, start = 0, False, -1
    for token in _TOKEN.finditer(body):
        text = token.group()
        if depth == 1 and start >= 0 and text in (b",", b"}"):
            return start, _end(body, start, token.start())
        if text in _DEPTHS:
            depth += _DEPTHS[text]
            is_key = depth == 1 and text == b"{"
        elif depth == 1 and text == b",":
            is_key = True
        elif depth == 1 and is_key and text.startswith(b'"'):
            is_key = False
            start = _value_start(body, token.end()) if json.loads(text) == name.decode() else -1
    raise ValueError(f"the object has no member {name!r}")


def _value_start(body: bytes, end_of_key: int) -> int:
    after = body.index(b":", end_of_key) + 1
    return len(body) - len(body[after:].lstrip())


def _end(body: bytes, start: int, end: int) -> int:
    return start + len(body[start:end].rstrip())
