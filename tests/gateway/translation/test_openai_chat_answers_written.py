"""Chat Completions as its callers get it."""

import msgspec
import pytest
from translated_answers import (
    ANSWER_ID,
    answer,
    calls,
    conversation,
    frames,
    whole,
    written,
)

from tollhouse.gateway.translation.answer import (
    AnswerEvent,
    Failed,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    TokenUsage,
)
from tollhouse.gateway.translation.conversation import ReasoningWish
from tollhouse.gateway.translation.free_text import free_text_tool

WIRE = "openai_chat"


def documents(stream: bytes) -> list[dict[str, object]]:
    return [msgspec.json.decode(frame.data) for frame in frames(stream) if frame.data not in (None, b"[DONE]")]


def test_id_and_name_stand_only_in_a_calls_first_delta_and_each_call_has_its_own_index() -> None:
    stream = written(WIRE, conversation(), answer(*calls(("a", ["{", "}"]), ("b", ["{}"])), reason="tool_use"))

    deltas = [entry for document in documents(stream) for entry in tool_calls_of(document)]

    assert deltas == [
        {"index": 0, "id": "call_0", "type": "function", "function": {"name": "a", "arguments": ""}},
        {"index": 1, "id": "call_1", "type": "function", "function": {"name": "b", "arguments": ""}},
        {"index": 0, "function": {"arguments": "{"}},
        {"index": 1, "function": {"arguments": "{}"}},
        {"index": 0, "function": {"arguments": "}"}},
    ]


def tool_calls_of(document: dict[str, object]) -> list[dict[str, object]]:
    return [entry for choice in document["choices"] for entry in choice["delta"].get("tool_calls", [])]


def test_a_call_that_starts_twice_is_one_call() -> None:
    twice = [*calls(("a", [])), *calls(("a", ["{}"]))]

    stream = written(WIRE, conversation(), answer(*twice, reason="tool_use"))

    assert len([entry for document in documents(stream) for entry in tool_calls_of(document) if "id" in entry]) == 1


def test_a_stream_ends_with_done() -> None:
    assert written(WIRE, conversation(), answer(TextDelta("Hi"))).endswith(b"\n\ndata: [DONE]\n\n")


def test_usage_comes_only_to_those_who_asked_and_others_chunks_hold_none() -> None:
    asked = documents(written(WIRE, conversation(), answer(TextDelta("Hi"))))
    not_asked = documents(written(WIRE, conversation(includes_usage=False), answer(TextDelta("Hi"))))

    assert [document["usage"] is None for document in asked] == [True] * (len(asked) - 1) + [False]
    assert asked[-1]["choices"] == []
    assert asked[-1]["usage"] == {
        "prompt_tokens": 120,
        "completion_tokens": 30,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 10},
    }
    assert not any("usage" in document for document in not_asked)


def test_usage_that_comes_after_the_stop_is_still_told() -> None:
    late = [TextDelta("Hi"), Finished(reason="stop"), TokenUsage(input=1, output=2)]

    assert documents(written(WIRE, conversation(), late))[-1]["usage"]["total_tokens"] == 3


def test_after_an_error_there_is_no_done() -> None:
    stream = written(WIRE, conversation(), [TextDelta("Hi"), Failed(status=500, message="No")])

    assert documents(stream)[-1] == {"error": {"message": "No", "type": "server_error", "param": None, "code": None}}
    assert b"[DONE]" not in stream


def test_nothing_is_written_after_an_error() -> None:
    failed = [Failed(status=500, message="No"), TextDelta("Hi"), Finished(reason="stop")]

    assert len(documents(written(WIRE, conversation(), failed))) == 1


def test_a_unary_answer_has_the_shape_of_chat_completions() -> None:
    events = answer(TextDelta("Hi"), *calls(("a", [])), reason="tool_use")

    body = msgspec.json.decode(whole(WIRE, conversation(), events))

    assert body["id"] == f"chatcmpl-{ANSWER_ID}"
    assert (body["object"], body["model"]) == ("chat.completion", "real")
    assert body["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hi",
                "refusal": None,
                "annotations": [],
                "tool_calls": [{"id": "call_0", "type": "function", "function": {"name": "a", "arguments": "{}"}}],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ]


def test_the_model_that_was_asked_stands_in_for_one_that_does_not_say_its_name() -> None:
    assert msgspec.json.decode(whole(WIRE, conversation(), [Finished(reason="stop")]))["model"] == "asked"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (answer(RefusalDelta("No."), reason="refusal"), "stop"),
        (answer(reason="refusal"), "content_filter"),
        (answer(reason="context_exceeded"), "length"),
        (answer(reason="stop_sequence"), "stop"),
        (answer(*calls(("a", [])), reason="stop"), "tool_calls"),
    ],
)
def test_stop_reasons_in_chats_words(events: list[AnswerEvent], expected: str) -> None:
    assert msgspec.json.decode(whole(WIRE, conversation(), events))["choices"][0]["finish_reason"] == expected


def test_a_unary_error_is_an_error_body() -> None:
    assert msgspec.json.decode(whole(WIRE, conversation(), [Failed(status=429, code="slow", message="No")])) == {
        "error": {"message": "No", "type": "rate_limit_error", "param": None, "code": "slow"}
    }


PATCH = free_text_tool("patch", None, None)
PATCH_CALL = calls(("patch", ['{"inp', 'ut":"*** Begin\\n', '"}']))


def test_a_custom_tools_call_is_told_with_its_free_text() -> None:
    stream = written(WIRE, conversation(tools=[PATCH]), answer(*PATCH_CALL, reason="tool_use"))

    assert [entry for document in documents(stream) for entry in tool_calls_of(document)] == [
        {"index": 0, "id": "call_0", "type": "custom", "custom": {"name": "patch", "input": ""}},
        {"index": 0, "custom": {"input": "*** Begin\n"}},
    ]


def test_cursor_gets_a_function_whose_arguments_are_the_free_text() -> None:
    cursor = conversation("openai_responses", tools=[PATCH])

    stream = written(WIRE, cursor, answer(*PATCH_CALL, reason="tool_use"))

    assert [entry for document in documents(stream) for entry in tool_calls_of(document)] == [
        {"index": 0, "id": "call_0", "type": "function", "function": {"name": "patch", "arguments": ""}},
        {"index": 0, "function": {"arguments": "*** Begin\n"}},
    ]


def test_arguments_that_are_not_the_tools_own_are_its_free_text() -> None:
    events = answer(*calls(("patch", ["*** Begin"])), reason="tool_use")

    body = msgspec.json.decode(whole(WIRE, conversation(tools=[PATCH]), events))

    assert body["choices"][0]["message"]["tool_calls"][0]["custom"]["input"] == "*** Begin"


def test_a_reasoning_block_keeps_its_signature_for_its_maker() -> None:
    block = [
        ReasoningDelta(wire="anthropic_messages", text="Hm"),
        ReasoningDelta(wire="anthropic_messages", text="m", signature="sealed"),
        ReasoningDelta(wire="anthropic_messages", signature="redacted"),
    ]
    asked = conversation(reasoning=ReasoningWish(is_shown=True))

    message = msgspec.json.decode(whole(WIRE, asked, answer(*block)))["choices"][0]["message"]

    head = {"type": "reasoning.text", "format": "anthropic_messages"}
    assert message["reasoning_content"] == "Hmm"
    assert message["reasoning_details"] == [
        {"index": 0, **head, "signature": "sealed", "text": "Hmm"},
        {"index": 1, **head, "signature": "redacted", "text": ""},
    ]
