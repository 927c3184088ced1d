"""What a generateContent answer says, whole and streamed."""

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
from tollhouse.gateway.translation.gemini.halves import PROVIDER

USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 60,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 30,
    "toolUsePromptTokenCount": 5,
    "totalTokenCount": 155,
}
TOKENS = TokenUsage(input=105, cache_read=60, output=50, reasoning=30)


def chunk(*parts: dict[str, Any], **members: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **members}
    return {"candidates": [candidate], "modelVersion": "models/gemini-x", "responseId": "r1"}


def whole(answer: dict[str, Any]) -> list[AnswerEvent]:
    return PROVIDER.new_reader().read_body(json.dumps(answer).encode())


def test_a_whole_answer() -> None:
    answer = chunk(
        {"text": "Hm", "thought": True},
        {"text": "Said"},
        {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"id": "own", "name": "g"}},
        finishReason="STOP",
    )
    assert whole({**answer, "usageMetadata": USAGE}) == [
        Started(response_id="r1", model="gemini-x"),
        TOKENS,
        ReasoningDelta(wire="gemini", text="Hm"),
        TextDelta("Said"),
        ReasoningDelta(wire="gemini", signature="c2ln"),
        ToolUseStarted(index=0, call_id="call_r1_0", name="f"),
        ToolUseDelta(0, '{"a":1}'),
        ToolUseStarted(index=1, call_id="own", name="g"),
        ToolUseDelta(1, "{}"),
        Finished(reason="tool_use"),
    ]


def test_a_stream_whose_usage_grows() -> None:
    chunks = [
        {**chunk({"text": "Sa"}), "usageMetadata": {**USAGE, "candidatesTokenCount": 1}},
        {**chunk({"text": "id"}), "usageMetadata": USAGE},
        chunk({"text": "", "thoughtSignature": "c2ln"}, finishReason="STOP"),
    ]
    said = Said(
        read_stream(PROVIDER.new_reader(), [b"data: %b\r\n\r\n" % json.dumps(each).encode() for each in chunks])
    )
    assert (said.text, said.signatures, said.usage) == ("Said", ["c2ln"], TOKENS)
    assert said.finished == Finished(reason="stop")


def test_calls_without_ids_and_without_a_response_id_get_ids_that_no_other_answer_has() -> None:
    answer = {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f"}}]}, "finishReason": "STOP"}]}
    first, second = (Said(whole(answer)).calls[0][0] for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("OTHER", "stop"),
        ("SOMETHING_NEW", "stop"),
    ],
)
def test_finish_reasons(given: str, reason: Any) -> None:
    assert whole(chunk({"text": "x"}, finishReason=given))[-1] == Finished(reason=reason)


def test_a_call_that_the_model_wrote_wrongly_is_a_failure() -> None:
    events = whole(chunk(finishReason="MALFORMED_FUNCTION_CALL", finishMessage="Malformed: f("))
    assert events[-1] == Failed(status=502, code="MALFORMED_FUNCTION_CALL", message="Malformed: f(")


def test_an_answer_cut_while_thinking_holds_no_parts() -> None:
    answer = {
        "candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}],
        "usageMetadata": {"promptTokenCount": 15, "thoughtsTokenCount": 2, "totalTokenCount": 17},
    }
    assert whole(answer) == [
        Started(),
        TokenUsage(input=15, output=2, reasoning=2),
        Finished(reason="length"),
    ]


def test_a_blocked_prompt_is_a_filtered_answer() -> None:
    feedback = {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "Not this."}
    assert whole({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 4}}) == [
        Started(),
        TokenUsage(input=4),
        RefusalDelta("Not this."),
        Finished(reason="content_filter"),
    ]


def test_a_picture_in_the_answer_is_a_failure_and_not_silence() -> None:
    events = whole(chunk({"inlineData": {"mimeType": "image/png", "data": "iVBOR"}}, finishReason="STOP"))
    assert (
        Failed(status=502, code="invalid_answer", message="the answer holds image/png, and only text is translated")
        in events
    )


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            429,
            b'{"error":{"code":429,"message":"Slow down","status":"RESOURCE_EXHAUSTED"}}',
            Failed(status=429, code="RESOURCE_EXHAUSTED", message="Slow down"),
        ),
        (
            503,
            b'[{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}]',
            Failed(status=503, code="UNAVAILABLE", message="Overloaded"),
        ),
        (404, b"", Failed(status=404, message="the provider answered with status 404 and an empty body")),
    ],
)
def test_errors(status: int, body: bytes, expected: Failed) -> None:
    assert PROVIDER.read_error(status, body) == expected


def test_an_error_inside_the_stream_has_its_own_status() -> None:
    data = b'{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}'
    assert PROVIDER.new_reader().read(Frame(raw=data, data=data)) == [
        Failed(status=503, code="UNAVAILABLE", message="Overloaded")
    ]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"error":{}}', b"\xff", b'{"candidates"'])
def test_a_body_that_is_no_answer_is_a_failure(body: bytes) -> None:
    (failed,) = PROVIDER.new_reader().read_body(body)
    assert isinstance(failed, Failed)
    assert failed.status == 502
