"""Usage objects in each protocol's own words, and the wrong ones that a behaviour can ask for."""

from typing import Any

import msgspec

from tollhouse.simulated.tokens import Tokens

_encode = msgspec.json.encode


def usage_json(wire: str, tokens: Tokens, shape: str | None) -> bytes | None:
    """The usage object; ``shape`` may be ``absent`` (None), ``zero`` or ``partial``."""
    if shape == "absent":
        return None
    tokens = Tokens() if shape == "zero" else tokens
    whole, parts = _WRITERS[wire](tokens)
    return _encode(whole if shape == "partial" else whole | parts)


def _chat(tokens: Tokens) -> tuple[dict[str, Any], dict[str, Any]]:
    prompt = {"cached_tokens": tokens.cached, "audio_tokens": 0}
    if tokens.cache_write:
        prompt["cache_write_tokens"] = tokens.cache_write
    completion = {
        "reasoning_tokens": tokens.reasoning,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    }
    whole = {"prompt_tokens": tokens.input, "completion_tokens": tokens.output, "total_tokens": tokens.total}
    return whole, {"prompt_tokens_details": prompt, "completion_tokens_details": completion}


def _responses(tokens: Tokens) -> tuple[dict[str, Any], dict[str, Any]]:
    whole = {"input_tokens": tokens.input, "output_tokens": tokens.output, "total_tokens": tokens.total}
    details = {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.cache_write}
    return whole, {
        "input_tokens_details": details,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }


def _anthropic(tokens: Tokens) -> tuple[dict[str, Any], dict[str, Any]]:
    parts: dict[str, Any] = {
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_5m,
            "ephemeral_1h_input_tokens": tokens.cache_write_1h,
        },
        "service_tier": "standard",
    }
    if tokens.reasoning:
        parts["output_tokens_details"] = {"thinking_tokens": tokens.reasoning}
    return {"input_tokens": tokens.fresh, "output_tokens": tokens.output}, parts


def _gemini(tokens: Tokens) -> tuple[dict[str, Any], dict[str, Any]]:
    """Counts of nought are left out, as Google does."""
    parts: dict[str, Any] = {
        "cachedContentTokenCount": tokens.cached,
        "candidatesTokenCount": tokens.output - tokens.reasoning,
        "thoughtsTokenCount": tokens.reasoning,
    }
    parts = {name: count for name, count in parts.items() if count}
    parts["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": tokens.input}]
    return {"promptTokenCount": tokens.input, "totalTokenCount": tokens.total}, parts


def _embeddings(tokens: Tokens) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"prompt_tokens": tokens.input}, {"total_tokens": tokens.input}


_WRITERS = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _anthropic,
    "gemini": _gemini,
    "openai_embeddings": _embeddings,
}
