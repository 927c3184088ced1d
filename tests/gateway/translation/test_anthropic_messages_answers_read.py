"""What a Messages answer says, whole and streamed."""

import json
from typing import Any

import pytest
from messages_and_gemini import Said, read_stream

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.translation.answer import (
    AnswerEvent,
    Failed,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    TokenUsage,
    ToolUseDelta,
    ToolUseStarted,
)
from tollhouse.gateway.translation.anthropic_messages.halves import PROVIDER

USAGE = {
    "input_tokens": 10,
    "cache_read_input_tokens": 300,
    "cache_creation_input_tokens": 50,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
    "output_tokens": 7,
    "output_tokens_details": {"thinking_tokens": 4},
}
TOKENS = TokenUsage(input=360, cache_read=300, cache_write_5m=20, cache_write_1h=30, output=7, reasoning=4)


def message(**members: Any) -> bytes:
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "stop_reason": "end_turn"}
    return json.dumps({**whole, "content": [], "usage": USAGE, **members}).encode()


def event(kind: str, **members: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json.dumps({"type": kind, **members}).encode())


def read(*events: bytes) -> list[AnswerEvent]:
    return read_stream(PROVIDER.new_reader(), events)


def test_a_whole_answer() -> None:
    content = [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "c2VhbA=="},
        {"type": "text", "text": "Said"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
    ]
    assert PROVIDER.new_reader().read_body(message(content=content, stop_reason="tool_use")) == [
        Started(response_id="msg_1", model="claude-x"),
        ReasoningDelta(wire="anthropic_messages", text="Hm", signature="c2ln"),
        ReasoningDelta(wire="anthropic_messages", signature="redacted_thinking:c2VhbA=="),
        TextDelta("Said"),
        ToolUseStarted(index=0, call_id="toolu_1", name="f"),
        ToolUseDelta(0, '{"a":1}'),
        ToolUseStarted(index=1, call_id="toolu_2", name="g"),
        ToolUseDelta(1, "{}"),
        TOKENS,
        Finished(reason="tool_use"),
    ]


def test_a_streamed_answer() -> None:
    start = {"id": "msg_1", "model": "claude-x", "content": [], "usage": {**USAGE, "output_tokens": 1}}
    assert read(
        event("message_start", message=start),
        event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""}),
        event("ping"),
        event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Hm"}),
        event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "c2ln"}),
        event("content_block_stop", index=0),
        event("content_block_start", index=1, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=1, delta={"type": "text_delta", "text": "Said"}),
        event("content_block_delta", index=1, delta={"type": "citations_delta", "citation": {}}),
        event("content_block_stop", index=1),
        event("content_block_start", index=2, content_block={"type": "tool_use", "id": "t", "name": "f", "input": {}}),
        event("content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": ""}),
        event("content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": '{"a":'}),
        event("content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": "1}"}),
        event("content_block_stop", index=2),
        event("content_block_start", index=3, content_block={"type": "tool_use", "id": "u", "name": "g", "input": {}}),
        event("content_block_delta", index=3, delta={"type": "input_json_delta", "partial_json": ""}),
        event("content_block_stop", index=3),
        event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 7}),
        event("message_stop"),
    ) == [
        Started(response_id="msg_1", model="claude-x"),
        TokenUsage(input=360, cache_read=300, cache_write_5m=20, cache_write_1h=30, output=1, reasoning=4),
        ReasoningDelta(wire="anthropic_messages", text="Hm"),
        ReasoningDelta(wire="anthropic_messages", signature="c2ln"),
        TextDelta("Said"),
        ToolUseStarted(index=0, call_id="t", name="f"),
        ToolUseDelta(0, '{"a":'),
        ToolUseDelta(0, "1}"),
        ToolUseStarted(index=1, call_id="u", name="g"),
        ToolUseDelta(1, "{}"),
        TOKENS,
        Finished(reason="tool_use"),
    ]


def test_usage_is_cumulative_and_the_last_word_counts() -> None:
    events = read(
        event("message_start", message={"id": "m", "usage": {**USAGE, "output_tokens": 1}}),
        event("message_delta", delta={"stop_reason": None}, usage={**USAGE, "output_tokens": 3}),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={**USAGE, "input_tokens": None}),
    )
    assert Said(events).usage == TOKENS


@pytest.mark.parametrize(
    ("given", "reason", "sequence"),
    [
        ("end_turn", "stop", None),
        ("max_tokens", "length", None),
        ("stop_sequence", "stop_sequence", "END"),
        ("tool_use", "tool_use", None),
        ("pause_turn", "stop", None),
        ("refusal", "refusal", None),
        ("model_context_window_exceeded", "context_exceeded", None),
        ("something_new", "stop", None),
    ],
)
def test_stop_reasons(given: str, reason: Any, sequence: str | None) -> None:
    events = PROVIDER.new_reader().read_body(message(stop_reason=given, stop_sequence=sequence))
    assert events[-1] == Finished(reason=reason, stop_sequence=sequence)


def test_a_refusal_is_told_in_the_providers_words() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "I cannot help with that."}
    events = PROVIDER.new_reader().read_body(message(stop_reason="refusal", stop_details=details))
    assert RefusalDelta("I cannot help with that.") in events


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            529,
            b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}',
            Failed(status=529, code="overloaded_error", message="Overloaded"),
        ),
        (400, b'{"error":{"message":"No"}}', Failed(status=400, message="No")),
        (502, b"", Failed(status=502, message="the provider answered with status 502 and an empty body")),
        (
            502,
            b"<html>Bad gateway</html>",
            Failed(
                status=502,
                message="the provider answered with status 502 and a body that is not its error object: "
                "<html>Bad gateway</html>",
            ),
        ),
        (
            500,
            b'{"error":"\xff"}',
            Failed(
                status=500,
                message="the provider answered with status 500 and a body that is not its error object: "
                '{"error":"\ufffd"}',
            ),
        ),
    ],
)
def test_errors(status: int, body: bytes, expected: Failed) -> None:
    assert PROVIDER.read_error(status, body) == expected


def test_an_error_inside_the_stream_has_the_status_of_its_type() -> None:
    events = read(event("error", error={"type": "overloaded_error", "message": "Overloaded"}))
    assert events == [Failed(status=529, code="overloaded_error", message="Overloaded")]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"content":1}', b'{"type":"error"}', b"\xff\xfe"])
def test_a_body_that_is_no_message_is_a_failure(body: bytes) -> None:
    (failed,) = PROVIDER.new_reader().read_body(body)
    assert isinstance(failed, Failed)
    assert failed.status == 502


def test_an_event_that_cannot_be_read_is_a_failure_and_a_comment_is_nothing() -> None:
    reader = PROVIDER.new_reader()
    assert reader.read(Frame(raw=b": ping\n\n", data=None)) == []
    assert isinstance(reader.read(Frame(raw=b"data: {\n\n", data=b"{"))[0], Failed)
    assert isinstance(reader.read(Frame(raw=b"data: " + b"x" * 100_000, data=None))[0], Failed)
