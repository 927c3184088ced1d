"""A Chat Completions request in the intermediate form."""

from collections.abc import Iterator
from typing import Any, Final

from tollhouse.gateway.translation.body_object import BodyObject
from tollhouse.gateway.translation.conversation import (
    Conversation,
    Document,
    Image,
    OutputFormat,
    Part,
    Text,
    Tool,
    ToolResult,
    ToolUse,
    Turn,
)
from tollhouse.gateway.translation.free_text import free_text_tool, to_arguments
from tollhouse.gateway.translation.inline_files import read_document, read_image
from tollhouse.gateway.translation.openai_chat.reasoning_details import read_details
from tollhouse.gateway.translation.openai_wishes import Choice, allowed, read_choice, read_wish, stop_texts
from tollhouse.gateway.translation.turns import add_parts, name_results
from tollhouse.gateway.wires import GenerativeWire

WIRE: Final[GenerativeWire] = "openai_chat"


def read_request(body: dict[str, Any], model: str, *, is_stream: bool) -> Conversation:
    """The conversation that a request body holds. Raises UntranslatableError."""
    losses: list[str] = []
    root = BodyObject(WIRE, body, "", losses)
    choice = _choice(root)
    options = root.child("stream_options")
    turns = _turns(root)
    limit = root.integer("max_completion_tokens")
    return Conversation(
        caller=WIRE,
        model=model,
        turns=turns,
        tools=allowed([_tool(tool) for tool in root.children("tools")], choice),
        tool_choice=choice.choice,
        has_parallel_tools=root.flag("parallel_tool_calls"),
        max_output_tokens=root.integer("max_tokens") if limit is None else limit,
        temperature=root.number("temperature"),
        top_p=root.number("top_p"),
        top_k=root.integer("top_k"),
        stop=stop_texts(root),
        seed=root.integer("seed"),
        presence_penalty=root.number("presence_penalty"),
        frequency_penalty=root.number("frequency_penalty"),
        reasoning=read_wish(root, "reasoning_effort", is_shown=None),
        output_format=_output_format(root),
        is_stream=is_stream,
        includes_usage=bool(options and options.flag("include_usage")),
        losses=losses,
    )


def _turns(root: BodyObject) -> list[Turn]:
    turns: list[Turn] = []
    for message in root.children("messages"):
        role = message.kind("role")
        if role in ("system", "developer"):
            add_parts(turns, "system", _content(message))
        elif role == "assistant":
            add_parts(turns, "assistant", _assistant(message))
        elif role == "tool":
            result = ToolResult(call_id=message.needed_text("tool_call_id"), content=_content(message))
            add_parts(turns, "user", [result])
        else:
            add_parts(turns, "user", _content(message))
    if not turns:
        raise root.refuse("messages", "holds nothing to send")
    name_results(turns)
    return turns


def _content(message: BodyObject) -> list[Text | Image | Document]:
    content = message.get("content")
    if isinstance(content, str):
        return [Text(content)] if content else []
    return [_part(part) for part in message.children("content")]


def _part(part: BodyObject) -> Text | Image | Document:
    kind = part.kind()
    if kind == "image_url":
        return _image(part)
    if kind == "file":
        file = part.needed_child("file")
        return read_document(file.needed_text("file_data"), file.text("filename"), file.place("file_data"))
    return Text(part.needed_text(kind or "text"))


def _image(part: BodyObject) -> Image:
    url = part.get("image_url")
    if isinstance(url, str):
        return read_image(url, None, part.place("image_url"))
    image = part.needed_child("image_url")
    return read_image(image.needed_text("url"), image.text("detail"), image.place("url"))


def _assistant(message: BodyObject) -> Iterator[Part]:
    yield from read_details(message)
    yield from _content(message)
    refusal = message.text("refusal")
    if refusal:
        yield Text(refusal)
    yield from (_tool_use(call) for call in message.children("tool_calls"))


def _tool_use(call: BodyObject) -> ToolUse:
    call_id = call.needed_text("id")
    kind = call.kind() if call.has("type") else "function"
    if kind == "custom":
        custom = call.needed_child("custom")
        arguments = to_arguments(custom.text("input") or "")
        return ToolUse(call_id=call_id, name=custom.needed_text("name"), arguments=arguments)
    function = call.needed_child("function")
    return ToolUse(call_id=call_id, name=function.needed_text("name"), arguments=function.text("arguments") or "")


def _tool(tool: BodyObject) -> Tool:
    kind = (tool.kind() if tool.has("type") else None) or "function"
    inner = tool.child(kind) or tool  # Cursor sends the flat tools of Responses among messages
    name, description = inner.needed_text("name"), inner.text("description")
    if kind == "custom":
        return free_text_tool(name, description, inner.get("format"))
    parameters = inner.raw_object("parameters")
    return Tool(name=name, description=description, parameters=parameters, is_strict=inner.flag("strict"))


def _choice(root: BodyObject) -> Choice:
    if isinstance(root.get("tool_choice"), str):
        return read_choice(root)
    choice = root.child("tool_choice")
    if choice is None:
        return Choice()
    kind = choice.kind()
    return read_choice(root, kind, choice.child(kind or "function") or choice)


def _output_format(root: BodyObject) -> OutputFormat | None:
    wanted = root.child("response_format")
    kind = wanted.kind() if wanted is not None else "text"
    if wanted is None or kind == "text":
        return None
    if kind == "json_object":
        return OutputFormat(kind="json_object")
    schema = wanted.needed_child("json_schema")
    return OutputFormat(
        kind="json_schema",
        name=schema.text("name"),
        schema=schema.raw_object("schema"),
        is_strict=schema.flag("strict"),
    )
