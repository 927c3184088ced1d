"""OpenAI Responses."""

import msgspec

from tollhouse.demo.dialogue import TOOLS, Dialogue, Json, ToolUse

FINISH_REASONS = {"stop": "completed", "length": "incomplete", "tool": "completed"}
_TOOLS: list[Json] = [{"type": "function", "name": name, "parameters": {"type": "object"}} for name in TOOLS[:2]]


def request(said: Dialogue) -> Json:
    """Body of ``POST /v1/responses``."""
    items: list[Json] = [{"role": role, "content": text} for role, text in said.turns]
    if said.answered:
        items.append(_call(said.answered))
        output = {"type": "function_call_output", "call_id": f"call_{said.answered.call_id}"}
        items.append(output | {"output": said.answered.result})
    body: Json = {"model": said.model} | ({"instructions": said.system} if said.system else {})
    body |= {"input": items, "stream": said.is_stream, "store": False, "include": ["reasoning.encrypted_content"]}
    return body | {"tools": _TOOLS, "prompt_cache_key": said.user} if said.user else body


def response(said: Dialogue, usage: msgspec.Raw | None) -> Json:
    """A ``response`` object; its usage is null where no terminal event came."""
    output: list[Json] = []
    if said.thinking:
        summary = [{"type": "summary_text", "text": said.thinking}]
        reasoning = {"id": f"rs_{said.response_id}", "type": "reasoning", "summary": summary}
        output.append(reasoning | {"encrypted_content": said.sealed})
    if said.answer:
        output.append(_message(said))
    if said.called:
        output.append(_call(said.called))
    return {
        "id": f"resp_{said.response_id}",
        "object": "response",
        "created_at": said.created,
        "status": FINISH_REASONS[said.finish] if said.finish else "in_progress",
        "model": said.response_model,
        "output": output,
        "usage": usage,
    }


def _message(said: Dialogue) -> Json:
    return {
        "id": f"msg_{said.response_id}",
        "type": "message",
        "status": "completed" if said.finish else "in_progress",
        "role": "assistant",
        "content": [{"type": "output_text", "text": said.answer, "annotations": []}],
    }


def _call(tool: ToolUse) -> Json:
    return {
        "type": "function_call",
        "id": f"fc_{tool.call_id}",
        "call_id": f"call_{tool.call_id}",
        "name": tool.name,
        "arguments": msgspec.json.encode(tool.arguments).decode(),
    }
