"""Which halves there are: one of each protocol for callers, one for providers."""

from collections.abc import Mapping
from typing import Final

from tollhouse.gateway.translation.anthropic_messages import halves as anthropic_messages
from tollhouse.gateway.translation.gemini import halves as gemini
from tollhouse.gateway.translation.halves import CallerHalf, ProviderHalf
from tollhouse.gateway.translation.openai_chat import halves as openai_chat
from tollhouse.gateway.translation.openai_responses import halves as openai_responses
from tollhouse.gateway.wires import GenerativeWire

CALLERS: Final[Mapping[GenerativeWire, CallerHalf]] = {
    "openai_chat": openai_chat.CALLER,
    "openai_responses": openai_responses.CALLER,
    "anthropic_messages": anthropic_messages.CALLER,
    "gemini": gemini.CALLER,
}
PROVIDERS: Final[Mapping[GenerativeWire, ProviderHalf]] = {
    "openai_chat": openai_chat.PROVIDER,
    "openai_responses": openai_responses.PROVIDER,
    "anthropic_messages": anthropic_messages.PROVIDER,
    "gemini": gemini.PROVIDER,
}
