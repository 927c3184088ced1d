"""What holds for our own records' tokens beyond single rows: each in one bucket, sums, never negative."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models.runner import INPUT, OUTPUT, ModelRunner

Usage = dict[str, int]

counts = st.integers(min_value=0, max_value=10_000)
buckets = st.fixed_dictionaries(dict.fromkeys(("uncached", "read", "short", "long", "visible", "reasoning"), counts))


def _openai_chat(b: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": b["uncached"] + b["read"] + b["short"],
        "completion_tokens": b["visible"] + b["reasoning"],
        "prompt_tokens_details": {"cached_tokens": b["read"], "cache_write_tokens": b["short"]},
        "completion_tokens_details": {"reasoning_tokens": b["reasoning"]},
    }


def _openai_responses(b: Usage) -> dict[str, Any]:
    lives = {"ttl_30m_tokens": b["short"], "ttl_12h_tokens": b["long"]}
    written = {"cache_write_tokens": b["short"] + b["long"], "cache_write_tokens_details": lives}
    return {
        "input_tokens": b["uncached"] + b["read"] + b["short"] + b["long"],
        "output_tokens": b["visible"] + b["reasoning"],
        "input_tokens_details": {"cached_tokens": b["read"]} | written,
        "output_tokens_details": {"reasoning_tokens": b["reasoning"]},
    }


def _openai_embeddings(b: Usage) -> dict[str, Any]:
    return {"prompt_tokens": b["uncached"], "total_tokens": b["uncached"]}


def _anthropic_messages(b: Usage) -> dict[str, Any]:
    return {
        "input_tokens": b["uncached"],
        "cache_read_input_tokens": b["read"],
        "cache_creation_input_tokens": b["short"] + b["long"],
        "cache_creation": {"ephemeral_5m_input_tokens": b["short"], "ephemeral_1h_input_tokens": b["long"]},
        "output_tokens": b["visible"] + b["reasoning"],
        "output_tokens_details": {"thinking_tokens": b["reasoning"]},
    }


def _gemini(b: Usage) -> dict[str, Any]:
    """The long bucket stands for tool prompts, which are input beside the prompt."""
    return {
        "promptTokenCount": b["uncached"] + b["read"],
        "cachedContentTokenCount": b["read"],
        "toolUsePromptTokenCount": b["long"],
        "candidatesTokenCount": b["visible"],
        "thoughtsTokenCount": b["reasoning"],
    }


FORMATS = {
    "openai_chat": (_openai_chat, lambda b: [b["uncached"], b["read"], b["short"], 0]),
    "openai_responses": (_openai_responses, lambda b: [b["uncached"], b["read"], b["short"], b["long"]]),
    "openai_embeddings": (_openai_embeddings, lambda b: [b["uncached"], 0, 0, 0]),
    "anthropic_messages": (_anthropic_messages, lambda b: [b["uncached"], b["read"], b["short"], b["long"]]),
    "gemini": (_gemini, lambda b: [b["uncached"] + b["long"], b["read"], 0, 0]),
}


def _record(number: int, usage_format: str, usage: object) -> dict[str, Any]:
    attempt = {"attempt_number": 1, "usage_format": usage_format, "usage": usage}
    call = {
        "record": "OUTCOME",
        "invocation_id": f"019ca945-0a00-7000-8000-{number:012x}",
        "event_time": "2026-01-01T12:00:00Z",
        "attempts": [attempt],
    }
    return {"record_kind": "OUTCOME", "raw_text": json.dumps(call)}


@pytest.mark.parametrize("usage_format", FORMATS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(buckets, min_size=10, max_size=30))
def test_every_token_of_a_sound_usage_is_in_one_bucket(
    models: ModelRunner, usage_format: str, drawn: list[Usage]
) -> None:
    written, expected = FORMATS[usage_format]
    records = [_record(i, usage_format, written(usage)) for i, usage in enumerate(drawn)]
    for usage, row in zip(drawn, models.run("silver.invocations/tollhouse", records).rows, strict=True):
        output = [0, 0] if usage_format == "openai_embeddings" else [usage["visible"], usage["reasoning"]]
        assert [row[name] for name in INPUT] == expected(usage)
        assert [row[name] for name in OUTPUT] == output
        assert row["total_tokens"] == sum(expected(usage)) + sum(output)
        assert row["data_issues"] == []


NAMES = sorted({name for make, _ in FORMATS.values() for name in make(dict.fromkeys(
    ("uncached", "read", "short", "long", "visible", "reasoning"), 1))})  # fmt: skip
loose = st.integers(-5, 1000) | st.none() | st.sampled_from(["7", "seven", 2.5, True, [], {}])
nested = st.dictionaries(
    st.sampled_from(["cached_tokens", "cache_write_tokens", "reasoning_tokens", "audio_tokens", "thinking_tokens",
                     "ephemeral_1h_input_tokens"]), loose, max_size=3)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(FORMATS)), st.dictionaries(st.sampled_from(NAMES), loose | nested) | loose),
        min_size=20,
        max_size=40,
    )
)
def test_whatever_the_provider_says_no_bucket_is_negative_and_the_sums_hold(
    models: ModelRunner, drawn: list[tuple[str, Any]]
) -> None:
    records = [_record(i, usage_format, usage) for i, (usage_format, usage) in enumerate(drawn)]
    result = models.run("silver.invocations/tollhouse", records)
    assert len(result.rows) == len(drawn)
    for row in result.rows:
        found = [row[name] for name in INPUT + OUTPUT]
        if row["usage_source"] == "none":
            assert found == [None] * 6
            continue
        assert min(found) >= 0
        assert (row["input_tokens"], row["output_tokens"]) == (sum(found[:4]), sum(found[4:]))
        assert row["total_tokens"] == sum(found)
