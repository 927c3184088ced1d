"""Token counts of a provider's usage object, for metrics and spans; what is billed is worked out in the lake."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from tollhouse.spool.records import UsageFormat


class Tokens(NamedTuple):
    """``input`` includes what came from and went to a cache, ``output`` includes reasoning; None where unsaid."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_creation: int | None = None
    reasoning: int | None = None


NOTHING = Tokens()


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Chat(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


class _Responses(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None


class _Messages(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Gemini(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None


_NO_DETAILS = _Details()
_chat = msgspec.json.Decoder(_Chat)
_responses = msgspec.json.Decoder(_Responses)
_messages = msgspec.json.Decoder(_Messages)
_gemini = msgspec.json.Decoder(_Gemini)


def _of_chat(usage: bytes | msgspec.Raw) -> Tokens:
    read = _chat.decode(usage)
    cached = (read.prompt_tokens_details or _NO_DETAILS).cached_tokens
    reasoning = (read.completion_tokens_details or _NO_DETAILS).reasoning_tokens
    return Tokens(read.prompt_tokens, read.completion_tokens, cached, None, reasoning)


def _of_responses(usage: bytes | msgspec.Raw) -> Tokens:
    read = _responses.decode(usage)
    cached = (read.input_tokens_details or _NO_DETAILS).cached_tokens
    reasoning = (read.output_tokens_details or _NO_DETAILS).reasoning_tokens
    return Tokens(read.input_tokens, read.output_tokens, cached, None, reasoning)


def _of_messages(usage: bytes | msgspec.Raw) -> Tokens:
    read = _messages.decode(usage)
    total = _sum(read.input_tokens, read.cache_read_input_tokens, read.cache_creation_input_tokens)
    return Tokens(total, read.output_tokens, read.cache_read_input_tokens, read.cache_creation_input_tokens)


def _of_gemini(usage: bytes | msgspec.Raw) -> Tokens:
    read = _gemini.decode(usage)
    total = _sum(read.prompt_token_count, read.tool_use_prompt_token_count)
    output = _sum(read.candidates_token_count, read.thoughts_token_count)
    return Tokens(total, output, read.cached_content_token_count, None, read.thoughts_token_count)


_READERS: dict[UsageFormat, Callable[[bytes | msgspec.Raw], Tokens]] = {
    "openai_chat": _of_chat,
    "openai_responses": _of_responses,
    "openai_embeddings": _of_chat,
    "anthropic_messages": _of_messages,
    "gemini": _of_gemini,
}


def tokens_of(usage: bytes | msgspec.Raw, usage_format: UsageFormat) -> Tokens:
    """Reads a usage object; nothing where a provider sends no numbers in the places of numbers."""
    try:
        return _READERS[usage_format](usage)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NOTHING


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
