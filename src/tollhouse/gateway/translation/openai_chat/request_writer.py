"""The intermediate form as a Chat Completions request."""

from collections.abc import Iterable, Iterator
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

WIRE: Final[GenerativeWire] = "openai_chat"


def write_request(conversation: Conversation, model: str) -> bytes:
    """The request's JSON. What has no place goes into the conversation's losses. Raises UntranslatableError."""
    messages = [message for turn in conversation.turns for message in _messages(conversation, turn)]
    request: dict[str, Any] = {"model": model, "messages": messages, **common_settings(conversation, WIRE)}
    members = {
        "max_completion_tokens": conversation.max_output_tokens,
        "stop": conversation.stop or None,
        "seed": conversation.seed,
        "presence_penalty": conversation.presence_penalty,
        "frequency_penalty": conversation.frequency_penalty,
        "reasoning_effort": effort_of(conversation.reasoning),
        "tools": [_tool(tool) for tool in conversation.tools] or None,
        "tool_choice": _tool_choice(conversation),
        "response_format": _response_format(conversation),
        "stream_options": {"include_usage": True} if conversation.is_stream else None,
    }
    if conversation.reasoning is not None and conversation.reasoning.is_shown:
        lose(conversation, WIRE, "reasoning.is_shown")
    return encode_request(request | {name: value for name, value in members.items() if value is not None})


def _messages(conversation: Conversation, turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.role == "system":
        yield {"role": "system", "content": _text_content(conversation, turn)}
    elif turn.role == "assistant":
        yield _assistant(conversation, turn)
    else:
        yield from _user(conversation, turn.parts)


def _text_content(conversation: Conversation, turn: Turn) -> str | list[dict[str, Any]]:
    """Text alone, for the roles that can say nothing else."""
    texts: list[dict[str, Any]] = []
    for part in turn.parts:
        if isinstance(part, Text):
            texts.append({"type": "text", "text": part.text})
        elif isinstance(part, Image | Document):
            lose(conversation, WIRE, f"{turn.role}.file")
    return texts[0]["text"] if len(texts) == 1 else texts


def _assistant(conversation: Conversation, turn: Turn) -> dict[str, Any]:
    if any(isinstance(part, Reasoning) for part in turn.parts):
        lose(conversation, WIRE, "reasoning_block")
    calls = [_call(part) for part in turn.parts if isinstance(part, ToolUse)]
    content = _text_content(conversation, turn) or (None if calls else "")
    message: dict[str, Any] = {"role": "assistant", "content": content}
    return {**message, "tool_calls": calls} if calls else message


def _call(use: ToolUse) -> dict[str, Any]:
    return {"id": use.call_id, "type": "function", "function": {"name": use.name, "arguments": use.arguments or "{}"}}


def _user(conversation: Conversation, parts: Iterable[Part]) -> Iterator[dict[str, Any]]:
    """First a message for each tool result, as it must be; what else they hold than text goes to the user's message."""
    content: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, ToolResult):
            yield _result(conversation, part)
            shown = [inner for inner in part.content if not isinstance(inner, Text)]
            if shown:
                content.append({"type": "text", "text": f"What tool call {part.call_id} gave besides text:"})
            content += [_content(conversation, inner) for inner in shown]
        elif isinstance(part, Text | Image | Document):
            content.append(_content(conversation, part))
    if len(content) == 1 and content[0]["type"] == "text":
        yield {"role": "user", "content": content[0]["text"]}
    elif content:
        yield {"role": "user", "content": content}


def _result(conversation: Conversation, result: ToolResult) -> dict[str, Any]:
    if result.is_error:
        lose(conversation, WIRE, "tool_result.is_error")
    texts = [part.text for part in result.content if isinstance(part, Text)]
    content = texts[0] if len(texts) == 1 else [{"type": "text", "text": text} for text in texts]
    return {"role": "tool", "tool_call_id": result.call_id, "content": content or ""}


def _content(conversation: Conversation, part: Text | Image | Document) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Image):
        detail = {} if part.detail is None else {"detail": part.detail}
        return {"type": "image_url", "image_url": {"url": image_url(part), **detail}}
    if part.data is None:
        lose(conversation, WIRE, "document.url")
    text = plain_text(part)
    if text is not None:
        return {"type": "text", "text": text}
    file_data = data_url(part.media_type, part.data or "")
    return {"type": "file", "file": {"filename": part.filename or "document", "file_data": file_data}}


def _tool(tool: Tool) -> dict[str, Any]:
    members = {"description": tool.description, "parameters": tool.parameters, "strict": tool.is_strict}
    function = {"name": tool.name, **{name: value for name, value in members.items() if value is not None}}
    return {"type": "function", "function": function}


def _tool_choice(conversation: Conversation) -> str | dict[str, Any] | None:
    choice = conversation.tool_choice
    if choice is None or not conversation.tools:
        return None
    return {"type": "function", "function": {"name": choice.name}} if choice.mode == "tool" else choice.mode


def _response_format(conversation: Conversation) -> dict[str, Any] | None:
    wanted = conversation.output_format
    if wanted is None or wanted.kind == "json_object":
        return None if wanted is None else {"type": "json_object"}
    return {"type": "json_schema", "json_schema": schema_members(wanted)}
