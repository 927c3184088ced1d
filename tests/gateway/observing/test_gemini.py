"""Gemini: chunks become the answer that would have come unstreamed."""

import pytest
from gateway.observing.observed_streams import (
    GEMINI,
    GEMINI_ARRAY,
    LIMIT,
    gemini_chunk,
    read_body,
    read_events,
    read_stream,
    sse,
)

from tollhouse.gateway.framing.json_array import JsonArrayFramer
from tollhouse.gateway.observing.observer import CONTENT, ERROR, TERMINAL, ProviderError


def parts_of(*chunks: list[object]) -> list[object]:
    reading = read_events("gemini", *[gemini_chunk(parts, {}) for parts in chunks])
    return reading.assembled["candidates"][0]["content"]["parts"]


def test_a_stream_becomes_an_answer() -> None:
    reading = read_stream("gemini", [GEMINI])
    assert reading.assembled == {
        "candidates": [
            {
                "index": 0,
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "Let me", "thought": True},
                        {"text": "Zürich 🚋"},
                        {"functionCall": {"name": "sum", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
                    ],
                },
                "finishReason": "STOP",
                "groundingMetadata": {"webSearchQueries": ["tram"]},
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 15,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 2,
            "totalTokenCount": 22,
        },
        "modelVersion": "gemini-2.5-pro",
        "responseId": "6hkq",
    }
    assert (reading.raw_events, reading.flags) == (b"", [CONTENT, CONTENT, CONTENT, CONTENT | TERMINAL])


def test_a_json_array_is_read_like_server_sent_events() -> None:
    events, array = read_stream("gemini", [GEMINI]), read_stream("gemini", [GEMINI_ARRAY], JsonArrayFramer(LIMIT))
    assert (array.assembled, array.seen, array.flags) == (events.assembled, events.seen, events.flags)


def test_what_is_known_at_the_end_of_a_stream() -> None:
    seen = read_stream("gemini", [GEMINI]).seen
    assert (seen.response_id, seen.response_model, seen.finish_reason) == ("6hkq", "gemini-2.5-pro", "STOP")
    assert (seen.is_complete, seen.is_usage_partial) == (True, False)
    assert seen.content_bytes == len("Let meZürich 🚋sum".encode())


def test_usage_of_a_stream_that_was_cut_is_the_last_one_and_partial() -> None:
    stream = sse(
        b'{"candidates":[],"usageMetadata":{"promptTokenCount" : 15}}',
        b'{"candidates":[],"usageMetadata":{"promptTokenCount" : 16,"serviceTier":"flex"}}',
    )
    seen = read_stream("gemini", [stream]).seen
    assert seen.usage == b'{"promptTokenCount" : 16,"serviceTier":"flex"}'
    assert (seen.is_usage_partial, seen.is_complete, seen.service_tier) == (True, False, "flex")


def test_texts_of_one_kind_are_joined_and_other_parts_stand_between_them() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "1"}}
    signed = {"text": "c", "thoughtSignature": "c2ln"}
    assert parts_of([{"text": "a"}], [code, {"text": "b"}], [signed, {"text": "d"}], [{"text": "e"}]) == [
        {"text": "a"},
        code,
        {"text": "b"},
        signed,
        {"text": "de"},
    ]


def test_an_empty_text_is_not_content() -> None:
    assert read_events("gemini", gemini_chunk([{"text": ""}], {})).flags == [0]
    assert read_events("gemini", {"candidates": [{"content": {"role": "model"}}]}).flags == [0]


def test_an_answer_is_whole_when_every_candidate_has_finished() -> None:
    chunk = {"candidates": [{"index": 0, "finishReason": "STOP"}, {"index": 1, "content": {"parts": [{"text": "a"}]}}]}
    assert not read_events("gemini", chunk).seen.is_complete
    end = {"candidates": [{"index": 1, "finishReason": "MAX_TOKENS"}]}
    reading = read_events("gemini", chunk, end)
    assert (reading.flags, reading.seen.finish_reason) == ([CONTENT, TERMINAL], "MAX_TOKENS")
    assert [candidate["index"] for candidate in reading.assembled["candidates"]] == [0, 1]


def test_a_blocked_prompt_ends_the_answer() -> None:
    reading = read_events("gemini", {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}})
    assert (reading.flags, reading.seen.finish_reason, reading.seen.is_complete) == ([TERMINAL], "SAFETY", True)
    assert reading.assembled["promptFeedback"] == {"blockReason": "SAFETY"}


def test_citations_go_on_and_ratings_are_replaced() -> None:
    first = gemini_chunk([], {}, citationMetadata={"citationSources": [{"uri": "a"}]}, safetyRatings=[1])
    second = gemini_chunk([], {}, citationMetadata={"citationSources": [{"uri": "b"}]}, safetyRatings=[2])
    candidate = read_events("gemini", first, second).assembled["candidates"][0]
    assert candidate["citationMetadata"] == {"citationSources": [{"uri": "a"}, {"uri": "b"}]}
    assert candidate["safetyRatings"] == [2]


@pytest.mark.parametrize("is_array", [False, True])
def test_an_error_inside_a_stream_is_an_error(is_array: bool) -> None:
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    reading = read_events("gemini", gemini_chunk([{"text": "a"}], {}), [error] if is_array else error)
    assert (reading.flags, reading.seen.error) == ([CONTENT, ERROR], ProviderError("UNAVAILABLE", "overloaded"))
    assert (reading.assembled["error"], reading.seen.is_complete) == (error["error"], False)


def test_arrays_without_chunks_and_candidates_that_are_none_are_kept_raw() -> None:
    assert read_events("gemini", [], {"candidates": [5]}).raw_events == sse([], {"candidates": [5]})


def test_a_unary_answer_is_read_for_its_usage_and_end() -> None:
    seen = read_body(
        "gemini",
        b'{"candidates":[{"content":{"parts":[{"text":"ab"}]},"finishReason":"STOP"}],"responseId":"r",'
        b'"modelVersion":"m","usageMetadata":{"promptTokenCount": 1,"serviceTier":"flex"}}',
    )
    assert (seen.usage, seen.service_tier) == (b'{"promptTokenCount": 1,"serviceTier":"flex"}', "flex")
    assert (seen.response_id, seen.response_model, seen.finish_reason) == ("r", "m", "STOP")
    assert (seen.is_complete, seen.content_bytes) == (True, 2)


def test_a_blocked_unary_answer_has_the_reason() -> None:
    assert read_body("gemini", b'{"promptFeedback":{"blockReason":"OTHER"}}').finish_reason == "OTHER"


def test_counted_tokens_and_embeddings_without_usage_have_none() -> None:
    assert read_body("gemini", b'{"totalTokens":31,"promptTokensDetails":[]}').usage is None
    assert read_body("gemini", b'{"embedding":{"values":[0.1]}}').usage is None
    assert read_body("gemini", b'{"embedding":{},"usageMetadata":{"promptTokenCount":2}}').usage is not None
