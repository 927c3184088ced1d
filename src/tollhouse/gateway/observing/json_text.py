"""A provider's JSON: read whatever it holds, and written so that every parser reads it."""

import json
from math import isfinite
from typing import Any, Final, TypeVar

import msgspec

Json = dict[str, Any]

# What msgspec refuses: malformed JSON, lone surrogates, NaN, numbers beyond a double; bytes that are not UTF-8; depth.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)

decode = msgspec.json.Decoder().decode
_Head = TypeVar("_Head", bound=msgspec.Struct)


class Pieces:
    """A text that comes in parts; joined only when it is written."""

    __slots__ = ("append", "parts")

    def __init__(self, first: str) -> None:
        self.parts = [first]
        self.append = self.parts.append

    def __str__(self) -> str:
        return "".join(self.parts)


def read(data: bytes) -> tuple[Any, bool]:
    """The value of a JSON text that ``decode`` may refuse, and whether all of it was kept; (None, False) if no JSON.

    Lone surrogates are kept. What JSON cannot say (NaN, infinity, bytes that are not UTF-8) is replaced.
    """
    try:
        return decode(data), True
    except UNREADABLE:
        return _read_odd(data)


def write(value: Any) -> bytes:
    """JSON in UTF-8; Pieces as strings, lone surrogates escaped."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, default=_plain, separators=(",", ":")).encode()


def read_head(body: bytes, decoder: "msgspec.json.Decoder[_Head]", kind: type[_Head]) -> _Head | None:
    """The members of a JSON object that ``kind`` names (Any or msgspec.Raw, all optional); None if it is no object."""
    try:
        head = decoder.decode(body)
        if not body.isascii():
            body.decode()
    except UNREADABLE:
        value, _ = read(body)
        if not isinstance(value, dict):
            return None
        return _head_of(value, kind)
    return head


def raw_object(raw: msgspec.Raw) -> bytes | None:
    """The bytes of a member that is an object, else None."""
    data = bytes(raw)
    return data if data.startswith(b"{") else None


def text_or_none(value: Any) -> str | None:
    """A string that is not empty, else None."""
    return value if isinstance(value, str) and value else None


def objects(value: Any) -> list[Json]:
    """The objects of a list; none where it is no list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def size_of(text: str) -> int:
    """Its size in UTF-8 bytes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _head_of(value: Json, kind: type[_Head]) -> _Head:
    members: Json = {}
    for field in msgspec.structs.fields(kind):
        if field.encode_name in value:
            member = value[field.encode_name]
            members[field.name] = member if field.type is Any else msgspec.Raw(write(member))
    return kind(**members)


def _read_odd(data: bytes) -> tuple[Any, bool]:
    is_exact = True

    def finite(number: str) -> float | None:
        nonlocal is_exact
        value = float(number)
        is_exact = is_exact and isfinite(value)
        return value if isfinite(value) else None

    try:
        text = data.decode("utf-8", "replace")
        value = json.loads(text, parse_float=finite, parse_constant=finite, strict=False)
    except (ValueError, RecursionError):
        return None, False
    return value, is_exact and _is_utf8(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, Pieces):
        return "".join(value.parts)
    return json.loads(bytes(value))


_encode = msgspec.json.Encoder(enc_hook=_plain).encode
