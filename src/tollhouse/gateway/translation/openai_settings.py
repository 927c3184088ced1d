"""What both of OpenAI's protocols are told in the same way."""

from typing import Any

from tollhouse.gateway.translation.conversation import Conversation, Effort, OutputFormat, ReasoningWish
from tollhouse.gateway.translation.fields import lose
from tollhouse.gateway.wires import GenerativeWire

# A budget in tokens as an effort word: the budgets that each effort roughly spends.
_LOW_BUDGET = 2_048
_MEDIUM_BUDGET = 8_192
_NAME_CHARACTERS = 64


def common_settings(conversation: Conversation, wire: GenerativeWire) -> dict[str, Any]:
    """The members that are spelt alike; ``top_k`` has no place in either protocol."""
    if conversation.top_k is not None:
        lose(conversation, wire, "top_k")
    members = {
        "temperature": conversation.temperature,
        "top_p": conversation.top_p,
        "parallel_tool_calls": conversation.has_parallel_tools if conversation.tools else None,
        "stream": True if conversation.is_stream else None,
    }
    return {name: value for name, value in members.items() if value is not None}


def effort_of(wish: ReasoningWish | None) -> Effort | None:
    """The effort word of a wish; a budget alone is put into one of three, 0 is ``none``."""
    if wish is None or wish.effort is not None or wish.budget_tokens is None or wish.budget_tokens < 0:
        return None if wish is None else wish.effort
    if wish.budget_tokens == 0:
        return "none"
    if wish.budget_tokens <= _LOW_BUDGET:
        return "low"
    return "medium" if wish.budget_tokens <= _MEDIUM_BUDGET else "high"


def schema_members(wanted: OutputFormat) -> dict[str, Any]:
    """A JSON schema with its name, which OpenAI requires."""
    named = {"name": (wanted.name or "answer")[:_NAME_CHARACTERS], "schema": wanted.schema or {}}
    return named if wanted.is_strict is None else {**named, "strict": wanted.is_strict}
