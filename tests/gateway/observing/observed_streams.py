"""Literal streams, one a protocol, and what an observer makes of a stream."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from tollhouse.gateway.framing.json_array import JsonArrayFramer
from tollhouse.gateway.framing.sse import SseFramer
from tollhouse.gateway.observing.observer import Observed
from tollhouse.gateway.observing.registry import new_observer
from tollhouse.gateway.wires import Wire

LIMIT = 1 << 20


@dataclass
class Reading:
    """What is known at the end of a stream; ``flags`` leaves out events that say nothing."""

    seen: Observed
    assembled: Any
    raw_events: bytes
    flags: list[int]


def read_stream(wire: Wire, chunks: Iterable[bytes], framer: SseFramer | JsonArrayFramer | None = None) -> Reading:
    observer = new_observer(wire)
    framer = framer or SseFramer(LIMIT)
    frames = [frame for chunk in chunks for frame in framer.feed(chunk)] + framer.finish()
    flags = [observer.observe(frame) for frame in frames if frame.data is not None]
    text = observer.assembled()
    return Reading(observer.seen, None if text is None else strict_json(text), observer.raw_events(), flags)


def read_events(wire: Wire, *events: object) -> Reading:
    return read_stream(wire, [sse(*events)])


def read_body(wire: Wire, body: bytes, status: int = 200) -> Observed:
    observer = new_observer(wire)
    observer.observe_body(body, status)
    assert observer.assembled() is None
    return observer.seen


def sse(*events: object) -> bytes:
    texts = [event if isinstance(event, bytes) else msgspec.json.encode(event) for event in events]
    return b"".join(b"data: " + text + b"\n\n" for text in texts)


def strict_json(text: bytes) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text.decode(), parse_constant=refuse)


def chat_chunk(delta: object, finish: str | None = None, index: int = 0, **members: object) -> dict[str, object]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1784728648,
        "model": "gpt-5-2025-08-07",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}],
        **members,
    }


CHAT_USAGE = {"prompt_tokens": 3819, "completion_tokens": 1579, "total_tokens": 5398}
CHAT = sse(
    chat_chunk({"role": "assistant", "content": "", "refusal": None}, service_tier="default", obfuscation="x7"),
    chat_chunk({"content": "Zürich, "}),
    chat_chunk({"content": "🚋."}),
    chat_chunk(
        {"tool_calls": [{"index": 0, "id": "call_a", "type": "function", "function": {"name": "sum", "arguments": ""}}]}
    ),
    chat_chunk(
        {
            "tool_calls": [
                {"index": 1, "id": "call_b", "type": "function", "function": {"name": "max", "arguments": "{"}}
            ]
        }
    ),
    chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}),
    chat_chunk({"tool_calls": [{"index": 1, "function": {"arguments": "}"}}]}),
    chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
    chat_chunk({}, "tool_calls"),
    {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1784728648,
        "model": "gpt-5-2025-08-07",
        "choices": [],
        "usage": CHAT_USAGE,
    },
    b"[DONE]",
)

_RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "in_progress",
    "model": "gpt-5.5",
    "output": [],
    "usage": None,
    "service_tier": "auto",
}
_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
_CALL = {
    "id": "fc_1",
    "type": "function_call",
    "call_id": "call_a",
    "name": "sum",
    "status": "in_progress",
    "arguments": "",
}
_TEXT = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
_DONE_TEXT = _TEXT | {"text": "Zürich 🚋"}
_DONE_MESSAGE = _MESSAGE | {"status": "completed", "content": [_DONE_TEXT]}
_DONE_CALL = _CALL | {"status": "completed", "arguments": '{"a":1}'}
RESPONSE_USAGE = {
    "input_tokens": 15,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 24,
}
RESPONSE_END = _RESPONSE | {
    "status": "completed",
    "output": [_DONE_MESSAGE, _DONE_CALL],
    "usage": RESPONSE_USAGE,
    "service_tier": "default",
}
_ITEM = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
RESPONSE_EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": _RESPONSE},
    {"type": "response.in_progress", "response": _RESPONSE},
    {"type": "response.output_item.added", "output_index": 0, "item": _MESSAGE},
    {"type": "response.content_part.added", **_ITEM, "part": _TEXT},
    {"type": "response.output_text.delta", **_ITEM, "delta": "Zürich", "logprobs": []},
    {"type": "response.output_text.delta", **_ITEM, "delta": " 🚋", "logprobs": []},
    {"type": "response.output_text.done", **_ITEM, "text": "Zürich 🚋", "logprobs": []},
    {"type": "response.content_part.done", **_ITEM, "part": _DONE_TEXT},
    {"type": "response.output_item.done", "output_index": 0, "item": _DONE_MESSAGE},
    {"type": "response.output_item.added", "output_index": 1, "item": _CALL},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 1, "delta": '{"a":'},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 1, "delta": "1}"},
    {"type": "response.function_call_arguments.done", "item_id": "fc_1", "output_index": 1, "arguments": '{"a":1}'},
    {"type": "response.output_item.done", "output_index": 1, "item": _DONE_CALL},
    {"type": "response.completed", "response": RESPONSE_END},
]
RESPONSES = b"".join(
    b"event: %s\ndata: %s\n\n" % (event["type"].encode(), msgspec.json.encode({**event, "sequence_number": number}))
    for number, event in enumerate(RESPONSE_EVENTS)
)

MESSAGE_START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 2293,
            "cache_read_input_tokens": 7,
            "cache_creation_input_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3},
            "output_tokens": 1,
            "service_tier": "standard",
        },
    },
}
MESSAGE_EVENTS: list[dict[str, Any]] = [
    MESSAGE_START,
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Let"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": " me"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "EusB"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Zürich "}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "🚋"}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "toolu_1", "name": "sum", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ""}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
    {"type": "content_block_stop", "index": 2},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"input_tokens": 4714, "cache_read_input_tokens": None, "output_tokens": 304},
    },
    {"type": "message_stop"},
]
MESSAGES = b"".join(
    b"event: %s\ndata: %s\n\n" % (event["type"].encode(), msgspec.json.encode(event)) for event in MESSAGE_EVENTS
)


def gemini_chunk(parts: list[object], usage: dict[str, object], **candidate: object) -> dict[str, object]:
    return {
        "candidates": [{"content": {"parts": parts, "role": "model"}, "index": 0, **candidate}],
        "usageMetadata": usage,
        "modelVersion": "gemini-2.5-pro",
        "responseId": "6hkq",
    }


GEMINI_CHUNKS = [
    gemini_chunk([{"text": "Let", "thought": True}], {"promptTokenCount": 15, "totalTokenCount": 16}),
    gemini_chunk(
        [{"text": " me", "thought": True}, {"text": "Zürich "}], {"promptTokenCount": 15, "totalTokenCount": 19}
    ),
    gemini_chunk([{"text": "🚋"}], {"promptTokenCount": 15, "totalTokenCount": 21}, groundingMetadata={}),
    gemini_chunk(
        [{"functionCall": {"name": "sum", "args": {"a": 1}}, "thoughtSignature": "c2ln"}],
        {"promptTokenCount": 15, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 22},
        finishReason="STOP",
        groundingMetadata={"webSearchQueries": ["tram"]},
    ),
]
GEMINI = sse(*GEMINI_CHUNKS)
GEMINI_ARRAY = b"[" + b"\n,\r\n".join(msgspec.json.encode(chunk) for chunk in GEMINI_CHUNKS) + b"\n]\n"

STREAMS: list[tuple[Wire, bytes]] = [
    ("openai_chat", CHAT),
    ("openai_responses", RESPONSES),
    ("anthropic_messages", MESSAGES),
    ("gemini", GEMINI),
]
