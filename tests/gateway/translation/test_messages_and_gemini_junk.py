"""Whatever is in a request or an answer, the halves of Messages and generateContent never stumble over it."""

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages_and_gemini import ANSWER_ID, asking

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.translation.anthropic_messages.halves import CALLER as MESSAGES
from tollhouse.gateway.translation.anthropic_messages.halves import PROVIDER as MESSAGES_PROVIDER
from tollhouse.gateway.translation.gemini.halves import CALLER as GEMINI
from tollhouse.gateway.translation.gemini.halves import PROVIDER as GEMINI_PROVIDER
from tollhouse.gateway.translation.halves import CallerHalf, ProviderHalf, UntranslatableError

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["text", "tool_result", "tool", "ANY", "any", "1", "https://example.com", "data:"]),
    st.lists(st.none() | st.integers() | st.text(max_size=3) | st.just({}), max_size=2),
    st.dictionaries(
        st.sampled_from(["type", "text", "name", "parts", "x"]), st.none() | st.text(max_size=3), max_size=2
    ),
)
MESSAGES_REQUEST: dict[str, Any] = {
    "model": "m",
    "max_tokens": 10,
    "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    "temperature": 0.5,
    "top_k": 3,
    "stop_sequences": ["END"],
    "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "tools": [{"type": "custom", "name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True}],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOR"}},
                {"type": "document", "title": "t", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
                {"type": "search_result", "title": "t", "source": "s", "content": [{"type": "text", "text": "x"}]},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "redacted_thinking", "data": "d"},
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "a",
                    "is_error": False,
                    "content": [{"type": "text", "text": "r"}, {"type": "tool_reference", "tool_name": "f"}],
                }
            ],
        },
        {"role": "system", "content": "mid"},
    ],
}
GEMINI_REQUEST: dict[str, Any] = {
    "systemInstruction": {"role": "user", "parts": [{"text": "s"}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "t"},
                {"inlineData": {"mimeType": "image/png", "data": "iVBOR", "displayName": "n"}},
                {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "t", "thought": True, "thoughtSignature": "s"},
                {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}, "thoughtSignature": "s"},
            ],
        },
        {
            "role": "function",
            "parts": [
                {
                    "functionResponse": {
                        "id": "a",
                        "name": "f",
                        "response": {"output": 1},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBOR"}}],
                    }
                }
            ],
        },
    ],
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "f",
                    "description": "d",
                    "parameters": {"type": "OBJECT", "properties": {"x": {"type": "STRING"}}},
                }
            ]
        }
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {
        "temperature": 0.5,
        "topK": 3,
        "maxOutputTokens": 10,
        "stopSequences": ["END"],
        "seed": 1,
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "nullable": True, "enum": ["a"], "anyOf": [{"type": "STRING"}]},
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 100, "thinkingLevel": "LOW"},
    },
}
MESSAGES_ANSWER: dict[str, Any] = {
    "id": "m",
    "model": "x",
    "content": [
        {"type": "text", "text": "x"},
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
    ],
    "stop_reason": "refusal",
    "stop_details": {"explanation": "e"},
    "usage": {"input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 1}, "output_tokens": 1},
}
GEMINI_ANSWER: dict[str, Any] = {
    "candidates": [
        {
            "index": 0,
            "content": {
                "parts": [
                    {"text": "x", "thought": True, "thoughtSignature": "s"},
                    {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}},
                ]
            },
            "finishReason": "STOP",
        }
    ],
    "promptFeedback": {"blockReason": "x"},
    "usageMetadata": {"promptTokenCount": 1},
    "modelVersion": "m",
    "responseId": "r",
}
MESSAGES_EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "m", "model": "x", "usage": {"input_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "a", "name": "f"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "x", "stop_sequence": "y"}, "usage": {"output_tokens": 1}},
    {"type": "error", "error": {"type": "x", "message": "y"}},
]


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path inside of a document."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield (*path, name)
        yield from places(child, (*path, name))


@st.composite
def spoiled(draw: st.DrawFn, document: Any) -> Any:
    """``document`` with junk in one or two places."""
    copy = deepcopy(document)
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(places(copy)) or [()]))
        if not path:
            break
        holder = copy
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = draw(JUNK)
    return copy


def check_request(caller: CallerHalf, body: dict[str, Any]) -> None:
    for provider, model in ((MESSAGES_PROVIDER, "claude-x"), (GEMINI_PROVIDER, "gemini-x")):
        with suppress(UntranslatableError):
            conversation = caller.read_request(body, "m", is_stream=False)
            json.loads(provider.write_request(conversation, model))


@given(body=spoiled(MESSAGES_REQUEST))
def test_a_messages_request_is_translated_or_refused_by_name(body: dict[str, Any]) -> None:
    check_request(MESSAGES, body)


@given(body=spoiled(GEMINI_REQUEST))
def test_a_gemini_request_is_translated_or_refused_by_name(body: dict[str, Any]) -> None:
    check_request(GEMINI, body)


@pytest.mark.parametrize(("caller", "body"), [(MESSAGES, MESSAGES_REQUEST), (GEMINI, GEMINI_REQUEST)])
def test_the_requests_that_are_spoiled_here_are_sound(caller: CallerHalf, body: dict[str, Any]) -> None:
    conversation = caller.read_request(body, "m", is_stream=False)
    assert MESSAGES_PROVIDER.write_request(conversation, "claude-x")
    assert GEMINI_PROVIDER.write_request(conversation, "gemini-x")


def check_answer(provider: ProviderHalf, documents: list[Any]) -> None:
    for caller in (MESSAGES, GEMINI):
        reader = provider.new_reader()
        writer = caller.new_writer(asking(), ANSWER_ID, 0, "json_array")
        for document in documents:
            data = json.dumps(document).encode()
            writer.write(reader.read(Frame(raw=data, data=data)))
        assert writer.finish()
        json.loads(writer.body())
        whole = caller.new_writer(asking(), ANSWER_ID, 0, "sse")
        whole.write(provider.new_reader().read_body(json.dumps(documents[0]).encode()))
        json.loads(whole.body())
        assert provider.read_error(500, json.dumps(documents[0]).encode()).message


@given(body=spoiled(MESSAGES_ANSWER))
def test_a_messages_answer_is_read_or_a_failure(body: Any) -> None:
    check_answer(MESSAGES_PROVIDER, [body])


@given(body=spoiled(GEMINI_ANSWER))
def test_a_gemini_answer_is_read_or_a_failure(body: Any) -> None:
    check_answer(GEMINI_PROVIDER, [body, body])


@given(events=spoiled(MESSAGES_EVENTS))
def test_a_messages_stream_is_read_or_a_failure(events: list[Any]) -> None:
    check_answer(MESSAGES_PROVIDER, events)
