"""Responses as providers send them, and as callers get them."""

from typing import Any

import msgspec
import pytest
from translated_answers import (
    ANSWER_ID,
    answer,
    assembled,
    calls,
    conversation,
    frames,
    read,
    read_whole,
    whole,
    written,
)

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
from tollhouse.gateway.translation.conversation import Tool
from tollhouse.gateway.translation.free_text import free_text_tool

WIRE = "openai_responses"
USAGE = {
    "input_tokens": 90,
    "input_tokens_details": {
        "cached_tokens": 40,
        "cache_write_tokens": 30,
        "cache_write_tokens_details": {"ttl_30m_tokens": 10, "ttl_12h_tokens": 20},
    },
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
}


def event(kind: str, **members: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, **members}))


def events_of(*events: bytes) -> list[AnswerEvent]:
    return read(WIRE, b"".join(events))


def completed(*output: dict[str, object], **members: object) -> bytes:
    return event("response.completed", response={"status": "completed", "output": list(output), **members})


def test_the_created_response_starts_the_answer_once() -> None:
    response = {"id": "resp_1", "model": "gpt", "created_at": 7}

    events = events_of(event("response.created", response=response), event("response.in_progress", response=response))

    assert events == [Started(response_id="resp_1", model="gpt", created=7)]


def test_what_deltas_told_is_not_told_again_by_the_items_and_the_response() -> None:
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    call = {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a":1}'}

    events = events_of(
        event("response.output_item.added", output_index=0, item={"type": "message", "content": []}),
        event("response.output_text.delta", output_index=0, delta="Hi"),
        event("response.output_item.done", output_index=0, item=message),
        event("response.output_item.added", output_index=1, item={**call, "arguments": ""}),
        event("response.function_call_arguments.delta", output_index=1, delta='{"a":1}'),
        event("response.output_item.done", output_index=1, item=call),
        completed(message, call, usage=USAGE),
    )

    assert events == [
        TextDelta("Hi"),
        ToolUseStarted(index=0, call_id="c1", name="add"),
        ToolUseDelta(0, '{"a":1}'),
        TokenUsage(input=90, cache_read=40, cache_write_5m=10, cache_write_1h=20, output=9, reasoning=4),
        Finished(reason="tool_use"),
    ]


def test_a_server_that_sends_only_the_whole_response_is_read_too() -> None:
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    call = {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"}

    answer_read = assembled(events_of(completed(message, call)))

    assert (answer_read.text, answer_read.calls, answer_read.reason) == ("Hi", [("add", {})], "tool_use")


def test_parallel_calls_are_told_apart_by_their_place_in_the_output() -> None:
    items = [{"type": "function_call", "call_id": f"c{place}", "name": name} for place, name in enumerate("ab")]
    added = [event("response.output_item.added", output_index=place, item=item) for place, item in enumerate(items)]

    events = events_of(
        *added,
        event("response.function_call_arguments.delta", output_index=1, delta='{"b":'),
        event("response.function_call_arguments.delta", output_index=0, delta="{}"),
        event("response.function_call_arguments.delta", output_index=1, delta="2}"),
    )

    assert assembled(events).calls == [("a", {}), ("b", {"b": 2})]


def test_a_reasoning_items_parts_are_paragraphs_and_its_sealed_content_the_signature() -> None:
    item = {"type": "reasoning", "summary": [{"text": "a"}, {"text": "b"}], "encrypted_content": "sealed"}

    events = events_of(
        event("response.reasoning_summary_part.added", output_index=0, summary_index=0),
        event("response.reasoning_summary_text.delta", output_index=0, delta="a"),
        event("response.reasoning_summary_part.added", output_index=0, summary_index=1),
        event("response.reasoning_summary_text.delta", output_index=0, delta="b"),
        event("response.output_item.done", output_index=0, item=item),
    )

    assert assembled(events).reasoning == "a\n\nb"
    assert events[-1] == ReasoningDelta(wire=WIRE, signature="sealed")
    unary = read_whole(WIRE, msgspec.json.encode({"status": "completed", "output": [item]}))
    assert ReasoningDelta(wire=WIRE, text="a\n\nb", signature="sealed") in unary


def test_a_refusal_is_told_as_one() -> None:
    refusal = event("response.refusal.delta", output_index=0, delta="No.")

    assert events_of(refusal, completed()) == [RefusalDelta("No."), Finished(reason="refusal")]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({"status": "completed"}, Finished(reason="stop")),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, Finished(reason="length")),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            Finished(reason="content_filter"),
        ),
        ({"status": "incomplete"}, Finished(reason="length")),
        (
            {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow"}},
            Failed(status=429, code="rate_limit_exceeded", message="Slow"),
        ),
        (
            {"status": "cancelled"},
            Failed(status=502, code="cancelled", message="The provider's response is cancelled."),
        ),
    ],
)
def test_how_a_response_ends(response: dict[str, object], expected: AnswerEvent) -> None:
    kind = f"response.{response['status']}"

    assert events_of(event(kind, response=response))[-1] == expected
    assert read_whole(WIRE, msgspec.json.encode({"output": [], **response}))[-1] == expected


@pytest.mark.parametrize(
    "members",
    [
        {"code": "server_error", "message": "No"},
        {"error": {"code": "server_error", "message": "No"}},
    ],
)
def test_an_error_event_is_read_in_both_its_shapes(members: dict[str, object]) -> None:
    assert events_of(event("error", **members)) == [Failed(status=500, code="server_error", message="No")]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"choices":[]}'])
def test_a_body_that_is_no_response_is_an_error(body: bytes) -> None:
    (event_read,) = read_whole(WIRE, body)

    assert isinstance(event_read, Failed)


def documents(stream: bytes) -> list[dict[str, Any]]:
    return [msgspec.json.decode(frame.data) for frame in frames(stream) if frame.data is not None]


def test_every_event_has_its_name_twice_and_the_next_number() -> None:
    stream = written(WIRE, conversation(WIRE), answer(TextDelta("Hi"), *calls(("a", ["{}"])), reason="tool_use"))

    told = documents(stream)

    assert [line.removeprefix("event: ") for line in stream.decode().split("\n") if line.startswith("event: ")] == [
        document["type"] for document in told
    ]
    assert [document["sequence_number"] for document in told] == list(range(len(told)))


def test_a_message_and_a_call_are_told_in_full() -> None:
    stream = written(WIRE, conversation(WIRE), answer(TextDelta("Hi"), *calls(("a", ["{", "}"])), reason="tool_use"))

    assert [document["type"].removeprefix("response.") for document in documents(stream)] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert documents(stream)[-1]["response"]["output"] == [
        {
            "id": f"msg_{ANSWER_ID}0000",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hi"}],
        },
        {
            "id": f"fc_{ANSWER_ID}0001",
            "type": "function_call",
            "status": "completed",
            "call_id": "call_0",
            "name": "a",
            "arguments": "{}",
        },
    ]


def test_usage_is_in_the_last_event_even_where_it_came_after_the_stop() -> None:
    stream = written(
        WIRE, conversation(WIRE), [TextDelta("Hi"), Finished(reason="stop"), TokenUsage(input=1, output=2)]
    )

    assert documents(stream)[-1]["response"]["usage"]["total_tokens"] == 3


@pytest.mark.parametrize(
    ("events", "status", "reason"),
    [
        (answer(reason="stop"), "completed", None),
        (answer(reason="length"), "incomplete", "max_output_tokens"),
        (answer(reason="context_exceeded"), "incomplete", "max_output_tokens"),
        (answer(reason="content_filter"), "incomplete", "content_filter"),
        (answer(reason="refusal"), "incomplete", "content_filter"),
        (answer(RefusalDelta("No."), reason="refusal"), "completed", None),
    ],
)
def test_how_an_answer_ends(events: list[AnswerEvent], status: str, reason: str | None) -> None:
    last = documents(written(WIRE, conversation(WIRE), events))[-1]
    body = msgspec.json.decode(whole(WIRE, conversation(WIRE), events))

    assert last["type"] == f"response.{status}"
    for response in (last["response"], body):
        assert response["status"] == status
        assert (response["incomplete_details"] or {}).get("reason") == reason


@pytest.mark.parametrize(
    ("failed", "code"),
    [
        (Failed(status=429, code="rate_limit_error", message="No"), "rate_limit_exceeded"),
        (Failed(status=400, code="context_length_exceeded", message="No"), "context_length_exceeded"),
        (Failed(status=529, code="overloaded_error", message="No"), "server_error"),
    ],
)
def test_an_error_ends_the_stream_with_a_failed_response(failed: Failed, code: str) -> None:
    told = documents(written(WIRE, conversation(WIRE), [TextDelta("Hi"), failed]))

    assert told[-1]["type"] == "response.failed"
    assert told[-1]["response"]["error"] == {"code": code, "message": "No"}
    assert told[-1]["response"]["output"][0]["content"][0]["text"] == "Hi"


def test_an_error_before_anything_else_still_begins_the_response() -> None:
    told = documents(written(WIRE, conversation(WIRE), [Failed(status=500, message="No")]))

    assert [document["type"] for document in told] == ["response.created", "response.in_progress", "response.failed"]


def test_a_custom_tools_call_is_a_custom_call_again() -> None:
    asked = conversation(WIRE, tools=[free_text_tool("patch", None, None)])
    events = answer(*calls(("patch", ['{"input":"*** Beg', 'in"}'])), reason="tool_use")

    told = documents(written(WIRE, asked, events))

    assert [document["type"].removeprefix("response.") for document in told[2:6]] == [
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ]
    assert told[-1]["response"]["output"] == [
        {
            "id": f"ctc_{ANSWER_ID}0000",
            "type": "custom_tool_call",
            "status": "completed",
            "call_id": "call_0",
            "name": "patch",
            "input": "*** Begin",
        }
    ]


@pytest.mark.parametrize("namespace", ["mcp__lake", "mcp__lake__"])
def test_a_tools_namespace_is_apart_from_its_name_again(namespace: str) -> None:
    asked = conversation(WIRE, tools=[Tool(name="mcp__lake__add", namespace=namespace)])

    body = msgspec.json.decode(whole(WIRE, asked, answer(*calls(("mcp__lake__add", ["{}"])), reason="tool_use")))

    (call,) = body["output"]
    assert (call["namespace"], call["name"]) == (namespace, "add")


def test_reasoning_of_another_provider_is_sealed_with_its_makers_name() -> None:
    block = ReasoningDelta(wire="anthropic_messages", text="Hm", signature="sig")

    body = msgspec.json.decode(whole(WIRE, conversation(WIRE), answer(block, TextDelta("Hi"))))

    assert body["output"][0] == {
        "id": f"rs_{ANSWER_ID}0000",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "Hm"}],
        "encrypted_content": "anthropic_messages:sig",
    }


def test_text_after_a_refusal_is_another_part_of_the_message() -> None:
    body = msgspec.json.decode(whole(WIRE, conversation(WIRE), answer(RefusalDelta("No."), TextDelta("Sorry."))))

    assert [part["type"] for part in body["output"][0]["content"]] == ["refusal", "output_text"]


def test_a_unary_error_is_an_error_body() -> None:
    body = msgspec.json.decode(whole(WIRE, conversation(WIRE), [Failed(status=404, code="gone", message="No")]))

    assert body == {"error": {"message": "No", "type": "invalid_request_error", "param": None, "code": "gone"}}
