import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.demo.usage import Tokens, tokens_of, usage_object, usage_source
from tollhouse.spool.records import Attempt

COUNTS = st.integers(0, 200_000)
# Which buckets a protocol can report: the others are always 0 there.
BUCKETS = {
    "openai_chat": (1, 1, 1, 0, 1, 1),
    "openai_responses": (1, 1, 1, 1, 1, 1),
    "openai_embeddings": (1, 0, 0, 0, 0, 0),
    "anthropic_messages": (1, 1, 1, 1, 1, 1),
    "gemini": (1, 1, 0, 0, 1, 1),
}


def attempt(**known) -> Attempt:
    return Attempt(
        destination_name="d",
        destination_type="EXTERNAL_FOUNDATION_MODEL",
        destination_model="m",
        provider="p",
        attempt_number=1,
        action="INITIAL_ATTEMPT",
        start_time="2026-01-01T00:00:00.000000Z",
        **known,
    )


def reported(usage_format: str, usage: dict) -> Attempt:
    return attempt(usage=msgspec.Raw(msgspec.json.encode(usage)), usage_format=usage_format)


@pytest.mark.parametrize("usage_format", BUCKETS)
@given(drawn=st.tuples(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS))
def test_a_usage_object_gives_back_the_buckets_it_was_made_of(usage_format: str, drawn: tuple[int, ...]) -> None:
    tokens = Tokens(*(count * known for count, known in zip(drawn, BUCKETS[usage_format], strict=True)))

    assert tokens_of(reported(usage_format, usage_object(usage_format, tokens))) == tokens


def test_openai_counts_caches_and_reasoning_inside_its_totals() -> None:
    usage = usage_object("openai_chat", Tokens(107, 3712, 0, 0, 747, 832))

    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (3819, 1579, 5398)


def test_anthropic_counts_caches_outside_its_input() -> None:
    usage = usage_object("anthropic_messages", Tokens(10, 3429, 200, 300, 50, 25))

    assert usage["input_tokens"] == 10
    assert usage["cache_creation_input_tokens"] == 500
    assert usage["cache_creation"] == {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 300}
    assert usage["output_tokens"] == 75


def test_gemini_leaves_out_zeros_and_counts_thoughts_beside_candidates() -> None:
    usage = usage_object("gemini", Tokens(575, 12204, 0, 0, 24, 71))

    assert (usage["promptTokenCount"], usage["candidatesTokenCount"], usage["totalTokenCount"]) == (12779, 24, 12874)
    assert "cachedContentTokenCount" not in usage_object("gemini", Tokens(5, 0, 0, 0, 1, 0))


def test_gemini_tool_prompts_are_extra_input() -> None:
    usage = {"promptTokenCount": 10, "toolUsePromptTokenCount": 7, "totalTokenCount": 17}

    assert tokens_of(reported("gemini", usage)) == Tokens(uncached_input=17)


def test_an_estimate_counts_as_uncached_input_and_visible_output() -> None:
    estimated = attempt(estimated_input_tokens=100, estimated_output_tokens=7)

    assert tokens_of(estimated) == Tokens(uncached_input=100, visible_output=7)
    assert usage_source(estimated) == "estimated"


def test_an_attempt_without_counts_has_no_tokens() -> None:
    assert tokens_of(attempt()) == Tokens()
    assert usage_source(attempt()) == "none"
