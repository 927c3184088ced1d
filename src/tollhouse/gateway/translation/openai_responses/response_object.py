"""The response object of a translated answer, as it stands before anything has come."""

from typing import Any, Final

from tollhouse.gateway.translation.answer import Failed
from tollhouse.gateway.translation.conversation import Conversation

# The codes that clients of Responses act upon; any other error is the server's.
_KNOWN_CODES: Final = ("context_length_exceeded", "insufficient_quota", "invalid_prompt", "rate_limit_exceeded")


def response_object(conversation: Conversation, answer_id: str, created: int) -> dict[str, Any]:
    """All members that clients require. Tools and instructions are not told again: the caller has them."""
    wish, choice = conversation.reasoning, conversation.tool_choice
    return {
        "id": f"resp_{answer_id}",
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": conversation.max_output_tokens,
        "metadata": {},
        "model": conversation.model,
        "output": [],
        "parallel_tool_calls": conversation.has_parallel_tools is not False,
        "previous_response_id": None,
        "reasoning": {"effort": None if wish is None else wish.effort, "summary": None},
        "store": False,
        "temperature": conversation.temperature,
        "tool_choice": "auto" if choice is None or choice.mode == "tool" else choice.mode,
        "tools": [],
        "top_p": conversation.top_p,
        "truncation": "disabled",
        "usage": None,
    }


def failure_members(failed: Failed) -> dict[str, Any]:
    """What a failed response says of its error."""
    code = "rate_limit_exceeded" if failed.status == 429 else "server_error"
    return {
        "status": "failed",
        "error": {"code": failed.code if failed.code in _KNOWN_CODES else code, "message": failed.message},
    }
