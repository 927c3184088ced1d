"""What no JSON parser agrees on, and anything else that a server may send: nothing raises, nothing is lost."""

import json
from typing import Any

import pytest
from gateway.observing.observed_streams import (
    GEMINI_CHUNKS,
    MESSAGE_EVENTS,
    RESPONSE_EVENTS,
    STREAMS,
    chat_chunk,
    read_body,
    read_events,
    read_stream,
    sse,
)
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.gateway.wires import Wire

EVENTS: dict[Wire, list[dict[str, Any]]] = {
    "openai_chat": [
        chat_chunk({"role": "assistant", "content": "a", "tool_calls": [{"index": 0, "function": {"name": "f"}}]}),
        chat_chunk({"content": "b"}, "stop", usage={"prompt_tokens": 1}),
    ],
    "openai_responses": RESPONSE_EVENTS,
    "anthropic_messages": MESSAGE_EVENTS,
    "gemini": GEMINI_CHUNKS,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.text(max_size=2) | st.just("\ud83d"),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["index", "type", "text", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def test_half_a_character_in_each_of_two_events_is_one_character_in_the_end() -> None:
    halves = [
        b'{"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}',
        b'{"choices":[{"index":0,"delta":{"content":"\\ude8b"}}]}',
    ]
    reading = read_stream("openai_chat", [sse(*halves)])
    assert reading.assembled["choices"][0]["message"]["content"] == "🚋"
    assert reading.raw_events == b""


def test_a_lone_surrogate_is_escaped() -> None:
    reading = read_stream("gemini", [sse(b'{"candidates":[{"content":{"parts":[{"text":"a\\udc00"}]}}]}')])
    assert reading.assembled["candidates"][0]["content"]["parts"] == [{"text": "a\udc00"}]


def test_usage_beside_a_lone_surrogate_is_read_and_stays_in_what_is_assembled() -> None:
    event = b'{"choices":[{"delta":{"content":"\\ud83d"},"finish_reason":"stop"}],"usage":{"prompt_tokens": 7}}'
    reading = read_stream("openai_chat", [sse(event)])
    assert (reading.seen.usage, reading.assembled["usage"]) == (b'{"prompt_tokens":7}', {"prompt_tokens": 7})


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"1e400"])
def test_numbers_that_json_cannot_say_are_null_and_their_event_is_kept_raw(number: bytes) -> None:
    stream = sse(b'{"id":"c","choices":[],"x":' + number + b"}")
    reading = read_stream("openai_chat", [stream])
    assert (reading.assembled, reading.raw_events) == ({"id": "c"}, stream)


def test_bytes_that_are_not_utf8_are_replaced_and_their_event_is_kept_raw() -> None:
    stream = sse(b'{"choices":[{"delta":{"content":"a\xff"}}]}')
    reading = read_stream("openai_chat", [stream])
    assert reading.assembled["choices"][0]["message"]["content"] == "a\ufffd"
    assert reading.raw_events == stream


def test_the_last_of_two_equal_keys_counts() -> None:
    reading = read_stream("openai_chat", [sse(b'{"id":"a","choices":[],"usage":{"x":1},"usage":{"x":2},"id":"b"}')])
    assert (reading.seen.usage, reading.seen.response_id) == (b'{"x":2}', "b")


@pytest.mark.parametrize(("wire", "stream"), STREAMS)
def test_what_is_no_json_says_nothing_and_is_kept_raw(wire: Wire, stream: bytes) -> None:
    odd = [b"{broken", b"5", b'"text"', b"[" * 100_000, b"\xff", b"null", b"true"]
    reading = read_stream(wire, [sse(*odd), stream])
    assert reading.flags[: len(odd)] == [0] * len(odd)
    assert reading.raw_events == sse(*odd)
    assert reading.assembled == read_stream(wire, [stream]).assembled


@pytest.mark.parametrize("wire", EVENTS)
def test_a_stream_that_says_nothing_has_nothing_assembled(wire: Wire) -> None:
    reading = read_stream(wire, [b": keep-alive\n\n"])
    assert (reading.assembled, reading.raw_events, reading.flags) == (None, b"", [])
    assert not reading.seen.is_complete


@pytest.mark.parametrize("wire", EVENTS)
@given(data=st.data())
def test_no_value_in_any_place_raises(wire: Wire, data: st.DataObject) -> None:
    events = json.loads(json.dumps(EVENTS[wire]))
    for _ in range(data.draw(st.integers(1, 3))):
        _put(events, data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=6)), data.draw(JSON))
    texts = [json.dumps(event).encode() for event in events]
    reading = read_stream(wire, [sse(*texts)])
    assert isinstance(reading.raw_events, bytes)
    for text in texts:
        read_body(wire, text)


@pytest.mark.parametrize("wire", EVENTS)
@given(value=JSON)
def test_no_body_raises(wire: Wire, value: object) -> None:
    read_body(wire, json.dumps(value).encode())
    read_events(wire, json.dumps(value).encode())


def _put(root: Any, path: list[int], value: object) -> None:
    """Put ``value`` into the place that the path of member numbers leads to."""
    at = root
    for step in path[:-1]:
        inner = _members(at)
        if not inner or not isinstance(at[inner[step % len(inner)]], dict | list):
            break
        at = at[inner[step % len(inner)]]
    keys = _members(at)
    if keys:
        at[keys[path[-1] % len(keys)]] = value


def _members(value: Any) -> list[Any]:
    return list(value) if isinstance(value, dict) else list(range(len(value)))
