"""Secrets are taken out of what is logged, and only there."""

import json
import re
import threading
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import hyperscan
import msgspec

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.framing.json_array import JsonArrayFramer
from tollhouse.gateway.framing.sse import SseFramer
from tollhouse.gateway.observing.json_text import read
from tollhouse.gateway.secret_patterns import SECRET_PATTERNS

_MIN_SECRET_BYTES: Final = 8
_NUMBER: Final = re.compile(rb"[0-9eE+.-]*")
# A body is JSON inside a record, and may have JSON inside itself: a tool's arguments, say.
_ESCAPE_DEPTHS: Final = 3
_BACKSLASH: Final = 0x5C

_REDACTED: Final = "[REDACTED]"
_CREDENTIALS: Final = re.compile(
    r"(?:token|secret|api[-_]?key|password|credentials?|authorization|signature|cookie|^x-tollhouse-key)$",
    re.IGNORECASE,
)
_QUERY_CREDENTIALS: Final = frozenset({"key", "sig", "passwd", "pwd", "code", "jwt", "auth", "session"})


class _Span(NamedTuple):
    start: int
    end: int
    kind: str


class _Counted(msgspec.Struct):
    redaction_count: int = 0


_COUNTED = msgspec.json.Decoder(_Counted)


class Redactor:
    """Finds providers' keys by their patterns, and the given ``secrets`` themselves, in any depth of JSON escapes.

    Secrets of less than 8 bytes or of digits alone are not looked for: they would hit what is no secret. One Redactor
    serves all threads.
    """

    def __init__(self, secrets: Iterable[bytes]) -> None:
        literals = sorted({form for secret in secrets if _is_telling(secret) for form in _forms(secret)})
        self._literals = [re.compile(re.escape(text)) for text in literals]
        expressions = [pattern.scanned for pattern in SECRET_PATTERNS] + [_exactly(text) for text in literals]
        flags = [hyperscan.HS_FLAG_SINGLEMATCH] * len(expressions)
        for place, pattern in enumerate(SECRET_PATTERNS):
            if pattern.is_caseless:
                flags[place] |= hyperscan.HS_FLAG_CASELESS
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=expressions, ids=list(range(len(expressions))), elements=len(expressions), flags=flags
        )
        self._threads = threading.local()

    def redact_line(self, encoded: bytes) -> tuple[bytes, int]:
        """One encoded JSON object with its secrets replaced, and their number, which it has in ``redaction_count``."""
        spans = self._find(encoded)
        if not spans:
            return encoded, 0
        return _with_count(_replaced(encoded, spans), len(spans)), len(spans)

    def redact_bytes(self, raw: bytes) -> tuple[bytes, int]:
        """Bytes that are no JSON record with their secrets replaced, and their number; before base64 hides them."""
        spans = self._find(raw)
        return _replaced(raw, spans), len(spans)

    def redact_events(self, raw: bytes) -> tuple[bytes, int]:
        """Raw events of a stream with their secrets replaced, and their number.

        A secret may come in pieces, one an event. Where one shows in the joined strings of several events, a marker
        replaces all of them.
        """
        redacted, count = self.redact_bytes(raw)
        if any(self._is_split(pieces) for pieces in _strings_of_events(raw)):
            return b"[REDACTED:events]", max(count, 1)
        return redacted, count

    def _is_split(self, pieces: list[bytes]) -> bool:
        """Whether a secret, or what may go on with it, reaches from one piece into another."""
        edges = list(accumulate(len(piece) for piece in pieces))
        return any(span.start < edge < span.end for span in self._find(b"".join(pieces)) for edge in edges)

    def _find(self, text: bytes) -> list[_Span]:
        """Where secrets are: in order, without overlaps."""
        found: list[int] = []
        self._database.scan(text, match_event_handler=_note, context=found, scratch=self._scratch())
        if not found:
            return []
        spans: list[_Span] = []
        for number in found:
            spans += self._confirmed(text, number)
        return _merged(sorted(span for span in spans if not _splits_escape(text, span.start)))

    def _confirmed(self, text: bytes, number: int) -> Iterable[_Span]:
        if number < len(SECRET_PATTERNS):
            pattern = SECRET_PATTERNS[number]
            return [_Span(start, end, pattern.kind) for start, end in pattern.spans(text)]
        literal = self._literals[number - len(SECRET_PATTERNS)]
        return [_Span(*match.span(), "secret") for match in literal.finditer(text)]

    def _scratch(self) -> hyperscan.Scratch:
        # A scratch serves one scan at a time, and a scan lets other threads run.
        scratch: hyperscan.Scratch | None = getattr(self._threads, "scratch", None)
        if scratch is None:
            scratch = self._threads.scratch = hyperscan.Scratch(self._database)
        return scratch


def logged_headers(headers: Iterable[tuple[bytes, bytes]], own_key: bytes | None = None) -> tuple[dict[str, str], int]:
    """Headers by name, repeated ones joined by ", ", and the number of credentials that were replaced.

    A header that carries ``own_key``, the caller's own gateway key, is left out and not counted.
    """
    logged: dict[str, str] = {}
    count = 0
    for raw_name, raw_value in headers:
        name, is_credential = _logged_name(raw_name)
        if not is_credential:
            value = raw_value.decode("latin-1")
            logged[name] = f"{logged[name]}, {value}" if name in logged else value
        elif own_key is None or own_key not in raw_value:
            count += 1
            logged[name] = _REDACTED
    return logged, count


def logged_query(query: bytes, own_key: bytes | None = None) -> tuple[str | None, int]:
    """The query with the values of credentials replaced, and their number; None where there is no query.

    A value that is ``own_key``, the caller's own gateway key, is replaced and not counted.
    """
    if not query:
        return None, 0
    count = 0
    parts = query.decode("latin-1").split("&")
    for place, part in enumerate(parts):
        name, equals, value = part.partition("=")
        plain = unquote(name).lower()
        if value and (plain in _QUERY_CREDENTIALS or _CREDENTIALS.search(plain)):
            parts[place] = f"{name}{equals}{_REDACTED}"
            count += own_key is None or unquote(value) != own_key.decode("latin-1")
    return "&".join(parts), count


# Names repeat from call to call; the bound is for callers that make names up.
@lru_cache(maxsize=1024)
def _logged_name(raw_name: bytes) -> tuple[str, bool]:
    name = raw_name.decode("latin-1").lower()
    return name, _CREDENTIALS.search(name) is not None


def _note(number: int, _start: int, _end: int, _flags: int, found: Any) -> None:
    found.append(number)


def _is_telling(secret: bytes) -> bool:
    return len(secret) >= _MIN_SECRET_BYTES and _NUMBER.fullmatch(secret) is None


def _forms(secret: bytes) -> Iterable[bytes]:
    """A secret as it stands in JSON strings; where it has a quote or backslash, never as it is."""
    text = secret.decode("utf-8", "surrogateescape")
    if b'"' not in secret and b"\\" not in secret:
        yield secret
    for is_ascii in (True, False):
        for first in (_inside_json(text, is_ascii=is_ascii), _inside_json(text, is_ascii=is_ascii).replace("/", "\\/")):
            form = first
            for _ in range(_ESCAPE_DEPTHS):
                yield form.encode("utf-8", "surrogateescape")
                form = _inside_json(form, is_ascii=is_ascii)


def _inside_json(text: str, *, is_ascii: bool) -> str:
    return json.dumps(text, ensure_ascii=is_ascii)[1:-1]


def _exactly(text: bytes) -> bytes:
    return b"".join(b"\\x%02x" % byte for byte in text)


def _splits_escape(text: bytes, start: int) -> bool:
    """Whether ``start`` lies inside a JSON escape, such as at the second half of a line feed's."""
    last = text.rfind(b"\\", max(start - 5, 0), start)
    if last < 0:
        return False
    first = last
    while first > 0 and text[first - 1] == _BACKSLASH:
        first -= 1
    is_escape = (last - first) % 2 == 0
    return is_escape and start < last + (6 if text[last + 1] == ord("u") else 2)


def _merged(spans: list[_Span]) -> list[_Span]:
    merged: list[_Span] = []
    for span in spans:
        if merged and span.start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(span.end, merged[-1].end))
        else:
            merged.append(span)
    return merged


def _replaced(text: bytes, spans: list[_Span]) -> bytes:
    parts: list[bytes] = []
    for before, span in pairwise([_Span(0, 0, ""), *spans]):
        parts += (text[before.end : span.start], b"[REDACTED:%s]" % span.kind.encode())
    return b"".join([*parts, text[spans[-1].end :]]) if spans else text


def _with_count(line: bytes, count: int) -> bytes:
    """The record with ``redaction_count`` raised; its own is the last of that name, since only texts come behind it."""
    member = b'"redaction_count":'
    known = _known_count(line)
    if known:
        head, _, tail = line.rpartition(member + b"%d" % known)
        return head + member + b"%d" % (known + count) + tail
    end = line.rindex(b"}")
    comma = b"" if line[:end].rstrip().endswith(b"{") else b","
    return line[:end] + comma + member + b"%d" % count + line[end:]


def _known_count(line: bytes) -> int:
    try:
        return _COUNTED.decode(line).redaction_count
    except msgspec.MsgspecError:
        return 0


def _strings_of_events(raw: bytes) -> Iterable[list[bytes]]:
    """The strings of all events, by the keys that lead to several of them; of what is no JSON, the data."""
    texts: dict[tuple[str, ...], list[bytes]] = {}
    for frame in _frames(raw):
        if frame.data is not None:
            value, _ = read(frame.data)
            for path, text in _strings(frame.data.decode("utf-8", "replace") if value is None else value):
                texts.setdefault(path, []).append(text.encode("utf-8", "surrogatepass"))
    return [pieces for pieces in texts.values() if len(pieces) > 1]


def _frames(raw: bytes) -> list[Frame]:
    is_array = raw.lstrip()[:1] in {b"[", b"{", b","}
    framer = JsonArrayFramer(len(raw)) if is_array else SseFramer(len(raw))
    return framer.feed(raw) + framer.finish()


def _strings(value: Any) -> Iterable[tuple[tuple[str, ...], str]]:
    left: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while left:
        path, inner = left.pop()
        if isinstance(inner, str):
            yield path, inner
        elif isinstance(inner, dict):
            left += [((*path, key), member) for key, member in reversed(inner.items())]
        elif isinstance(inner, list):
            left += [(path, member) for member in reversed(inner)]
