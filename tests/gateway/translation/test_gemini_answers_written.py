"""What an answer of any provider becomes as one of generateContent."""

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
from tollhouse.gateway.translation.conversation import ReasoningWish
from tollhouse.gateway.translation.gemini.halves import CALLER
from tollhouse.gateway.translation.halves import AnswerWriter
from tollhouse.gateway.wires import StreamStyle

TOKENS = TokenUsage(input=105, cache_read=60, output=50, reasoning=30)
USAGE = {
    "promptTokenCount": 105,
    "cachedContentTokenCount": 60,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 30,
    "totalTokenCount": 155,
}
SHOWN = ReasoningWish(is_shown=True)


def writer(wish: ReasoningWish | None = SHOWN, style: StreamStyle = "sse") -> AnswerWriter:
    return CALLER.new_writer(asking(reasoning=wish), ANSWER_ID, 1_700_000_000, style)


def chunk(*parts: dict[str, Any], usage: dict[str, Any] | None = None, finish: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    return {
        "candidates": [{**candidate, "finishReason": finish} if finish else candidate],
        **({"usageMetadata": usage} if usage is not None else {}),
        "modelVersion": "gpt-x",
        "responseId": ANSWER_ID,
    }


def stream(*events: AnswerEvent) -> list[dict[str, Any]]:
    return [json.loads(frame.data or b"") for frame in frames(streamed(writer(), events))]


def body(*events: AnswerEvent) -> dict[str, Any]:
    whole = writer()
    whole.write(events)
    return json.loads(whole.body())


ANSWER: list[AnswerEvent] = [
    Started(response_id="chatcmpl-1", model="gpt-x"),
    ReasoningDelta(wire="openai_chat", text="Hm"),
    TextDelta("Sa"),
    TextDelta("id"),
    ToolUseStarted(index=0, call_id="call_1", name="f"),
    ToolUseDelta(0, '{"a":'),
    ToolUseDelta(0, "1}"),
    Finished(reason="tool_use"),
    TOKENS,
]
CALL = {"functionCall": {"id": "call_1", "name": "f", "args": {"a": 1}}}


def test_a_streamed_answer_holds_calls_until_their_arguments_are_whole() -> None:
    assert stream(*ANSWER) == [
        chunk({"text": "Hm", "thought": True}),
        chunk({"text": "Sa"}),
        chunk({"text": "id"}),
        chunk(CALL),
        chunk({"text": ""}, usage=USAGE, finish="STOP"),
    ]


def test_a_whole_answer() -> None:
    assert body(*ANSWER) == chunk({"text": "Hm", "thought": True}, {"text": "Said"}, CALL, usage=USAGE, finish="STOP")


def test_events_that_come_together_are_one_chunk() -> None:
    live = writer()
    (raw,) = live.write([Started(model="gpt-x"), TextDelta("a"), TextDelta("b"), TOKENS])
    assert json.loads(raw.removeprefix(b"data: ")) == chunk({"text": "a"}, {"text": "b"}, usage=USAGE)


def test_an_array_is_one_json_document_however_it_was_cut() -> None:
    raw = streamed(writer(style="json_array"), ANSWER)
    assert raw[0].startswith(b"[{")
    assert raw[1].startswith(b",\r\n{")
    assert raw[-1] == b"]"
    assert json.loads(b"".join(raw)) == stream(*ANSWER)


def test_an_array_that_fails_first_is_one_json_document_too() -> None:
    raw = streamed(writer(style="json_array"), [Failed(status=429, message="Slow down")])
    assert json.loads(b"".join(raw)) == [
        {"error": {"code": 429, "message": "Slow down", "status": "RESOURCE_EXHAUSTED"}}
    ]


def test_parallel_calls_that_interleave_come_out_whole_and_in_order() -> None:
    events = [
        ToolUseStarted(index=0, call_id="a", name="f"),
        ToolUseStarted(index=1, call_id="b", name="g"),
        ToolUseDelta(1, "{}"),
        ToolUseDelta(0, '{"x":"}"'),
        ToolUseDelta(0, "}"),
        Finished(reason="stop"),
    ]
    calls = [part["functionCall"]["id"] for part in body(*events)["candidates"][0]["content"]["parts"]]
    assert calls == ["a", "b"]
    live = writer()
    assert live.write(events[:4]) == []
    (both,) = live.write(events[4:5])
    assert json.loads(both.removeprefix(b"data: "))["candidates"][0]["content"]["parts"] == [
        {"functionCall": {"id": "a", "name": "f", "args": {"x": "}"}}},
        {"functionCall": {"id": "b", "name": "g", "args": {}}},
    ]


def test_its_own_signature_goes_to_the_part_that_comes_after_it() -> None:
    signed = [ReasoningDelta(wire="gemini", signature="c2ln")]
    call = [ToolUseStarted(index=0, call_id="a", name="f"), ToolUseDelta(0, "{}"), Finished(reason="tool_use")]
    (part,) = body(*signed, *call)["candidates"][0]["content"]["parts"]
    assert part["thoughtSignature"] == "c2ln"
    parts = body(TextDelta("x"), *signed, Finished(reason="stop"))["candidates"][0]["content"]["parts"]
    assert parts == [{"text": "x"}, {"text": "", "thoughtSignature": "c2ln"}]


@pytest.mark.parametrize("wish", [None, ReasoningWish(effort="high"), ReasoningWish(is_shown=False)])
def test_thoughts_are_shown_only_to_a_caller_that_asked(wish: ReasoningWish | None) -> None:
    live = writer(wish)
    assert live.write([ReasoningDelta(wire="gemini", text="Hm")]) == []


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", "STOP"),
        ("stop_sequence", "STOP"),
        ("length", "MAX_TOKENS"),
        ("tool_use", "STOP"),
        ("content_filter", "SAFETY"),
        ("refusal", "SAFETY"),
        ("context_exceeded", "MAX_TOKENS"),
    ],
)
def test_finish_reasons(reason: Any, expected: str) -> None:
    assert body(RefusalDelta("x"), Finished(reason=reason))["candidates"][0]["finishReason"] == expected


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "INVALID_ARGUMENT"),
        (422, "INVALID_ARGUMENT"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (502, "UNAVAILABLE"),
        (529, "UNAVAILABLE"),
    ],
)
def test_a_failure_in_the_middle_is_the_protocols_own_error(status: int, name: str) -> None:
    live = writer()
    live.write([TextDelta("x"), Failed(status=status, message="No")])
    error = {"error": {"code": status, "message": "No", "status": name}}
    assert json.loads(live.finish()[0].removeprefix(b"data: ")) == error
    assert json.loads(live.body()) == error


def test_an_answer_that_breaks_off_ends_with_an_error() -> None:
    assert stream(TextDelta("x"))[-1]["error"]["code"] == 502
