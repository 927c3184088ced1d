"""Anthropic Messages."""

import msgspec

from tollhouse.demo.dialogue import TOOLS, Dialogue, Json

FINISH_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use"}
_TOOLS: list[Json] = [{"name": name, "input_schema": {"type": "object"}} for name in TOOLS[:2]]


def request(said: Dialogue) -> Json:
    """Body of ``POST /v1/messages``; the system prompt is marked for the cache."""
    messages: list[Json] = [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in said.turns]
    if said.answered:
        messages += _round_trip(said)
    body: Json = {
        "model": said.model,
        "max_tokens": said.max_tokens,
    }
    if said.system:
        body["system"] = [{"type": "text", "text": said.system, "cache_control": {"type": "ephemeral"}}]
    body["messages"] = messages
    if said.user:
        body["tools"] = _TOOLS
        body["metadata"] = {"user_id": said.user}
    return body | {"stream": True} if said.is_stream else body


def response(said: Dialogue, usage: msgspec.Raw | None) -> Json:
    """A ``message``; its stop reason is null where the stream broke off."""
    content: list[Json] = []
    if said.thinking:
        content.append({"type": "thinking", "thinking": said.thinking, "signature": said.sealed})
    if said.answer:
        content.append({"type": "text", "text": said.answer})
    if said.called:
        use = {"type": "tool_use", "id": f"toolu_{said.called.call_id}", "name": said.called.name}
        content.append(use | {"input": said.called.arguments})
    return {
        "id": f"msg_{said.response_id}",
        "type": "message",
        "role": "assistant",
        "model": said.response_model,
        "content": content,
        "stop_reason": FINISH_REASONS[said.finish] if said.finish else None,
        "stop_sequence": None,
    } | ({"usage": usage} if usage else {})


def error(_status: int, code: str, message: str) -> Json:
    """Anthropic's error object."""
    return {"type": "error", "error": {"type": code, "message": message}}


def _round_trip(said: Dialogue) -> list[Json]:
    tool = said.answered
    if tool is None:
        return []
    use = {"type": "tool_use", "id": f"toolu_{tool.call_id}", "name": tool.name, "input": tool.arguments}
    result = {"type": "tool_result", "tool_use_id": f"toolu_{tool.call_id}", "content": tool.result}
    return [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
