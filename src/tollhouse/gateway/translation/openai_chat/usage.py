"""Chat Completions' usage: the prompt's tokens include what was read from and written to the cache."""

from typing import Any

from tollhouse.gateway.translation.answer import TokenUsage
from tollhouse.gateway.translation.provider_json import count, member


def read_usage(usage: dict[str, Any]) -> TokenUsage:
    """A usage object's tokens; what it does not say is 0."""
    prompt, completion = member(usage, "prompt_tokens_details"), member(usage, "completion_tokens_details")
    return TokenUsage(
        input=count(usage, "prompt_tokens"),
        cache_read=count(prompt, "cached_tokens"),
        cache_write_5m=count(prompt, "cache_write_tokens"),
        output=count(usage, "completion_tokens"),
        reasoning=count(completion, "reasoning_tokens"),
    )


def write_usage(usage: TokenUsage) -> dict[str, Any]:
    """The usage object of an answer."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
