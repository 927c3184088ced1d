"""JSON between the halves: what msgspec refuses (a lone surrogate, say) still passes."""

import json
from typing import Any, Final

import msgspec

from tollhouse.gateway.translation.halves import UntranslatableError

_decoder: Final = msgspec.json.Decoder()
_RAW: Final = "_raw"


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


def arguments_object(arguments: str) -> dict[str, Any]:
    """A tool call's arguments for a protocol that wants an object: nothing is {}, text that is no object ``_raw``."""
    if not arguments.strip():
        return {}
    found = decode(arguments)
    return found if isinstance(found, dict) else {_RAW: arguments}


def arguments_text(arguments: object) -> str:
    """The JSON text of a tool call's arguments that came as an object; gives ``arguments_object``'s ``_raw`` back."""
    if isinstance(arguments, dict) and arguments.keys() == {_RAW} and isinstance(arguments[_RAW], str):
        return arguments[_RAW]
    return encode({} if arguments is None else arguments).decode()
