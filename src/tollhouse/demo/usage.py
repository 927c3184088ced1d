"""Token counts in mutually exclusive buckets, and the usage objects that providers report them in."""

from typing import Any, NamedTuple

import msgspec

from tollhouse.spool.records import Attempt, UsageFormat

Usage = dict[str, Any]


class Tokens(NamedTuple):
    """Tokens of one upstream call; the buckets exclude one another."""

    uncached_input: int = 0
    cache_read_input: int = 0
    cache_write_5m_input: int = 0
    cache_write_1h_input: int = 0
    visible_output: int = 0
    reasoning_output: int = 0

    @property
    def input(self) -> int:
        """Sum of the four input buckets."""
        return self[0] + self[1] + self[2] + self[3]

    @property
    def output(self) -> int:
        """Sum of the two output buckets."""
        return self[4] + self[5]

    def plus(self, other: "Tokens") -> "Tokens":
        """Bucket by bucket."""
        return Tokens(*map(int.__add__, self, other))


def usage_object(usage_format: UsageFormat, tokens: Tokens) -> Usage:
    """The usage object that a provider with this format reports for ``tokens``."""
    return _REPORTERS[usage_format](tokens)


def reported(attempt: Attempt) -> msgspec.Raw | None:
    """The provider's usage object as JSON; None where there was none."""
    return attempt.usage if isinstance(attempt.usage, msgspec.Raw) else None


def tokens_of(attempt: Attempt) -> Tokens:
    """The buckets of an attempt: from the provider's object, else from the gateway's estimate, else none."""
    usage = reported(attempt)
    if usage is not None and attempt.usage_format is not None:
        return _READERS[attempt.usage_format](msgspec.json.decode(usage, type=Usage))
    return Tokens(
        uncached_input=attempt.estimated_input_tokens or 0, visible_output=attempt.estimated_output_tokens or 0
    )


def usage_source(attempt: Attempt) -> str:
    """provider, partial, estimated or none."""
    if reported(attempt) is not None:
        return "partial" if attempt.is_usage_partial else "provider"
    return "none" if attempt.estimated_input_tokens is None else "estimated"


def _openai_chat(tokens: Tokens) -> Usage:
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": _cached(tokens) | {"audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning_output, "audio_tokens": 0},
    }


def _openai_responses(tokens: Tokens) -> Usage:
    details = _cached(tokens)
    if tokens.cache_write_1h_input:
        lives = {"ttl_30m_tokens": tokens.cache_write_5m_input, "ttl_12h_tokens": tokens.cache_write_1h_input}
        details["cache_write_tokens_details"] = lives
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": details,
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning_output},
        "total_tokens": tokens.input + tokens.output,
    }


def _cached(tokens: Tokens) -> Usage:
    written = tokens.cache_write_5m_input + tokens.cache_write_1h_input
    return {"cached_tokens": tokens.cache_read_input} | ({"cache_write_tokens": written} if written else {})


def _openai_embeddings(tokens: Tokens) -> Usage:
    return {"prompt_tokens": tokens.input, "total_tokens": tokens.input}


def _anthropic_messages(tokens: Tokens) -> Usage:
    usage: Usage = {
        "input_tokens": tokens.uncached_input,
        "cache_creation_input_tokens": tokens.cache_write_5m_input + tokens.cache_write_1h_input,
        "cache_read_input_tokens": tokens.cache_read_input,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_5m_input,
            "ephemeral_1h_input_tokens": tokens.cache_write_1h_input,
        },
        "output_tokens": tokens.output,
        "service_tier": "standard",
    }
    if tokens.reasoning_output:
        usage["output_tokens_details"] = {"thinking_tokens": tokens.reasoning_output}
    return usage


def _gemini(tokens: Tokens) -> Usage:
    counts = {
        "promptTokenCount": tokens.input,
        "cachedContentTokenCount": tokens.cache_read_input,
        "candidatesTokenCount": tokens.visible_output,
        "thoughtsTokenCount": tokens.reasoning_output,
        "totalTokenCount": tokens.input + tokens.output,
    }
    usage: Usage = {name: count for name, count in counts.items() if count}
    return usage | {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens.input}]}


def _from_openai(usage: Usage, side: str, other: str) -> Tokens:
    """OpenAI's input includes the caches and its output the reasoning."""
    details = usage.get(f"{side}_tokens_details", {})
    read, written = details.get("cached_tokens", 0), details.get("cache_write_tokens", 0)
    long_lived = details.get("cache_write_tokens_details", {}).get("ttl_12h_tokens", 0)
    reasoning = usage.get(f"{other}_tokens_details", {}).get("reasoning_tokens", 0)
    uncached = usage[f"{side}_tokens"] - read - written
    visible = usage.get(f"{other}_tokens", 0) - reasoning
    return Tokens(uncached, read, written - long_lived, long_lived, visible, reasoning)


def _from_anthropic(usage: Usage) -> Tokens:
    """Anthropic's input excludes the caches; its output includes the thinking."""
    lives = usage.get("cache_creation", {})
    thinking = usage.get("output_tokens_details", {}).get("thinking_tokens", 0)
    return Tokens(
        usage["input_tokens"],
        usage["cache_read_input_tokens"],
        lives.get("ephemeral_5m_input_tokens", 0),
        lives.get("ephemeral_1h_input_tokens", 0),
        usage["output_tokens"] - thinking,
        thinking,
    )


def _from_gemini(usage: Usage) -> Tokens:
    """Gemini's prompt includes what was cached, tool prompts come on top, and candidates exclude the thoughts."""
    read = usage.get("cachedContentTokenCount", 0)
    uncached = usage.get("promptTokenCount", 0) - read + usage.get("toolUsePromptTokenCount", 0)
    return Tokens(uncached, read, 0, 0, usage.get("candidatesTokenCount", 0), usage.get("thoughtsTokenCount", 0))


_REPORTERS = {
    "openai_chat": _openai_chat,
    "openai_responses": _openai_responses,
    "openai_embeddings": _openai_embeddings,
    "anthropic_messages": _anthropic_messages,
    "gemini": _gemini,
}
_READERS = {
    "openai_chat": lambda usage: _from_openai(usage, "prompt", "completion"),
    "openai_responses": lambda usage: _from_openai(usage, "input", "output"),
    "openai_embeddings": lambda usage: _from_openai(usage, "prompt", "completion"),
    "anthropic_messages": _from_anthropic,
    "gemini": _from_gemini,
}
