"""Which observer reads which protocol."""

from collections.abc import Callable

from tollhouse.gateway.observing.anthropic_messages import AnthropicMessagesObserver
from tollhouse.gateway.observing.gemini import GeminiObserver
from tollhouse.gateway.observing.observer import Observer
from tollhouse.gateway.observing.openai_chat import OpenaiChatObserver
from tollhouse.gateway.observing.openai_embeddings import OpenaiEmbeddingsObserver
from tollhouse.gateway.observing.openai_responses import OpenaiResponsesObserver
from tollhouse.gateway.wires import Wire

_OBSERVERS: dict[Wire, Callable[[], Observer]] = {
    "openai_chat": OpenaiChatObserver,
    "openai_responses": OpenaiResponsesObserver,
    "openai_embeddings": OpenaiEmbeddingsObserver,
    "anthropic_messages": AnthropicMessagesObserver,
    "gemini": GeminiObserver,
}


def new_observer(wire: Wire) -> Observer:
    """An observer of one answer."""
    return _OBSERVERS[wire]()
