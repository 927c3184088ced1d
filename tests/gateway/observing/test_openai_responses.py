"""Responses: the terminal event's response, or what can be built where it never came."""

import msgspec
import pytest
from gateway.observing.observed_streams import (
    RESPONSE_END,
    RESPONSE_EVENTS,
    RESPONSES,
    read_body,
    read_events,
    read_stream,
    sse,
)

from tollhouse.gateway.framing.sse import SseFramer
from tollhouse.gateway.observing.observer import CONTENT, ERROR, TERMINAL, ProviderError
from tollhouse.gateway.observing.registry import new_observer

ADDED = {"type": "response.output_item.added", "output_index": 0}


def output_of(*events: object) -> list[dict[str, object]]:
    return read_events("openai_responses", *events).assembled["output"]


def test_a_stream_becomes_its_terminal_response_byte_for_byte() -> None:
    end = b'{"id": "resp_1", "status":"completed","output":[{"type":"x"}], "n": 1.50}'
    observer = new_observer("openai_responses")
    for frame in SseFramer(1000).feed(sse(b'{"type":"response.completed", "response": ' + end + b" }")):
        assert observer.observe(frame) == TERMINAL
    assert observer.assembled() == end


def test_what_is_known_at_the_end_of_a_stream() -> None:
    reading = read_stream("openai_responses", [RESPONSES])
    seen = reading.seen
    assert reading.assembled == RESPONSE_END
    assert (reading.raw_events, seen.usage) == (b"", msgspec.json.encode(RESPONSE_END["usage"]))
    assert (seen.response_id, seen.response_model, seen.service_tier) == ("resp_1", "gpt-5.5", "default")
    assert (seen.finish_reason, seen.is_complete, seen.is_usage_partial) == ("completed", True, False)
    assert seen.content_bytes == len('Zürich 🚋{"a":1}'.encode())


def test_flags_tell_beginnings_content_and_the_end_apart() -> None:
    first_content = [bool(flag & CONTENT) for flag in read_stream("openai_responses", [RESPONSES]).flags].index(True)
    assert RESPONSE_EVENTS[first_content]["type"] == "response.output_text.delta"
    assert read_stream("openai_responses", [RESPONSES]).flags[-1] == TERMINAL


def test_a_stream_cut_anywhere_after_its_text_has_the_text() -> None:
    for count in range(6, len(RESPONSE_EVENTS)):
        reading = read_events("openai_responses", *RESPONSE_EVENTS[:count])
        assert reading.assembled["output"][0]["content"][0]["text"] == "Zürich 🚋"
        assert reading.assembled["status"] == "in_progress"
        assert (reading.seen.is_complete, reading.seen.usage, reading.raw_events) == (False, None, b"")
        if count > 11:
            assert reading.assembled["output"][1]["arguments"] == '{"a":1}'


def test_a_call_that_was_cut_has_the_arguments_that_came() -> None:
    assert output_of(*RESPONSE_EVENTS[:11])[1]["arguments"] == '{"a":'


def test_every_kind_of_text_finds_its_place() -> None:
    at = {"output_index": 0, "content_index": 0}
    assert output_of(
        {**ADDED, "item": {"type": "reasoning", "summary": []}},
        {
            "type": "response.reasoning_summary_part.added",
            "output_index": 0,
            "summary_index": 0,
            "part": {"type": "summary_text", "text": ""},
        },
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "su"},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "m"},
        {"type": "response.reasoning_text.delta", **at, "delta": "why"},
    ) == [
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "sum"}],
            "content": [{"type": "reasoning_text", "text": "why"}],
        }
    ]
    assert output_of(
        {**ADDED, "item": {"type": "message"}}, {"type": "response.refusal.delta", **at, "delta": "no"}
    ) == [{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}]
    for kind, member in (
        ("custom_tool_call_input", "input"),
        ("mcp_call_arguments", "arguments"),
        ("code_interpreter_call_code", "code"),
    ):
        item = {"type": "call", member: ""}
        delta = {"type": f"response.{kind}.delta", "output_index": 0, "delta": "x"}
        done = {"type": f"response.{kind}.done", "output_index": 0, member: "xy"}
        assert output_of({**ADDED, "item": item}, delta) == [{"type": "call", member: "x"}]
        assert output_of({**ADDED, "item": item}, delta, done) == [{"type": "call", member: "xy"}]


def test_a_text_that_is_done_replaces_its_pieces() -> None:
    at = {"output_index": 0, "content_index": 0}
    assert output_of(
        {**ADDED, "item": {"type": "message"}},
        {"type": "response.output_text.delta", **at, "delta": "a", "logprobs": [{"token": "a"}]},
        {"type": "response.output_text.annotation.added", **at, "annotation_index": 0, "annotation": {"type": "url"}},
        {"type": "response.output_text.done", **at, "text": "ab"},
    ) == [
        {
            "type": "message",
            "content": [
                {"type": "output_text", "text": "ab", "logprobs": [{"token": "a"}], "annotations": [{"type": "url"}]}
            ],
        }
    ]


@pytest.mark.parametrize("output", [[], None])
def test_a_terminal_response_without_output_gets_the_items_that_were_done(output: object) -> None:
    end = {"type": "response.completed", "response": RESPONSE_END | {"output": output}}
    assert read_events("openai_responses", *RESPONSE_EVENTS[:-1], end).assembled == RESPONSE_END


def test_a_stream_that_is_taken_up_again_in_the_middle_is_read() -> None:
    reading = read_events("openai_responses", *RESPONSE_EVENTS[5:])
    assert reading.assembled == RESPONSE_END


@pytest.mark.parametrize(
    ("item", "flag"),
    [
        ({"type": "message", "content": []}, 0),
        ({"type": "reasoning", "summary": []}, 0),
        ({"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}, CONTENT),
        ({"type": "function_call", "name": "f", "arguments": ""}, CONTENT),
        ({"type": "web_search_call"}, CONTENT),
    ],
)
def test_an_item_is_content_unless_it_is_an_empty_vessel(item: object, flag: int) -> None:
    assert read_events("openai_responses", {**ADDED, "item": item}).flags == [flag]


def test_an_item_that_only_comes_done_counts_its_text() -> None:
    item = {"type": "message", "content": [{"type": "output_text", "text": "abc"}]}
    reading = read_events("openai_responses", {"type": "response.output_item.done", "output_index": 0, "item": item})
    assert (reading.flags, reading.seen.content_bytes) == ([CONTENT], 3)


def test_an_incomplete_response_ends_for_its_reason() -> None:
    response = {"id": "r", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    reading = read_events("openai_responses", {"type": "response.incomplete", "response": response})
    assert (reading.flags, reading.seen.finish_reason) == ([TERMINAL], "max_output_tokens")
    assert (reading.seen.is_complete, reading.seen.error) == (True, None)


def test_a_failed_response_is_an_end_and_an_error() -> None:
    response = {"id": "r", "status": "failed", "error": {"code": "server_error", "message": "no"}, "usage": {"a": 1}}
    reading = read_events("openai_responses", {"type": "response.failed", "response": response})
    assert reading.flags == [TERMINAL | ERROR]
    assert reading.seen.error == ProviderError("server_error", "no")
    assert (reading.seen.finish_reason, reading.seen.usage) == ("failed", b'{"a":1}')
    bare = read_events("openai_responses", {"type": "response.failed", "response": {"error": None}})
    assert bare.seen.error == ProviderError("failed", None)


def test_a_terminal_event_without_response_ends_the_answer_and_is_kept_raw() -> None:
    reading = read_events("openai_responses", {"type": "response.completed"})
    assert (reading.flags, reading.seen.is_complete, reading.assembled) == ([TERMINAL], True, None)
    assert reading.raw_events == sse({"type": "response.completed"})


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "server_error", "message": "no", "param": None},
        {"type": "error", "error": {"code": "server_error", "message": "no"}},
        {"error": {"code": "server_error", "message": "no"}},
    ],
)
def test_an_error_event_is_an_error_and_is_kept_raw(event: dict[str, object]) -> None:
    reading = read_events("openai_responses", RESPONSE_EVENTS[0], event)
    assert (reading.flags, reading.seen.error) == ([0, ERROR], ProviderError("server_error", "no"))
    assert (reading.raw_events, reading.seen.is_complete) == (sse(event), False)


def test_states_of_tools_say_nothing_and_unknown_events_are_kept_raw() -> None:
    partial = {"type": "response.image_generation_call.partial_image", "partial_image_b64": "AAAA"}
    reading = read_events(
        "openai_responses",
        {"type": "response.web_search_call.searching", "output_index": 0},
        {"type": "response.mcp_call.failed", "output_index": 0},
        partial,
        {"type": 5},
    )
    assert (reading.flags, reading.raw_events) == ([0, 0, 0, 0], sse(partial, {"type": 5}))


def test_events_that_lack_what_they_are_about_are_kept_raw() -> None:
    events = [
        {"type": "response.output_text.delta", "delta": "a"},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": None},
        {"type": "response.output_text.done", "output_index": 0, "content_index": 0},
        {"type": "response.function_call_arguments.delta", "delta": "a"},
        {"type": "response.content_part.added", "output_index": 0, "content_index": 0},
        {"type": "response.output_item.added", "item": {}},
        {"type": "response.output_text.annotation.added"},
        {"type": "response.created", "response": "x"},
    ]
    reading = read_events("openai_responses", *events)
    assert reading.raw_events == sse(*events)


def test_a_unary_response_is_read_for_its_usage_and_end() -> None:
    seen = read_body("openai_responses", msgspec.json.encode(RESPONSE_END))
    assert seen.usage == msgspec.json.encode(RESPONSE_END["usage"])
    assert (seen.response_id, seen.finish_reason, seen.is_complete) == ("resp_1", "completed", True)
    assert seen.content_bytes == len('Zürich 🚋{"a":1}'.encode())


def test_a_background_response_that_is_queued_has_not_finished() -> None:
    seen = read_body("openai_responses", b'{"id":"r","status":"queued","usage":null,"error":null,"output":[]}')
    assert (seen.finish_reason, seen.usage, seen.is_complete, seen.error) == (None, None, True, None)
