"""Chat Completions: chunks become the completion that would have come unstreamed."""

import pytest
from gateway.observing.observed_streams import CHAT, CHAT_USAGE, chat_chunk, read_body, read_events, read_stream, sse

from tollhouse.gateway.observing.observer import CONTENT, ERROR, TERMINAL, USAGE_ONLY, ProviderError


def message_of(*deltas: object) -> dict[str, object]:
    return read_events("openai_chat", *[chat_chunk(delta) for delta in deltas]).assembled["choices"][0]["message"]


def calls_of(*deltas: object) -> list[tuple[str | None, str | None, str | None]]:
    message = message_of(*[{"tool_calls": [delta]} for delta in deltas])
    calls = message["tool_calls"]
    assert isinstance(calls, list)
    return [(call.get("id"), call["function"].get("name"), call["function"].get("arguments")) for call in calls]


def test_a_stream_becomes_a_completion() -> None:
    reading = read_stream("openai_chat", [CHAT])
    assert reading.assembled == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1784728648,
        "model": "gpt-5-2025-08-07",
        "service_tier": "default",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Zürich, 🚋.",
                    "refusal": None,
                    "tool_calls": [
                        {"id": "call_a", "type": "function", "function": {"name": "sum", "arguments": '{"a":1}'}},
                        {"id": "call_b", "type": "function", "function": {"name": "max", "arguments": "{}"}},
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": CHAT_USAGE,
    }
    assert reading.raw_events == b""


def test_what_is_known_at_the_end_of_a_stream() -> None:
    seen = read_stream("openai_chat", [CHAT]).seen
    assert seen.usage == b'{"prompt_tokens":3819,"completion_tokens":1579,"total_tokens":5398}'
    assert (seen.response_id, seen.response_model, seen.service_tier) == ("chatcmpl-1", "gpt-5-2025-08-07", "default")
    assert (seen.finish_reason, seen.is_complete, seen.is_usage_partial) == ("tool_calls", True, False)
    assert seen.content_bytes == len("Zürich, 🚋.".encode()) + len('sum{"a":1}max{}')


def test_flags_tell_content_usage_and_end_apart() -> None:
    assert read_stream("openai_chat", [CHAT]).flags == [0, *[CONTENT] * 7, 0, USAGE_ONLY, TERMINAL]


def test_usage_keeps_its_own_bytes() -> None:
    stream = b'data: {"choices":[], "usage": {"prompt_tokens" : 1.50, "big": 12345678901234567890123}}\n\n'
    assert (
        read_stream("openai_chat", [stream]).seen.usage == b'{"prompt_tokens" : 1.50, "big": 12345678901234567890123}'
    )


@pytest.mark.parametrize("delta", [{"role": "assistant"}, {"role": "assistant", "content": ""}, {}, {"content": None}])
def test_a_role_only_delta_is_not_content(delta: dict[str, object]) -> None:
    assert read_events("openai_chat", chat_chunk(delta)).flags == [0]


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "a"},
        {"refusal": "no"},
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]},
        {"function_call": {"name": "f", "arguments": ""}},
        {"audio": {"id": "a", "data": "AAAA"}},
        {"something_new": [1]},
    ],
)
def test_whatever_a_model_made_is_content(delta: dict[str, object]) -> None:
    assert read_events("openai_chat", chat_chunk(delta)).flags == [CONTENT]


def test_without_done_a_stream_is_whole_once_every_choice_has_finished() -> None:
    first = chat_chunk({"content": "a"}, "stop", index=0)
    second = chat_chunk({"content": "b"}, None, index=1)
    assert not read_events("openai_chat", first, second).seen.is_complete
    reading = read_events("openai_chat", first, second, chat_chunk({}, "length", index=1))
    assert reading.seen.is_complete
    assert reading.seen.finish_reason == "length"
    assert [choice["finish_reason"] for choice in reading.assembled["choices"]] == ["stop", "length"]


def test_a_stream_whose_usage_chunk_was_cut_off_is_whole_and_has_no_usage() -> None:
    seen = read_events("openai_chat", chat_chunk({"content": "a"}), chat_chunk({}, "stop")).seen
    assert (seen.is_complete, seen.usage, seen.is_usage_partial) == (True, None, False)


def test_a_stream_that_was_cut_is_not_whole_and_keeps_what_came() -> None:
    reading = read_events("openai_chat", chat_chunk({"role": "assistant", "content": "a"}))
    assert not reading.seen.is_complete
    assert reading.assembled["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "a"},
        "finish_reason": None,
    }


def test_continuous_usage_is_partial_until_the_choices_have_finished() -> None:
    running = chat_chunk({"content": "a"}, usage={"prompt_tokens": 1, "completion_tokens": 1})
    ending = chat_chunk({}, "stop", usage={"prompt_tokens": 1, "completion_tokens": 2})
    assert read_events("openai_chat", running).seen.is_usage_partial
    reading = read_events("openai_chat", running, ending)
    assert (reading.seen.is_usage_partial, reading.flags) == (False, [CONTENT, 0])
    assert reading.assembled["usage"] == {"prompt_tokens": 1, "completion_tokens": 2}


def test_interleaved_calls_are_merged_by_index() -> None:
    assert calls_of(
        {"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}},
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
        {"index": 0, "function": {"arguments": "[]"}},
    ) == [("a", "f", "[]"), ("b", "g", "{}")]


def test_distinct_ids_under_one_index_are_distinct_calls() -> None:
    assert calls_of(
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x"'}},
        {"index": 0, "id": None, "function": {"arguments": ":1}"}},
        {"index": 0, "id": "b", "function": {"name": "f", "arguments": "{}"}},
    ) == [("a", "f", '{"x":1}'), ("b", "f", "{}")]


def test_calls_without_index_or_id_begin_with_their_name() -> None:
    assert calls_of(
        {"function": {"name": "f", "arguments": "{}"}},
        {"function": {"name": "g", "arguments": '{"x"'}},
        {"function": {"arguments": ":1}"}},
    ) == [(None, "f", "{}"), (None, "g", '{"x":1}')]


def test_an_id_and_name_that_are_said_again_do_not_double() -> None:
    assert calls_of(
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}},
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": "}"}},
        {"index": 1, "id": "b", "function": {"name": "g", "arguments": "["}},
        {"index": 1, "id": "", "function": {"name": "g", "arguments": "]"}},
        {"index": 0, "id": "a", "function": {"name": None, "arguments": " "}},
    ) == [("a", "f", "{} "), ("b", "g", "[]")]


def test_ids_without_index_lead_to_their_calls() -> None:
    assert calls_of(
        {"id": "a", "function": {"name": "f", "arguments": "1"}},
        {"id": "b", "function": {"name": "g", "arguments": "2"}},
        {"id": "a", "function": {"arguments": "3"}},
    ) == [("a", "f", "13"), ("b", "g", "2")]


def test_a_name_in_pieces_is_joined() -> None:
    assert calls_of(
        {"index": 0, "id": "a", "function": {"name": "get_"}},
        {"index": 0, "function": {"name": "time", "arguments": "{}"}},
    ) == [("a", "get_time", "{}")]


def test_custom_tool_calls_and_unknown_members_are_merged() -> None:
    message = message_of(
        {"tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "sh", "input": "l"}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "s"}, "extra_content": {"google": {"thought": "x"}}}]},
    )
    assert message["tool_calls"] == [
        {
            "id": "a",
            "type": "custom",
            "custom": {"name": "sh", "input": "ls"},
            "extra_content": {"google": {"thought": "x"}},
        }
    ]


def test_reasoning_refusal_audio_and_unknown_texts_are_joined() -> None:
    assert message_of(
        {"role": "assistant", "reasoning_content": "a", "refusal": "n", "audio": {"id": "x", "data": "AA"}},
        {"role": "assistant", "reasoning_content": "b", "refusal": "o", "audio": {"transcript": "hi", "data": "BB"}},
        {"reasoning": "c", "novelty": "d", "audio": {"expires_at": 5}},
        {"reasoning": "c", "novelty": "d"},
    ) == {
        "role": "assistant",
        "reasoning_content": "ab",
        "refusal": "no",
        "audio": {"id": "x", "data": "AABB", "transcript": "hi", "expires_at": 5},
        "reasoning": "cc",
        "novelty": "dd",
    }


def test_lists_with_an_index_are_merged_by_it_and_others_continued() -> None:
    assert message_of(
        {"reasoning_details": [{"index": 0, "type": "reasoning.text", "text": "a"}], "content": [{"type": "x"}]},
        {"reasoning_details": [{"index": 0, "type": "reasoning.text", "text": "b"}], "content": [{"type": "y"}]},
    ) == {
        "reasoning_details": [{"index": 0, "type": "reasoning.text", "text": "ab"}],
        "content": [{"type": "x"}, {"type": "y"}],
    }


def test_what_cannot_be_merged_is_kept_raw() -> None:
    odd = sse(chat_chunk({"content": [{"type": "text"}]}))
    reading = read_stream("openai_chat", [sse(chat_chunk({"content": "a"})) + odd + sse(chat_chunk({"content": "b"}))])
    assert reading.assembled["choices"][0]["message"]["content"] == "ab"
    assert reading.raw_events == odd


def test_log_probabilities_and_members_of_choices_and_chunks_are_kept() -> None:
    first = chat_chunk({"content": "a"}, prompt_filter_results=[1])
    first["choices"][0] |= {"logprobs": {"content": [{"token": "a"}], "refusal": None}, "token_ids": [1]}
    second = chat_chunk({"content": "b"}, system_fingerprint="fp_1")
    second["choices"][0] |= {"logprobs": {"content": [{"token": "b"}]}, "token_ids": [2], "stop_reason": "x"}
    assembled = read_events("openai_chat", first, second).assembled
    assert assembled["choices"][0]["logprobs"] == {"content": [{"token": "a"}, {"token": "b"}], "refusal": None}
    assert (assembled["choices"][0]["token_ids"], assembled["choices"][0]["stop_reason"]) == ([1, 2], "x")
    assert (assembled["prompt_filter_results"], assembled["system_fingerprint"]) == ([1], "fp_1")


def test_azures_first_chunk_without_id_does_not_name_the_answer() -> None:
    azure = {"id": "", "model": "", "object": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    reading = read_events("openai_chat", azure, chat_chunk({"content": "a"}))
    assert (reading.seen.response_id, reading.seen.response_model) == ("chatcmpl-1", "gpt-5-2025-08-07")
    assert (reading.flags, reading.assembled["object"]) == ([0, CONTENT], "chat.completion")


@pytest.mark.parametrize(
    ("event", "code", "message"),
    [
        ({"error": {"message": "Overloaded", "type": "server_error", "code": None}}, "server_error", "Overloaded"),
        ({"error": {"message": "Slow down", "code": 429}}, "429", "Slow down"),
        ({"error": "model runner stopped"}, None, "model runner stopped"),
        (
            {"object": "error", "message": "OOM", "type": "InternalServerError", "code": 500},
            "InternalServerError",
            "OOM",
        ),
    ],
)
def test_an_error_inside_a_stream_is_an_error(event: dict[str, object], code: str | None, message: str) -> None:
    reading = read_events("openai_chat", chat_chunk({"content": "a"}), event)
    assert reading.flags == [CONTENT, ERROR]
    assert reading.seen.error == ProviderError(code, message)
    assert not reading.seen.is_complete
    assert all(reading.assembled[key] == value for key, value in event.items() if key != "object")


def test_an_error_beside_choices_is_an_error_too() -> None:
    chunk = chat_chunk({"content": ""}, "error", error={"code": 502, "message": "gone"})
    reading = read_events("openai_chat", chunk)
    assert (reading.flags, reading.seen.error) == ([ERROR], ProviderError("502", "gone"))


def test_an_error_alone_is_what_the_provider_would_have_answered_unstreamed() -> None:
    assert read_events("openai_chat", {"error": {"message": "no"}}).assembled == {"error": {"message": "no"}}


def test_a_unary_body_is_read_for_its_usage_and_end() -> None:
    seen = read_body(
        "openai_chat",
        b'{"id":"c","model":"m","service_tier":"flex","choices":[{"message":{"role":"assistant","content":"ab"},'
        b'"finish_reason":"stop"}],"usage":{"prompt_tokens": 1}}',
    )
    assert (seen.usage, seen.is_complete, seen.error) == (b'{"prompt_tokens": 1}', True, None)
    assert (seen.finish_reason, seen.response_id, seen.response_model, seen.service_tier) == ("stop", "c", "m", "flex")
    assert seen.content_bytes == 2


def test_a_body_of_status_200_may_be_an_error() -> None:
    assert read_body("openai_chat", b'{"error":{"code":"x","message":"y"}}').error == ProviderError("x", "y")
