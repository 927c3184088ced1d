"""Responses' usage: the input's tokens include what was read from and written to the cache."""

from typing import Any

from tollhouse.gateway.translation.answer import TokenUsage
from tollhouse.gateway.translation.provider_json import count, member


def read_usage(usage: dict[str, Any]) -> TokenUsage:
    """A usage object's tokens; what it does not say is 0. Writes that live for 12 hours count as the longer ones."""
    inputs = member(usage, "input_tokens_details")
    written = count(inputs, "cache_write_tokens")
    long_lived = min(written, count(member(inputs, "cache_write_tokens_details"), "ttl_12h_tokens"))
    return TokenUsage(
        input=count(usage, "input_tokens"),
        cache_read=count(inputs, "cached_tokens"),
        cache_write_5m=written - long_lived,
        cache_write_1h=long_lived,
        output=count(usage, "output_tokens"),
        reasoning=count(member(usage, "output_tokens_details"), "reasoning_tokens"),
    )


def write_usage(usage: TokenUsage) -> dict[str, Any]:
    """The usage object of an answer."""
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }
