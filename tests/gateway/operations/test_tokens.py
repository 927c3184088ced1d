import pytest

from tollhouse.gateway.operations.tokens import NOTHING, Tokens, tokens_of
from tollhouse.spool.records import UsageFormat


@pytest.mark.parametrize(
    ("usage_format", "usage", "tokens"),
    [
        (
            "openai_chat",
            b'{"prompt_tokens":9,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":4},'
            b'"completion_tokens_details":{"reasoning_tokens":3}}',
            Tokens(9, 7, 4, None, 3),
        ),
        (
            "openai_responses",
            b'{"input_tokens":9,"output_tokens":7,"input_tokens_details":{"cached_tokens":0},"output_tokens_details":null}',
            Tokens(9, 7, 0, None, None),
        ),
        ("openai_embeddings", b'{"prompt_tokens":5,"total_tokens":5}', Tokens(5, None, None, None, None)),
        (
            "anthropic_messages",
            b'{"input_tokens":3,"cache_creation_input_tokens":20,"cache_read_input_tokens":100,"output_tokens":7}',
            Tokens(123, 7, 100, 20, None),
        ),
        (
            "gemini",
            b'{"promptTokenCount":9,"toolUsePromptTokenCount":2,"candidatesTokenCount":5,"thoughtsTokenCount":6,'
            b'"cachedContentTokenCount":4}',
            Tokens(11, 11, 4, None, 6),
        ),
        ("gemini", b"{}", NOTHING),
    ],
)
def test_input_includes_the_cache_and_output_the_reasoning(
    usage_format: UsageFormat, usage: bytes, tokens: Tokens
) -> None:
    assert tokens_of(usage, usage_format) == tokens


@pytest.mark.parametrize("usage", [b"null", b"[]", b'{"prompt_tokens":"9"}', b'{"prompt_tokens":1e99}', b"{", b"\xff"])
def test_what_is_no_usage_counts_nothing(usage: bytes) -> None:
    assert tokens_of(usage, "openai_chat") == NOTHING
