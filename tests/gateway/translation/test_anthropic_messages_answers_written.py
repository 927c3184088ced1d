"""What an answer of any provider becomes as one of Messages."""

import json
from typing import Any

import pytest
from messages_and_gemini import ANSWER_ID, asking, frames, streamed

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
from tollhouse.gateway.translation.anthropic_messages.halves import CALLER
from tollhouse.gateway.translation.conversation import ReasoningWish
from tollhouse.gateway.translation.halves import AnswerWriter

TOKENS = TokenUsage(input=360, cache_read=300, cache_write_5m=20, cache_write_1h=30, output=7, reasoning=4)
USAGE = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 50,
    "cache_read_input_tokens": 300,
    "output_tokens": 7,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
    "output_tokens_details": {"thinking_tokens": 4},
}
NO_USAGE = {
    "input_tokens": 0,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "output_tokens": 0,
}


def writer(wish: ReasoningWish | None = None) -> AnswerWriter:
    return CALLER.new_writer(asking(reasoning=wish), ANSWER_ID, 1_700_000_000, "sse")


def said(raw: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(frame.data or b"") for frame in frames(raw)]


def stream(*events: AnswerEvent) -> list[dict[str, Any]]:
    return said(streamed(writer(), events))


def body(*events: AnswerEvent) -> dict[str, Any]:
    whole = writer()
    whole.write(events)
    return json.loads(whole.body())


def test_every_event_says_its_name_twice() -> None:
    raw = streamed(writer(), [Started(), TextDelta("x"), Finished(reason="stop")])
    for event in raw:
        name, data, *rest = event.split(b"\n")
        assert name == b"event: " + json.loads(data.removeprefix(b"data: "))["type"].encode()
        assert rest == [b"", b""]


def test_a_streamed_answer() -> None:
    events = stream(
        Started(response_id="chatcmpl-1", model="gpt-x"),
        ReasoningDelta(wire="openai_chat", text="Hm"),
        TextDelta("Sa"),
        TextDelta("id"),
        ToolUseStarted(index=0, call_id="call_1", name="f"),
        ToolUseDelta(0, '{"a":'),
        ToolUseDelta(0, "1}"),
        Finished(reason="tool_use"),
        TOKENS,
    )
    message = {
        "id": f"msg_{ANSWER_ID}",
        "type": "message",
        "role": "assistant",
        "model": "gpt-x",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": NO_USAGE,
    }
    tool = {"type": "tool_use", "id": "call_1", "name": "f", "input": {}}
    assert events == [
        {"type": "message_start", "message": message},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Sa"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "id"}},
        {"type": "content_block_stop", "index": 1},
        {"type": "content_block_start", "index": 2, "content_block": tool},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
        {"type": "content_block_stop", "index": 2},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": USAGE},
        {"type": "message_stop"},
    ]


def test_a_whole_answer() -> None:
    assert body(
        TOKENS,
        ReasoningDelta(wire="anthropic_messages", text="Hm", signature="c2ln"),
        ReasoningDelta(wire="anthropic_messages", signature="redacted_thinking:c2VhbA=="),
        TextDelta("Said"),
        ToolUseStarted(index=0, call_id="call_1", name="f"),
        ToolUseDelta(0, "nonsense"),
        ToolUseStarted(index=1, call_id="call_2", name="g"),
        Finished(reason="stop_sequence", stop_sequence="END"),
    ) == {
        "id": f"msg_{ANSWER_ID}",
        "type": "message",
        "role": "assistant",
        "model": "any-model",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "c2VhbA=="},
            {"type": "text", "text": "Said"},
            {
                "type": "tool_use",
                "id": "call_1",
                "name": "f",
                "input": {"raw_arguments": "nonsense"},
            },
            {"type": "tool_use", "id": "call_2", "name": "g", "input": {}},
        ],
        "stop_reason": "stop_sequence",
        "stop_sequence": "END",
        "usage": USAGE,
    }


def test_the_first_call_streams_live_while_a_parallel_one_waits_for_its_end() -> None:
    live = writer()
    assert [event["type"] for event in said(live.write([ToolUseStarted(index=0, call_id="a", name="f")]))] == [
        "message_start",
        "content_block_start",
    ]
    assert live.write([ToolUseStarted(index=1, call_id="b", name="g")]) == []
    assert live.write([ToolUseDelta(1, '{"of":')]) == []
    (growth,) = said(live.write([ToolUseDelta(0, '{"a":')]))
    assert (growth["index"], growth["delta"]["partial_json"]) == (0, '{"a":')
    assert live.write([TextDelta("after")]) == []
    released = said(live.write([ToolUseDelta(0, "1}")]))
    assert [(event["type"], event["index"]) for event in released] == [
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_delta", 1),
    ]
    assert released[3]["delta"]["partial_json"] == '{"of":'
    released = said(live.write([ToolUseDelta(1, "2}")]))
    assert [event["type"] for event in released] == [
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ]
    assert released[3]["delta"]["text"] == "after"


def test_the_message_starts_once_and_with_the_usage_that_is_known() -> None:
    live = writer()
    (start,) = said(live.write([Started(model="m"), TOKENS]))
    assert start["message"]["usage"] == USAGE
    rest = said(live.write([Started(model="m"), TextDelta("x"), Finished(reason="stop")]) + live.finish())
    assert "message_start" not in [event["type"] for event in rest]


def test_an_answer_without_content_is_whole() -> None:
    assert [event["type"] for event in stream(Started(), Finished(reason="stop"))] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    assert body(Started(), Finished(reason="stop"))["content"] == []


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", "end_turn"),
        ("stop_sequence", "stop_sequence"),
        ("length", "max_tokens"),
        ("tool_use", "tool_use"),
        ("content_filter", "refusal"),
        ("refusal", "refusal"),
        ("context_exceeded", "model_context_window_exceeded"),
    ],
)
def test_stop_reasons(reason: Any, expected: str) -> None:
    assert body(RefusalDelta("x"), Finished(reason=reason))["stop_reason"] == expected


def test_a_stop_after_a_call_means_the_call() -> None:
    events = [ToolUseStarted(index=0, call_id="a", name="f"), Finished(reason="stop")]
    assert body(*events)["stop_reason"] == "tool_use"


def test_reasoning_is_hidden_from_a_caller_that_wants_none_shown() -> None:
    hidden = writer(ReasoningWish(is_shown=False))
    hidden.write([ReasoningDelta(wire="gemini", text="Hm"), TextDelta("x"), Finished(reason="stop")])
    assert json.loads(hidden.body())["content"] == [{"type": "text", "text": "x"}]


def test_foreign_signatures_do_not_pass() -> None:
    events = [
        ReasoningDelta(wire="gemini", text="Hm"),
        ReasoningDelta(wire="gemini", signature="c2ln"),
        Finished(reason="stop"),
    ]
    assert body(*events)["content"] == [{"type": "thinking", "thinking": "Hm", "signature": ""}]


@pytest.mark.parametrize(
    ("failed", "kind"),
    [
        (Failed(status=429, message="Slow down"), "rate_limit_error"),
        (Failed(status=503, message="Slow down"), "overloaded_error"),
        (Failed(status=422, message="Slow down"), "invalid_request_error"),
        (Failed(status=502, message="Slow down"), "api_error"),
    ],
)
def test_a_failure_in_the_middle_is_the_protocols_own_error(failed: Failed, kind: str) -> None:
    live = writer()
    live.write([Started(), TextDelta("x")])
    assert live.write([failed, TextDelta("y"), Finished(reason="stop")]) == []
    error = {"type": "error", "error": {"type": kind, "message": "Slow down"}}
    assert live.finish() == [b"event: error\ndata: " + json.dumps(error, separators=(",", ":")).encode() + b"\n\n"]
    assert json.loads(live.body()) == error


def test_an_answer_that_breaks_off_ends_with_an_error() -> None:
    events = stream(Started(), TextDelta("x"))
    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["type"] == "api_error"
