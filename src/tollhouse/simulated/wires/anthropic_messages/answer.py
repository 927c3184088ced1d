"""Writes a message, whole or as events."""

import base64
import hashlib
from typing import Any

import msgspec

from tollhouse.simulated.answer import Answer, Call
from tollhouse.simulated.reply import CONTENT, OTHER, TERMINAL, Event, sse
from tollhouse.simulated.tokens import Tokens
from tollhouse.simulated.wires.identity import Identity
from tollhouse.simulated.wires.usage import usage_json

_encode = msgspec.json.encode
_FINISH = {"stop": "end_turn", "length": "max_tokens", "tools": "tool_use", "stop_sequence": "stop_sequence"}
PING = b'event: ping\ndata: {"type": "ping"}\n\n'
_START_OUTPUT = 1


def whole(answer: Answer, identity: Identity, shape: str | None) -> Event:
    """The unary body; ``shape`` is the behaviour's ``usage``."""
    usage = usage_json("anthropic_messages", answer.tokens, shape)
    body = _message(identity, usage) | {
        "content": _content(answer, identity),
        "stop_reason": _FINISH[answer.finish],
        "stop_sequence": answer.stop_sequence,
    }
    return Event(_encode(body), CONTENT, usage)


def _message(identity: Identity, usage: bytes | None) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": identity.of("msg_"),
        "type": "message",
        "role": "assistant",
        "model": identity.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }
    return message if usage is None else message | {"usage": msgspec.Raw(usage)}


def _content(answer: Answer, identity: Identity) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if answer.thinking:
        thinking = "".join(answer.thinking)
        blocks.append({"type": "thinking", "thinking": thinking, "signature": _signature(thinking)})
    if answer.text:
        blocks.append({"type": "text", "text": "".join(answer.text)})
    blocks += [_tool_use(call, identity) | {"input": msgspec.Raw(call.arguments.encode())} for call in answer.calls]
    return blocks


def _tool_use(call: Call, identity: Identity) -> dict[str, Any]:
    return {"type": "tool_use", "id": identity.of("toolu_", 1 + call.number), "name": call.name, "input": {}}


def _signature(thinking: str) -> str:
    return base64.b64encode(hashlib.sha512(thinking.encode()).digest()).decode()


def events(answer: Answer, identity: Identity, shape: str | None) -> list[Event]:
    """The events of a stream: a ping after the start, ``message_stop`` last."""
    started = _started(answer.tokens)
    usage = usage_json("anthropic_messages", started, None if shape == "partial" else shape)
    start = {"type": "message_start", "message": _message(identity, usage)}
    made = [Event(sse("message_start", _encode(start)), OTHER, usage), Event(PING)]
    blocks = _blocks(answer, identity)
    for index, (first, deltas) in enumerate(blocks):
        opened = {"type": "content_block_start", "index": index, "content_block": first}
        made.append(Event(sse("content_block_start", _encode(opened))))
        head = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":' % index
        made += [Event(head + delta + b"}\n\n", CONTENT) for delta in deltas]
        made.append(Event(b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % index))
    made.append(_delta(answer, shape))
    made.append(Event(b'event: message_stop\ndata: {"type":"message_stop"}\n\n', TERMINAL))
    return made


def _started(tokens: Tokens) -> Tokens:
    return msgspec.structs.replace(tokens, output=min(tokens.output, _START_OUTPUT), reasoning=0)


def _blocks(answer: Answer, identity: Identity) -> list[tuple[dict[str, Any], list[bytes]]]:
    blocks: list[tuple[dict[str, Any], list[bytes]]] = []
    if answer.thinking:
        signature = _encode({"type": "signature_delta", "signature": _signature("".join(answer.thinking))})
        deltas = [b'{"type":"thinking_delta","thinking":' + _encode(piece) + b"}" for piece in answer.thinking]
        blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signature]))
    if answer.text:
        deltas = [b'{"type":"text_delta","text":' + _encode(piece) + b"}" for piece in answer.text]
        blocks.append(({"type": "text", "text": ""}, deltas))
    for call in answer.calls:
        pieces = ["", *call.pieces()]
        deltas = [b'{"type":"input_json_delta","partial_json":' + _encode(piece) + b"}" for piece in pieces]
        blocks.append((_tool_use(call, identity), deltas))
    return blocks


def _delta(answer: Answer, shape: str | None) -> Event:
    """``message_delta``: its usage is cumulative and has no split of the cache writes, but in the ledger it has."""
    usage = usage_json("anthropic_messages", answer.tokens, None if shape == "partial" else shape)
    delta = {"stop_reason": _FINISH[answer.finish], "stop_sequence": answer.stop_sequence}
    body: dict[str, Any] = {"type": "message_delta", "delta": delta}
    if usage is not None:
        sent = msgspec.json.decode(usage)
        left_out = {"cache_creation", "service_tier"}
        kept = {"output_tokens"} if shape == "partial" else sent.keys() - left_out
        body["usage"] = {name: count for name, count in sent.items() if name in kept}
    return Event(sse("message_delta", _encode(body)), OTHER, usage)
