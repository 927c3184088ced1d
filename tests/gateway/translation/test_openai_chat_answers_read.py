"""Chat Completions as its providers send it."""

import msgspec
import pytest
from translated_answers import (
    assembled,
    conversation,
    read,
    read_whole,
    written,
)

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.translation.answer import (
    AnswerEvent,
    Failed,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    TokenUsage,
    ToolUseDelta,
    ToolUseStarted,
)
from tollhouse.gateway.translation.openai_chat.answer_reader import ChatAnswerReader
from tollhouse.gateway.translation.openai_failures import read_error

WIRE = "openai_chat"


def chunk(delta: dict[str, object], finish_reason: str | None = None, **members: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    document = {"id": "chatcmpl-1", "created": 7, "model": "m", "choices": [choice], **members}
    return b"data: %b\n\n" % msgspec.json.encode(document)


def call(arguments: str = "", **members: object) -> dict[str, object]:
    name = members.pop("name", None)
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    return {"tool_calls": [{**members, "function": function}]}


def events_of(*chunks: bytes) -> list[AnswerEvent]:
    return read(WIRE, b"".join(chunks))[1:]


def test_the_first_chunk_starts_the_answer() -> None:
    assert read(WIRE, chunk({"role": "assistant", "content": ""})) == [
        Started(response_id="chatcmpl-1", model="m", created=7)
    ]


def test_azures_first_chunk_without_choices_is_no_answer_yet() -> None:
    first = b'data: {"choices":[],"created":0,"id":"","model":"","prompt_filter_results":[]}\n\n'

    assert read(WIRE, first + chunk({"content": "Hi"}))[1:] == [TextDelta("Hi")]


def test_text_and_a_call_in_one_chunk_are_both_told() -> None:
    both = chunk({"content": "Hi", **call('{"a":1}', index=0, id="c1", name="add")})

    assert events_of(both) == [
        TextDelta("Hi"),
        ToolUseStarted(index=0, call_id="c1", name="add"),
        ToolUseDelta(0, '{"a":1}'),
    ]


def test_parallel_calls_that_all_claim_index_0_are_told_apart_by_their_ids() -> None:
    events = events_of(
        chunk(call("{}", index=0, id="c1", name="add")),
        chunk(call("", index=0, id="c2", name="sub")),
        chunk(call('{"x":2}', index=0)),
    )

    assert assembled(events).calls == [("add", {}), ("sub", {"x": 2})]


def test_an_id_on_every_delta_begins_no_new_call() -> None:
    events = events_of(
        chunk(call('{"a"', index=0, id="c1", name="add")), chunk(call(":1}", index=0, id="c1", name="add"))
    )

    assert assembled(events).calls == [("add", {"a": 1})]


def test_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    events = events_of(
        chunk(call('{"a"', id="c1", name="add")),
        chunk(call("{}", id="c2", name="sub")),
        chunk(call(":1}", id="c1")),
        chunk(call("")),
    )

    assert assembled(events).calls == [("add", {"a": 1}), ("sub", {})]


def test_whole_calls_without_an_index_in_one_message_are_as_many_as_they_are() -> None:
    calls_given = [{"function": {"name": name, "arguments": "{}"}} for name in ("a", "b", "a")]
    body = msgspec.json.encode({"choices": [{"message": {"tool_calls": calls_given}, "finish_reason": "tool_calls"}]})

    events = read_whole(WIRE, body)

    assert [name for name, _ in assembled(events).calls] == ["a", "b", "a"]
    ids = [event.call_id for event in events if isinstance(event, ToolUseStarted)]
    assert len(set(ids)) == 3
    assert all(ids)


def test_arguments_before_the_name_are_kept_for_it() -> None:
    events = events_of(chunk(call('{"a"', index=0, id="c1")), chunk(call(":1}", index=0, name="add")))

    assert assembled(events).calls == [("add", {"a": 1})]


def test_a_call_that_never_gets_a_name_is_still_told() -> None:
    events = events_of(chunk(call("{}", index=0, id="c1")), chunk({}, "tool_calls"))

    assert assembled(events).calls == [("", {})]


def test_stop_after_calls_means_that_tools_are_to_be_used() -> None:
    events = events_of(chunk(call("{}", index=0, id="c1", name="add")), chunk({}, "stop"))

    assert events[-1] == Finished(reason="tool_use")


@pytest.mark.parametrize(
    ("given", "expected"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "content_filter"), ("function_call", "tool_use")],
)
def test_finish_reasons(given: str, expected: str) -> None:
    assert events_of(chunk({}, given)) == [Finished(reason=expected)]


def test_the_usage_chunk_has_no_choices_and_its_input_includes_the_cache() -> None:
    usage = {
        "prompt_tokens": 3819,
        "completion_tokens": 1579,
        "prompt_tokens_details": {"cached_tokens": 3712, "cache_write_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 832},
    }

    assert events_of(chunk({}), chunk({}, choices=[], usage=usage)) == [
        TokenUsage(input=3819, cache_read=3712, cache_write_5m=7, output=1579, reasoning=832)
    ]


def test_reasoning_is_read_by_both_its_names() -> None:
    assert events_of(chunk({"reasoning_content": "a"}), chunk({"reasoning": "b"})) == [
        ReasoningDelta(wire=WIRE, text="a"),
        ReasoningDelta(wire=WIRE, text="b"),
    ]


def test_content_in_parts_is_text() -> None:
    assert events_of(chunk({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})) == [
        TextDelta("ab")
    ]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ({"message": "Slow down", "code": "rate_limit_exceeded"}, 429, "rate_limit_exceeded"),
        ({"message": "Slow down", "type": "insufficient_quota"}, 429, "insufficient_quota"),
        ({"message": "Slow down", "code": 503}, 503, None),
        ({"message": "Slow down", "type": "some_new_error"}, 502, "some_new_error"),
    ],
)
def test_an_error_inside_a_stream_gets_the_status_that_its_words_mean(
    error: dict[str, object], status: int, code: str | None
) -> None:
    stream = b"data: %b\n\n" % msgspec.json.encode({"error": error})

    assert read(WIRE, stream) == [Failed(status=status, code=code, message="Slow down")]


def test_a_comment_says_nothing_and_an_event_too_long_to_read_is_an_error() -> None:
    reader = ChatAnswerReader()

    assert reader.read(Frame(b": OPENROUTER PROCESSING\n\n", None)) == []
    (failed,) = reader.read(Frame(b"data: " + b"x" * 100_000, None))
    assert isinstance(failed, Failed)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"{}", b'{"output":[]}', b"{\xff}", b'{"a":' * 5_000])
def test_a_body_that_is_no_answer_is_an_error(body: bytes) -> None:
    (event,) = read_whole(WIRE, body)

    assert isinstance(event, Failed)


def test_a_unary_answer_without_a_finish_reason_has_stopped() -> None:
    assert read_whole(WIRE, b'{"choices":[{"message":{"content":"Hi"}}]}')[1:] == [
        TextDelta("Hi"),
        Finished(reason="stop"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"error":{"message":"No","type":"invalid_request_error","code":"model_not_found"}}',
            Failed(status=404, code="model_not_found", message="No"),
        ),
        (b'{"object":"error","message":"No","code":404}', Failed(status=404, message="No")),
        (b'{"error":"No"}', Failed(status=404, message="No")),
    ],
)
def test_error_bodies(body: bytes, expected: Failed) -> None:
    assert read_error(404, body) == expected


def test_an_error_page_is_told_as_it_is() -> None:
    assert "<h1>Bad gateway</h1>" in read_error(502, b"<h1>Bad gateway</h1>").message


def test_half_a_surrogate_pair_passes() -> None:
    stream = b"".join(
        rb'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}' % half + b"\n\n"
        for half in (rb"\ud83c", rb"\udf89")
    )

    events = read(WIRE, stream)

    assert rb"\ud83c" in written(WIRE, conversation(), [*events, Finished(reason="stop")])
