"""Messages: events become the message that would have come unstreamed."""

import msgspec
import pytest
from gateway.observing.observed_streams import (
    MESSAGE_EVENTS,
    MESSAGE_START,
    MESSAGES,
    read_body,
    read_events,
    read_stream,
    sse,
)

from tollhouse.gateway.observing.observer import CONTENT, ERROR, TERMINAL, ProviderError


def start(index: int, **block: object) -> dict[str, object]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **members: object) -> dict[str, object]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **members}}


def content_of(*events: object) -> list[dict[str, object]]:
    return read_events("anthropic_messages", MESSAGE_START, *events).assembled["content"]


def test_a_stream_becomes_a_message() -> None:
    reading = read_stream("anthropic_messages", [MESSAGES])
    assert reading.assembled == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": [
            {"type": "thinking", "thinking": "Let me", "signature": "EusB"},
            {"type": "text", "text": "Zürich 🚋"},
            {"type": "tool_use", "id": "toolu_1", "name": "sum", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 4714,
            "cache_read_input_tokens": 7,
            "cache_creation_input_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3},
            "output_tokens": 304,
            "service_tier": "standard",
        },
    }
    assert reading.raw_events == b""


def test_what_is_known_at_the_end_of_a_stream() -> None:
    seen = read_stream("anthropic_messages", [MESSAGES]).seen
    assert (seen.response_id, seen.response_model, seen.service_tier) == ("msg_1", "claude-sonnet-4-6", "standard")
    assert (seen.finish_reason, seen.is_complete, seen.is_usage_partial) == ("tool_use", True, False)
    assert seen.content_bytes == len('Let meZürich 🚋sum{"a":1}'.encode())


def test_flags_tell_beginnings_content_and_the_end_apart() -> None:
    flags = read_stream("anthropic_messages", [MESSAGES]).flags
    texts = [CONTENT, CONTENT]
    assert flags == [0, 0, 0, *texts, CONTENT, 0, 0, *texts, 0, CONTENT, 0, *texts, 0, 0, TERMINAL]


@pytest.mark.parametrize(
    "event",
    [{"type": "ping"}, start(0, type="text", text=""), start(0, type="thinking", thinking="", signature="")],
)
def test_pings_and_empty_blocks_are_not_content(event: dict[str, object]) -> None:
    assert read_events("anthropic_messages", MESSAGE_START, event).flags == [0, 0]


@pytest.mark.parametrize(
    "event",
    [
        start(0, type="text", text="a"),
        start(0, type="redacted_thinking", data="Em"),
        start(0, type="tool_use", id="t", name="f", input={}),
        start(0, type="web_search_tool_result", tool_use_id="s", content=[]),
    ],
)
def test_blocks_that_say_something_are_content(event: dict[str, object]) -> None:
    assert read_events("anthropic_messages", MESSAGE_START, event).flags == [0, CONTENT]


def test_usage_is_partial_until_the_last_message_delta() -> None:
    seen = read_events("anthropic_messages", *MESSAGE_EVENTS[:-2]).seen
    assert (seen.is_usage_partial, seen.is_complete) == (True, False)
    assert seen.usage == msgspec.json.encode(MESSAGE_START["message"]["usage"])


def test_usage_members_keep_their_own_bytes_and_later_ones_win() -> None:
    stream = sse(
        b'{"type":"message_start","message":{"usage":{"input_tokens": 1.0, "output_tokens":1}}}',
        b'{"type":"message_delta","delta":{},"usage":{"output_tokens":3}}',
        b'{"type":"message_delta","delta":{},"usage":{"output_tokens":7,"x":1e3}}',
    )
    assert read_stream("anthropic_messages", [stream]).seen.usage == b'{"input_tokens":1.0,"output_tokens":7,"x":1e3}'


def test_an_input_that_was_cut_in_its_json_stands_beside_what_it_began_as() -> None:
    assert content_of(
        start(0, type="tool_use", id="t", name="f", input={}), delta(0, "input_json_delta", partial_json='{"a": "x')
    ) == [{"type": "tool_use", "id": "t", "name": "f", "input": {}, "partial_json": '{"a": "x'}]


@pytest.mark.parametrize("kind", ["tool_use", "server_tool_use", "mcp_tool_use"])
def test_an_input_is_kept_as_the_model_wrote_it(kind: str) -> None:
    assert content_of(
        start(0, type=kind, id="t", name="f", input={}),
        delta(0, "input_json_delta", partial_json='{"n": 12345678901234567890123, "s": '),
        delta(0, "input_json_delta", partial_json='"\\ud83d"}'),
    ) == [{"type": kind, "id": "t", "name": "f", "input": {"n": 12345678901234567890123, "s": "\ud83d"}}]


def test_a_tool_without_input_keeps_its_empty_object() -> None:
    assert content_of(start(0, type="tool_use", id="t", name="f", input={}))[0]["input"] == {}


def test_citations_and_compactions_are_held() -> None:
    assert content_of(
        start(0, type="text", text="", citations=None),
        delta(0, "citations_delta", citation={"cited_text": "a"}),
        delta(0, "text_delta", text="x"),
        delta(0, "citations_delta", citation={"cited_text": "b"}),
        start(1, type="compaction", content=None),
        delta(1, "compaction_delta", content="short", encrypted_content="gA"),
    ) == [
        {"type": "text", "text": "x", "citations": [{"cited_text": "a"}, {"cited_text": "b"}]},
        {"type": "compaction", "content": "short", "encrypted_content": "gA"},
    ]


def test_unknown_deltas_are_merged_as_far_as_can_be_guessed_and_kept_raw() -> None:
    news = [delta(0, "news_delta", news="a", more=[1]), delta(0, "news_delta", news="b", more=[2], new={"x": 1})]
    reading = read_events("anthropic_messages", MESSAGE_START, start(0, type="news", news="", more=[]), *news)
    assert reading.assembled["content"] == [{"type": "news", "news": "ab", "more": [1, 2], "new": {"x": 1}}]
    assert (reading.flags[2:], reading.raw_events) == ([CONTENT, CONTENT], sse(*news))


def test_events_without_a_place_are_kept_raw() -> None:
    odd = [
        delta(7, "text_delta", text="a"),
        {"type": "content_block_start", "index": "x", "content_block": {}},
        {"type": "content_block_delta", "index": [], "delta": {}},
        {"type": "brand_new"},
        {"type": None},
        MESSAGE_START,
    ]
    assert read_events("anthropic_messages", MESSAGE_START, *odd).raw_events == sse(*odd)


def test_members_of_the_message_delta_become_the_messages() -> None:
    event = {
        "type": "message_delta",
        "delta": {"stop_reason": "refusal", "container": {"id": "c"}},
        "context_management": {"applied_edits": []},
        "usage": {"output_tokens": 1},
    }
    assembled = read_events(
        "anthropic_messages", MESSAGE_START, event, event | {"delta": {"container": None}}
    ).assembled
    assert (assembled["stop_reason"], assembled["container"]) == ("refusal", {"id": "c"})
    assert assembled["context_management"] == {"applied_edits": []}


def test_a_fallback_block_names_the_model_that_answered() -> None:
    reading = read_events("anthropic_messages", MESSAGE_START, start(0, type="fallback", to={"model": "claude-haiku"}))
    assert (reading.seen.response_model, reading.assembled["model"]) == ("claude-haiku", "claude-haiku")


def test_what_a_message_stop_carries_besides_is_kept_raw() -> None:
    stop = {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 1}}
    reading = read_events("anthropic_messages", MESSAGE_START, stop)
    assert (reading.flags, reading.raw_events) == ([0, TERMINAL], sse(stop))


def test_an_error_event_stands_in_the_message() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    reading = read_events("anthropic_messages", MESSAGE_START, error)
    assert (reading.flags, reading.seen.error) == ([0, ERROR], ProviderError("overloaded_error", "Overloaded"))
    assert (reading.assembled["error"], reading.seen.is_complete) == (error["error"], False)
    assert read_events("anthropic_messages", error).assembled == error


def test_a_unary_message_is_read_for_its_usage_and_end() -> None:
    seen = read_body(
        "anthropic_messages",
        b'{"id":"msg_1","type":"message","model":"m","content":[{"type":"text","text":"ab"}],"stop_reason":"end_turn",'
        b'"usage":{"input_tokens": 5,"service_tier":"batch"}}',
    )
    assert (seen.usage, seen.service_tier) == (b'{"input_tokens": 5,"service_tier":"batch"}', "batch")
    assert (seen.response_id, seen.response_model, seen.finish_reason) == ("msg_1", "m", "end_turn")
    assert (seen.is_complete, seen.is_usage_partial, seen.content_bytes) == (True, False, 2)


def test_counting_tokens_uses_none() -> None:
    seen = read_body("anthropic_messages", b'{"input_tokens":14}')
    assert (seen.usage, seen.error, seen.is_complete) == (None, None, True)
