"""The intermediate form as a Responses request."""

from collections.abc import Iterator
from typing import Any, Final

from tollhouse.gateway.translation.conversation import (
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Text,
    Tool,
    ToolResult,
    ToolUse,
    Turn,
)
from tollhouse.gateway.translation.fields import lose
from tollhouse.gateway.translation.inline_files import data_url, image_url, plain_text
from tollhouse.gateway.translation.json_text import encode_request
from tollhouse.gateway.translation.openai_settings import common_settings, effort_of, schema_members
from tollhouse.gateway.wires import GenerativeWire

WIRE: Final[GenerativeWire] = "openai_responses"
# OpenAI refuses less; agents that probe for a quota ask for 1.
_LEAST_OUTPUT_TOKENS: Final = 16
_NO_PLACE: Final = ("stop", "seed", "presence_penalty", "frequency_penalty")


def write_request(conversation: Conversation, model: str) -> bytes:
    """The request's JSON. What has no place goes into the conversation's losses. Raises UntranslatableError."""
    for name in _NO_PLACE:
        if getattr(conversation, name) not in (None, []):
            lose(conversation, WIRE, name)
    instructions, turns = _instructions(conversation)
    items = [item for turn in turns for item in _items(conversation, turn)]
    request: dict[str, Any] = {"model": model, "input": items, "store": False, **common_settings(conversation, WIRE)}
    limit = conversation.max_output_tokens
    members = {
        "instructions": instructions,
        "max_output_tokens": None if limit is None else max(limit, _LEAST_OUTPUT_TOKENS),
        "reasoning": _reasoning_wish(conversation),
        "include": ["reasoning.encrypted_content"] if conversation.reasoning is not None else None,
        "tools": [_tool(tool) for tool in conversation.tools] or None,
        "tool_choice": _tool_choice(conversation),
        "text": _text(conversation),
    }
    return encode_request(request | {name: value for name, value in members.items() if value is not None})


def _instructions(conversation: Conversation) -> tuple[str | None, list[Turn]]:
    """System text that comes first is the instructions; text that alone makes the request stays in its input."""
    turns = conversation.turns
    if len(turns) < 2 or turns[0].role != "system":
        return None, turns
    texts = [part.text for part in turns[0].parts if isinstance(part, Text)]
    if len(texts) != len(turns[0].parts):
        lose(conversation, WIRE, "system.file")
    return "\n\n".join(texts), turns[1:]


def _items(conversation: Conversation, turn: Turn) -> Iterator[dict[str, Any]]:
    """Consecutive parts that a message can hold are one message; each call, result and reasoning block is an item."""
    content: list[dict[str, Any]] = []
    for part in turn.parts:
        if isinstance(part, Text | Image | Document):
            content.append(_content(conversation, turn, part))
            continue
        item = _item(conversation, part)
        if item is not None:
            if content:
                yield _message(turn, content)
                content = []
            yield item
    if content:
        yield _message(turn, content)


def _message(turn: Turn, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "message", "role": turn.role, "content": content}


def _item(conversation: Conversation, part: Part) -> dict[str, Any] | None:
    match part:
        case ToolUse():
            call = {"type": "function_call", "call_id": part.call_id, "name": part.name}
            return {**call, "arguments": part.arguments or "{}"}
        case ToolResult():
            return _result(conversation, part)
        case Reasoning():
            return _reasoning(conversation, part)
        case _:
            return None


def _result(conversation: Conversation, result: ToolResult) -> dict[str, Any]:
    if result.is_error:
        lose(conversation, WIRE, "tool_result.is_error")
    turn = Turn("user", [])
    content = [_content(conversation, turn, part) for part in result.content]
    is_plain = len(content) == 1 and content[0]["type"] == "input_text"
    output = content[0]["text"] if is_plain else content
    return {"type": "function_call_output", "call_id": result.call_id, "output": output or ""}


def _reasoning(conversation: Conversation, block: Reasoning) -> dict[str, Any] | None:
    if block.wire != WIRE or block.signature is None:
        lose(conversation, WIRE, "reasoning_block")
        return None
    summary = [{"type": "summary_text", "text": block.text}] if block.text else []
    return {"type": "reasoning", "summary": summary, "encrypted_content": block.signature}


def _content(conversation: Conversation, turn: Turn, part: Text | Image | Document) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "output_text" if turn.role == "assistant" else "input_text", "text": part.text}
    if turn.role != "user":
        lose(conversation, WIRE, f"{turn.role}.file")
    if isinstance(part, Image):
        return {"type": "input_image", "image_url": image_url(part), "detail": part.detail or "auto"}
    text = plain_text(part)
    if text is not None:
        return {"type": "input_text", "text": text}
    if part.data is None:
        return {"type": "input_file", "file_url": part.url}
    file_data = data_url(part.media_type, part.data)
    return {"type": "input_file", "filename": part.filename or "document", "file_data": file_data}


def _tool(tool: Tool) -> dict[str, Any]:
    # Without ``strict`` Responses takes a tool to be strict, which the other protocols do not.
    parameters = tool.parameters or {"type": "object", "properties": {}}
    written = {"type": "function", "name": tool.name, "parameters": parameters, "strict": bool(tool.is_strict)}
    return written if tool.description is None else {**written, "description": tool.description}


def _tool_choice(conversation: Conversation) -> str | dict[str, Any] | None:
    choice = conversation.tool_choice
    if choice is None or not conversation.tools:
        return None
    return {"type": "function", "name": choice.name} if choice.mode == "tool" else choice.mode


def _reasoning_wish(conversation: Conversation) -> dict[str, Any] | None:
    wish = conversation.reasoning
    effort = effort_of(wish)
    written = {} if effort is None else {"effort": effort}
    if wish is not None and wish.is_shown:
        written["summary"] = "auto"
    return written or None


def _text(conversation: Conversation) -> dict[str, Any] | None:
    wanted = conversation.output_format
    if wanted is None:
        return None
    if wanted.kind == "json_object":
        return {"format": {"type": "json_object"}}
    return {"format": {"type": "json_schema", **schema_members(wanted)}}
