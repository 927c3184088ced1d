"""Writing how much to think, and the limit that thinking counts against."""

from collections.abc import Mapping
from typing import Any, Final

from tollhouse.gateway.translation.anthropic_messages.claude_models import default_max_tokens, thinks, thinks_adaptively
from tollhouse.gateway.translation.conversation import Conversation, Reasoning, ReasoningWish, ToolUse, Turn
from tollhouse.gateway.translation.fields import lose

_EFFORTS: Final[Mapping[str, str]] = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}
# Tokens; with the room for the answer below, the largest stays under the 32,000 that Opus 4 may write.
_BUDGETS: Final[Mapping[str, int]] = {
    "minimal": 1_024,
    "low": 2_048,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 22_000,
    "max": 22_000,
}
_LEAST_BUDGET: Final = 1_024
_ANSWER_ROOM: Final = 8_192


def thinking_fields(conversation: Conversation, turns: list[Turn], model: str) -> dict[str, Any]:
    """``max_tokens``, and ``thinking`` and ``output_config.effort`` where the caller wished for them.

    ``turns`` are those that are written.
    """
    wish = conversation.reasoning
    most = conversation.max_output_tokens or default_max_tokens(model)
    if wish is None:
        return {"max_tokens": most}
    if not thinks(model):
        if wish.effort != "none":
            lose(conversation, "anthropic_messages", "reasoning")
        return {"max_tokens": most}
    if wish.effort == "none":
        return {"max_tokens": most, "thinking": {"type": "disabled"}}
    if thinks_adaptively(model):
        return {"max_tokens": most, **_adaptive(conversation, wish)}
    return _budgeted(conversation, turns, wish, most)


def _adaptive(conversation: Conversation, wish: ReasoningWish) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    effort = _effort(wish)
    if effort is not None:
        fields["output_config"] = {"effort": effort}
    if _forces_a_tool(conversation):
        lose(conversation, "anthropic_messages", "reasoning")
        return fields
    fields["thinking"] = {"type": "adaptive"}
    if wish.is_shown is not None:
        fields["thinking"]["display"] = "summarized" if wish.is_shown else "omitted"
    return fields


def _budgeted(conversation: Conversation, turns: list[Turn], wish: ReasoningWish, most: int) -> dict[str, Any]:
    budget = max(wish.budget_tokens or _BUDGETS[wish.effort or "medium"], _LEAST_BUDGET)
    if conversation.max_output_tokens is None:
        most = max(most, budget + _ANSWER_ROOM)
    elif wish.budget_tokens is not None:
        budget = min(budget, most - 1)
    else:
        budget = min(budget, most // 2)
    if budget < _LEAST_BUDGET or _forces_a_tool(conversation) or _has_called_without_thinking(turns):
        lose(conversation, "anthropic_messages", "reasoning")
        return {"max_tokens": conversation.max_output_tokens or most}
    return {"max_tokens": most, "thinking": {"type": "enabled", "budget_tokens": budget}}


def _effort(wish: ReasoningWish) -> str | None:
    if wish.effort is not None:
        return _EFFORTS[wish.effort]
    if wish.budget_tokens is None:
        return None
    return next((effort for effort in ("low", "medium") if wish.budget_tokens <= _BUDGETS[effort]), "high")


def _forces_a_tool(conversation: Conversation) -> bool:
    """Whether a tool must be called: Messages takes no thinking beside that."""
    choice = conversation.tool_choice
    return bool(conversation.tools) and choice is not None and choice.mode in ("required", "tool")


def _has_called_without_thinking(turns: list[Turn]) -> bool:
    """Whether the last calls lost their reasoning on the way: with a budget, Messages answers 400 to that."""
    last = next((turn.parts for turn in reversed(turns) if turn.role == "assistant"), [])
    return any(isinstance(part, ToolUse) for part in last) and not any(isinstance(part, Reasoning) for part in last)
