"""Writes a response object and its output items."""

import base64
import hashlib
from typing import Any, Literal

import msgspec

from tollhouse.simulated.answer import Answer, Call
from tollhouse.simulated.wires.identity import Identity
from tollhouse.simulated.wires.openai_responses.request import ResponsesAsked

Status = Literal["queued", "in_progress", "completed", "incomplete", "cancelled", "failed"]
Item = dict[str, Any]
_DEFAULTS: dict[str, Any] = {
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


def response(asked: ResponsesAsked, identity: Identity, status: Status) -> Item:
    """The response object before there is output."""
    head = {
        "id": identity.of("resp_"),
        "object": "response",
        "created_at": identity.created,
        "status": status,
        "background": asked.is_background,
        "model": identity.model,
        "output": [],
        "previous_response_id": asked.previous_id,
        "store": asked.stores,
        "usage": None,
    }
    return {**_DEFAULTS, **asked.echoed, **head}


def finished(asked: ResponsesAsked, answer: Answer, identity: Identity, usage: bytes | None) -> Item:
    """The response object with its output."""
    status: Status = "incomplete" if answer.finish == "length" else "completed"
    whole = response(asked, identity, status) | {"output": items(asked, answer, identity)}
    if status == "incomplete":
        whole["incomplete_details"] = {"reason": "max_output_tokens"}
    if usage is not None:
        whole["usage"] = msgspec.Raw(usage)
    return whole


def items(asked: ResponsesAsked, answer: Answer, identity: Identity) -> list[Item]:
    """The output: reasoning, the message, the calls."""
    made: list[Item] = []
    if answer.thinking:
        made.append(_reasoning(asked, "".join(answer.thinking), identity))
    if answer.text or not answer.calls:
        made.append(message(identity, "completed", [text_part("".join(answer.text))]))
    return made + [call_item(call, identity, "completed", call.arguments) for call in answer.calls]


def message(identity: Identity, status: str, content: list[Item]) -> Item:
    """The message item."""
    return {"id": identity.of("msg_"), "type": "message", "status": status, "role": "assistant", "content": content}


def text_part(text: str) -> Item:
    """A content part of text."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def call_item(call: Call, identity: Identity, status: str, arguments: str) -> Item:
    """A call item with as much of its arguments as is known."""
    call_id = identity.of("call_", 1 + call.number)
    if call.is_free_text:
        head = {"id": identity.of("ctc_", 1 + call.number), "type": "custom_tool_call", "status": status}
        return head | {"call_id": call_id, "name": call.name, "input": arguments}
    head = {"id": identity.of("fc_", 1 + call.number), "type": "function_call", "status": status}
    return head | {"call_id": call_id, "name": call.name, "arguments": arguments}


def _reasoning(asked: ResponsesAsked, thinking: str, identity: Identity) -> Item:
    summary = [{"type": "summary_text", "text": thinking}] if asked.has_summary else []
    return reasoning(asked, identity, summary, thinking)


def reasoning(asked: ResponsesAsked, identity: Identity, summary: list[Item], thinking: str) -> Item:
    """The reasoning item; its encrypted content only where the caller asked for it."""
    item: Item = {"id": identity.of("rs_"), "type": "reasoning", "summary": summary}
    if asked.has_encrypted:
        item["encrypted_content"] = base64.b64encode(hashlib.sha512(thinking.encode()).digest()).decode()
    return item
