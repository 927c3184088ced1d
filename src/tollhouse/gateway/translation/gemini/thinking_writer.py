"""Writing how much to think."""

from collections.abc import Mapping
from typing import Any, Final

from tollhouse.gateway.translation.conversation import Conversation, ReasoningWish
from tollhouse.gateway.translation.fields import lose
from tollhouse.gateway.translation.gemini.gemini_models import has_levels, is_pro, knows_medium, thinks

# Tokens, as Google's own translation of OpenAI's efforts has them.
_BUDGETS: Final[Mapping[str, int]] = {
    "minimal": 1_024,
    "low": 1_024,
    "medium": 8_192,
    "high": 24_576,
    "xhigh": 24_576,
    "max": 24_576,
}
_LEAST_PRO_BUDGET: Final = 128
_DYNAMIC: Final = -1


def thinking_config(conversation: Conversation, model: str) -> dict[str, Any]:
    """``thinkingConfig`` where the caller wished for one, {} else."""
    wish = conversation.reasoning
    if wish is None:
        return {}
    if not thinks(model):
        if wish.effort != "none":
            lose(conversation, "gemini", "reasoning")
        return {}
    config: dict[str, Any] = {}
    if wish.is_shown is not None:
        config["includeThoughts"] = wish.is_shown
    if not has_levels(model):
        config["thinkingBudget"] = _budget(wish, model)
    elif (level := _level(wish, model)) is not None:
        config["thinkingLevel"] = level
    return {"thinkingConfig": config} if config else {}


def _budget(wish: ReasoningWish, model: str) -> int:
    if wish.effort == "none":
        return _LEAST_PRO_BUDGET if is_pro(model) else 0
    if wish.budget_tokens is not None:
        return min(wish.budget_tokens, _BUDGETS["max"])
    return _BUDGETS[wish.effort] if wish.effort is not None else _DYNAMIC


def _level(wish: ReasoningWish, model: str) -> str | None:
    effort = wish.effort
    if effort is None and wish.budget_tokens is not None:
        effort = next((effort for effort in ("low", "medium") if wish.budget_tokens <= _BUDGETS[effort]), "high")
    match effort:
        case None:
            return None
        case "none" | "minimal":
            return "LOW" if is_pro(model) else "MINIMAL"
        case "low":
            return "LOW"
        case "medium":
            return "MEDIUM" if knows_medium(model) else "HIGH"
        case _:
            return "HIGH"
