"""OpenAI Chat Completions, as OpenAI and the servers compatible with it speak it."""

import msgspec

from tollhouse.demo.dialogue import TOOLS, Dialogue, Json, ToolUse

FINISH_REASONS = {"stop": "stop", "length": "length", "tool": "tool_calls"}
_TOOLS: list[Json] = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in TOOLS[:2]
]


def request(said: Dialogue) -> Json:
    """Body of ``POST /v1/chat/completions``."""
    messages: list[Json] = [{"role": "system", "content": said.system}] if said.system else []
    messages += [{"role": role, "content": text} for role, text in said.turns]
    if said.answered:
        messages.append({"role": "assistant", "content": None, "tool_calls": [_call(said.answered)]})
        messages.append(
            {"role": "tool", "tool_call_id": f"call_{said.answered.call_id}", "content": said.answered.result}
        )
    body: Json = {"model": said.model, "messages": messages, "max_completion_tokens": said.max_tokens}
    if said.called or said.answered:
        body["tools"] = _TOOLS
    if said.is_stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def response(said: Dialogue, usage: msgspec.Raw | None) -> Json:
    """A ``chat.completion``; without usage where the stream was cut before it."""
    message: Json = {"role": "assistant", "content": said.answer or None, "refusal": None}
    if said.called:
        message["tool_calls"] = [_call(said.called)]
    choice = {"index": 0, "message": message, "finish_reason": FINISH_REASONS[said.finish] if said.finish else None}
    body: Json = {
        "id": f"chatcmpl-{said.response_id}",
        "object": "chat.completion",
        "created": said.created,
        "model": said.response_model,
        "choices": [choice],
    }
    return body | {"usage": usage} if usage else body


def error(status: int, code: str, message: str) -> Json:
    """The error object of OpenAI's protocols."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _call(tool: ToolUse) -> Json:
    arguments = msgspec.json.encode(tool.arguments).decode()
    return {"id": f"call_{tool.call_id}", "type": "function", "function": {"name": tool.name, "arguments": arguments}}
