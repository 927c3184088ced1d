"""Strict JSON: which texts both engines read alike, and how the others are mended.

DuckDB and Spark disagree on trailing commas, NaN, duplicate keys, lone surrogates and numbers beyond a double, and one
malformed text fails a whole batch in DuckDB. ``suspect_sql`` finds such texts vectorised, ``normalize`` mends them one
by one. A text that is not suspect is read alike by both engines.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isinf
from typing import Any

from tollhouse.errors import SourceError

MAX_DEPTH = 256
_MAX_INTEGER = 2**63 - 1
_MIN_INTEGER = -(2**63)

# Blanks and ends as they are, or as they look inside a JSON string: one search then serves a record and its bodies.
_BLANKS = r"(?:\s|\\[nrt])*"
_WORD = rf"(?:[nN][aA][nN]|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?){_BLANKS}(?:$|[,\]}}\x22])"
_ODD_NUMBER = rf"{_BLANKS}-?(?:{_WORD}|[0-9]{{19}}|[0-9]+(?:\.[0-9]*)?[eE]\+?[0-9]{{3}})"
# One pattern a leading character: RE2 then skips with memchr, which took 2.2 µs a kB where one pattern took 2.6.
_ODD_INSIDE = (rf",(?:{_BLANKS}[\]}}]|{_ODD_NUMBER})", rf":{_ODD_NUMBER}", rf"\[{_ODD_NUMBER}")
_ODD_WHOLE = rf"^{_ODD_NUMBER}"
# ASCII that matters to the patterns above, written as an escape; < > & and ' are not among it, which Go escapes.
_ESCAPED_ASCII = r"\\u00(?:0[9aAdD]|2[0bBcCdDeE]|3[0-9aA]|[4-7])"

_SURROGATE = re.compile("[\ud800-\udfff]")
_BRACKETS_OR_STRINGS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]', re.DOTALL)


class NotJsonError(SourceError):
    """A text that is not JSON and cannot be mended; ``reason`` says why in words, with the offset."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not JSON: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Normalized:
    """Strict JSON ``text`` and what was mended in it; without ``mends`` the text is the original one."""

    text: str
    mends: frozenset[str]


def suspect_sql(column: str) -> str:
    """Return a DuckDB boolean expression: TRUE where ``column`` (VARCHAR) may need ``normalize``, FALSE for NULL.

    TRUE too often costs time only. The text is malformed, or has a trailing comma, NaN or infinity, an integer of 19
    digits or more, an exponent of three digits or more, equal keys in one object, or more than ``MAX_DEPTH`` levels.
    """
    return f"({column} IS NOT NULL AND ({_matches(column, *_ODD_INSIDE, _ODD_WHOLE)} OR {_misread(column)}))"


def _matches(column: str, *patterns: str) -> str:
    return " OR ".join(f"regexp_matches({column}, '{pattern}')" for pattern in patterns)


def _misread(column: str) -> str:
    """Malformed, with equal keys, or too deep."""
    # '$.**' lists the keys of every value below the root (so the text is put into an array), and unescapes them, so
    # "\u0061" equals "a". What is malformed only without the array is left to json_valid.
    keys = f"json_keys(concat('[', {column}, ']'), '$.**')"
    # Most objects of a chat have two members; comparing those directly took a third off the whole check.
    repeated = "WHEN len(names) = 2 THEN names[1] = names[2] ELSE list_unique(names) <> len(names) END"
    flags = f"TRY(list_transform({keys}, lambda names: CASE WHEN len(names) < 2 THEN FALSE {repeated}))"
    verdict = f"flags IS NULL OR list_contains(flags, TRUE) THEN 2 WHEN len(flags) > {MAX_DEPTH} THEN 1 ELSE 0 END"
    brackets = f"strlen({column}) - strlen(replace(replace({column}, '[', ''), '{{', ''))"
    # CASE and not OR: in a projection DuckDB computes every operand of OR for every row.
    checked = f"CASE list_transform([{flags}], lambda flags: CASE WHEN {verdict})[1] WHEN 0 THEN FALSE WHEN 2 THEN TRUE"
    checked = f"{checked} ELSE {brackets} > {MAX_DEPTH} END"
    return f"NOT json_valid({column}) OR {checked}"


def check_batch_sql(record_column: str, string_bodies: Sequence[str]) -> str:
    """Return a DuckDB boolean expression: TRUE where a record, or a JSON text that it holds, may need the normaliser.

    ``string_bodies`` are dotted paths through objects. A record whose ``<path>_encoding`` is given is always checked.
    """
    record = suspect_sql(record_column)
    if not string_bodies:
        return record
    # An encoding's name is not JSON and so makes its record suspect, without a test of its own.
    members = [path for body in string_bodies for path in (body, f"{body}_encoding")]
    paths = ", ".join(f"'{_json_path(path)}'" for path in members)
    bodies = f"list_filter(json_extract_string({record_column}, [{paths}]), lambda body: body IS NOT NULL)"
    odd = f"{_matches('body', _ODD_WHOLE)} OR {_misread('body')}"
    inside = f"COALESCE(list_bool_or(list_transform({bodies}, lambda body: {odd})), FALSE)"
    return f"CASE WHEN {record} OR {_matches(record_column, _ESCAPED_ASCII)} THEN TRUE ELSE {inside} END"


def _json_path(dotted: str) -> str:
    if not re.fullmatch(r"\w+(\.\w+)*", dotted):
        raise SourceError(f"'{dotted}' is not a dotted path of a body", hint="write it like metadata.usage_object")
    return "$." + dotted


@dataclass(slots=True)
class _Mender:
    """Parses one text and notes what it mended on the way."""

    mends: set[str] = field(default_factory=set)

    def parse(self, text: str) -> Any:
        if text.startswith("\ufeff"):
            self.mends.add("byte order mark")
            text = text[1:]
        _refuse_depth(text)
        try:
            return json.loads(
                text,
                object_pairs_hook=self._members,
                parse_int=self._integer,
                parse_float=self._number,
                parse_constant=self._constant,
            )
        except json.JSONDecodeError as error:
            raise NotJsonError(_explain(error)) from None
        except RecursionError:
            raise NotJsonError(f"nested deeper than {MAX_DEPTH} levels") from None

    def clean(self, text: str) -> str:
        cleaned = _SURROGATE.sub("\ufffd", text)
        if cleaned != text:
            self.mends.add("lone surrogate")
        return cleaned

    def write(self, value: Any, original: str) -> str | None:
        """Write what was parsed; None where nothing was mended, without writing (half of the time) if that is sure."""
        if not self.mends and not _may_have_surrogates(original):
            return None
        written = self.clean(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
        return written if self.mends else None

    def _members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = {self.clean(key): value for key, value in pairs}
        if len(members) != len(pairs):
            self.mends.add("duplicate key")
        return members

    def _integer(self, digits: str) -> int | str:
        if len(digits) <= 20 and _MIN_INTEGER <= int(digits) <= _MAX_INTEGER:
            return int(digits)
        return self._constant(digits)

    def _number(self, digits: str) -> float | str:
        number = float(digits)
        return self._constant(digits) if isinf(number) else number

    def _constant(self, digits: str) -> str:
        self.mends.add("number out of range")
        return digits


def _may_have_surrogates(text: str) -> bool:
    return "\\ud" in text or "\\uD" in text or (not text.isascii() and _SURROGATE.search(text) is not None)


def _refuse_depth(text: str) -> None:
    """Count levels only where there are brackets enough for the limit to be passed."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _BRACKETS_OR_STRINGS.finditer(text):
        first = text[token.start()]
        depth += (first in "[{") - (first in "]}")
        if depth > MAX_DEPTH:
            raise NotJsonError(f"nested deeper than {MAX_DEPTH} levels at character {token.start()}")


def _explain(error: json.JSONDecodeError) -> str:
    if not error.doc.strip():
        return "the text is empty"
    if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string"):
        return f"it ends too early, at character {error.pos}"
    return f"{error.msg} at character {error.pos}, near {error.doc[error.pos : error.pos + 20]!r}"


def decode_text(data: bytes) -> str:
    """Return ``data`` as text; raise ``NotJsonError`` where it is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise NotJsonError(f"not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}") from None


def normalize(text: str | bytes) -> Normalized:
    """Return strict JSON of the same meaning, as both engines read it.

    A lone surrogate becomes U+FFFD, of equal keys the last one stays, and NaN, infinities, numbers beyond a double and
    integers beyond 64 bits become strings. Raises ``NotJsonError`` for a text that is not JSON even so.
    """
    mender = _Mender()
    original = decode_text(text) if isinstance(text, bytes) else text
    value = mender.parse(original)
    written = mender.write(value, original)
    return Normalized(original if written is None else written, frozenset(mender.mends))


def normalize_record(text: str | bytes, string_bodies: Sequence[str]) -> tuple[str | None, list[str]]:
    """Normalise a record and the JSON texts that it holds in its string members ``string_bodies`` (dotted paths).

    Returns the normalised text, None where the record is strict as it is, and the paths of the bodies that are not
    JSON: these stay as they are, like those with ``<path>_encoding`` "base64". Raises ``NotJsonError`` for the record.
    """
    mender = _Mender()
    original = decode_text(text) if isinstance(text, bytes) else text
    record = mender.parse(original)
    errors = [path for path in string_bodies if not _mend_body(record, path.split("."), mender.mends)]
    return mender.write(record, original), errors


def _mend_body(record: Any, path: list[str], mends: set[str]) -> bool:
    """Mend one body in place; False where it is a text that is not JSON."""
    for name in path[:-1]:
        record = record.get(name) if isinstance(record, dict) else None
    name = path[-1]
    body = record.get(name) if isinstance(record, dict) else None
    if not isinstance(body, str):
        return True
    if record.get(f"{name}_encoding") == "base64":
        return False
    try:
        mended = normalize(body)
    except NotJsonError:
        return False
    if mended.mends:
        record[name] = mended.text
        mends |= mended.mends
    return True
