"""Each usage format's functions as a value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from tollhouse.demo.dialogue import Dialogue, Json
from tollhouse.demo.wires import anthropic_messages, gemini, openai_chat, openai_embeddings, openai_responses
from tollhouse.spool.records import UsageFormat


@dataclass(frozen=True)
class Wire:
    """How one protocol writes a request, a response, an error and why the model stopped."""

    request: Callable[[Dialogue], Json]
    response: Callable[[Dialogue, msgspec.Raw | None], Json]
    error: Callable[[int, str, str], Json]
    finish_reasons: Mapping[str, str | None]


WIRES: dict[UsageFormat, Wire] = {
    "openai_chat": Wire(openai_chat.request, openai_chat.response, openai_chat.error, openai_chat.FINISH_REASONS),
    "openai_responses": Wire(
        openai_responses.request, openai_responses.response, openai_chat.error, openai_responses.FINISH_REASONS
    ),
    "openai_embeddings": Wire(
        openai_embeddings.request, openai_embeddings.response, openai_chat.error, openai_embeddings.FINISH_REASONS
    ),
    "anthropic_messages": Wire(
        anthropic_messages.request,
        anthropic_messages.response,
        anthropic_messages.error,
        anthropic_messages.FINISH_REASONS,
    ),
    "gemini": Wire(gemini.request, gemini.response, gemini.error, gemini.FINISH_REASONS),
}
