"""JSON between the halves: what msgspec refuses (a lone surrogate, say) still passes."""

import json
from typing import Any, Final

import msgspec

from tollhouse.gateway.translation.halves import UntranslatableError

_decoder: Final = msgspec.json.Decoder()


def encode(document: object) -> bytes:
    """The JSON of a document; half a surrogate pair, as some models stream them, is written as its escape."""
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        return json.dumps(document, separators=(",", ":")).encode()


def encode_request(document: object) -> bytes:
    """The JSON of a translated request. Raises UntranslatableError where it is nested too deeply."""
    try:
        return encode(document)
    except RecursionError:
        raise UntranslatableError("body", "it is nested too deeply") from None


def decode(text: bytes | str) -> Any:
    """What a provider's JSON says; None where it is none."""
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _decode_patiently(text)


def _decode_patiently(text: bytes | str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def decode_arguments(arguments: str) -> dict[str, Any] | None:
    """A tool call's arguments as an object, {} for no text; None for text that is no JSON object."""
    if not arguments.strip():
        return {}
    found = decode(arguments)
    return found if isinstance(found, dict) else None
