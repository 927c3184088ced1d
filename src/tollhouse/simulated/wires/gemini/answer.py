"""Writes generateContent's answer, whole, as server-sent events or as one JSON array."""

import base64
import hashlib
from typing import Any

import msgspec

from tollhouse.simulated.answer import Answer, Call
from tollhouse.simulated.asked import Asked
from tollhouse.simulated.reply import CONTENT, OTHER, TERMINAL, Event
from tollhouse.simulated.tokens import Tokens, tokens_of
from tollhouse.simulated.wires.identity import Identity
from tollhouse.simulated.wires.usage import usage_json

_encode = msgspec.json.encode
_Part = dict[str, Any]


def whole(asked: Asked, answer: Answer, identity: Identity, shape: str | None) -> Event:
    """The unary body; ``shape`` is the behaviour's ``usage``."""
    usage = usage_json("gemini", answer.tokens, shape)
    parts = [part for part, _ in _parts(asked, answer, is_whole=True)]
    return Event(_response(parts, _finish(answer), identity, usage), CONTENT, usage)


def _finish(answer: Answer) -> str:
    return "MAX_TOKENS" if answer.finish == "length" else "STOP"


def _response(parts: list[_Part], finish: str | None, identity: Identity, usage: bytes | None) -> bytes:
    candidate: _Part = {"content": {"parts": parts, "role": "model"}}
    if finish is not None:
        candidate["finishReason"] = finish
    body: _Part = {"candidates": [candidate | {"index": 0}]}
    if usage is not None:
        body["usageMetadata"] = msgspec.Raw(usage)
    return _encode(body | {"modelVersion": identity.model, "responseId": identity.suffix})


def _parts(asked: Asked, answer: Answer, *, is_whole: bool) -> list[tuple[_Part, int]]:
    """Each part with the tokens of it; thoughts are shown only where the caller asked for them."""
    text, thinking = (_joined(pieces) if is_whole else pieces for pieces in (answer.text, answer.thinking))
    parts: list[tuple[_Part, int]] = []
    if asked.shows_thinking:
        parts += [({"text": piece, "thought": True}, 0) for piece in thinking]
    said: list[tuple[_Part, int]] = [({"text": piece}, tokens_of(piece)) for piece in text]
    called = [(_function_call(call), tokens_of(call.arguments)) for call in answer.calls]
    if thinking and (said or called):
        first, cost = (called or said)[0]
        (called or said)[0] = (first | {"thoughtSignature": _signature("".join(thinking))}, cost)
    return [*parts, *said, *called]


def _joined(pieces: list[str]) -> list[str]:
    return ["".join(pieces)] if pieces else []


def _function_call(call: Call) -> _Part:
    return {"functionCall": {"name": call.name, "args": msgspec.Raw(call.arguments.encode())}}


def _signature(thinking: str) -> str:
    return base64.b64encode(hashlib.sha512(thinking.encode()).digest()).decode()


def events(asked: Asked, answer: Answer, identity: Identity, shape: str | None, *, is_array: bool) -> list[Event]:
    """The chunks of a stream, each with the usage so far; the last has the finish reason."""
    made: list[Event] = []
    spent = 0
    for part, cost in _parts(asked, answer, is_whole=False):
        spent = min(spent + cost, answer.tokens.output - answer.tokens.reasoning)
        usage = usage_json("gemini", _so_far(answer.tokens, spent), shape)
        made.append(Event(_framed(_response([part], None, identity, usage), made, is_array), CONTENT, usage))
    usage = usage_json("gemini", answer.tokens, shape)
    last = _response([{"text": ""}], _finish(answer), identity, usage)
    made.append(Event(_framed(last, made, is_array), OTHER if is_array else TERMINAL, usage))
    if is_array:
        made.append(Event(b"]", TERMINAL))
    return made


def _so_far(tokens: Tokens, spent: int) -> Tokens:
    return msgspec.structs.replace(tokens, output=spent + tokens.reasoning)


def _framed(body: bytes, before: list[Event], is_array: bool) -> bytes:
    if is_array:
        return (b",\r\n" if before else b"[") + body
    return b"data: " + body + b"\n\n"
