"""A Responses request in the intermediate form."""

from collections.abc import Iterator
from typing import Any, Final

from tollhouse.gateway.translation.body_object import BodyObject
from tollhouse.gateway.translation.conversation import Conversation, OutputFormat, Text, Tool, Turn
from tollhouse.gateway.translation.free_text import free_text_tool
from tollhouse.gateway.translation.openai_responses.input_items import InputItems
from tollhouse.gateway.translation.openai_wishes import Choice, allowed, joined_name, read_choice, read_wish
from tollhouse.gateway.translation.turns import add_parts, name_results
from tollhouse.gateway.wires import GenerativeWire

WIRE: Final[GenerativeWire] = "openai_responses"


def read_request(body: dict[str, Any], model: str, *, is_stream: bool) -> Conversation:
    """The conversation that a request body holds. Raises UntranslatableError."""
    losses: list[str] = []
    root = BodyObject(WIRE, body, "", losses)
    items = [] if isinstance(root.get("input"), str) else root.children("input")
    tools = list(_tools(root, items))
    choice = _choice(root)
    options, text = root.child("stream_options"), root.child("text")
    reasoning = root.child("reasoning")
    return Conversation(
        caller=WIRE,
        model=model,
        turns=_turns(root, items, tools),
        tools=allowed(tools, choice),
        tool_choice=choice.choice,
        has_parallel_tools=root.flag("parallel_tool_calls"),
        max_output_tokens=root.integer("max_output_tokens"),
        temperature=root.number("temperature"),
        top_p=root.number("top_p"),
        reasoning=None if reasoning is None else read_wish(reasoning, "effort", is_shown=_is_shown(reasoning)),
        output_format=None if text is None else _output_format(text),
        is_stream=is_stream,
        includes_usage=bool(options and options.flag("include_usage")),
        losses=losses,
    )


def _turns(root: BodyObject, items: list[BodyObject], tools: list[Tool]) -> list[Turn]:
    turns: list[Turn] = []
    instructions = root.text("instructions")
    if instructions:
        add_parts(turns, "system", [Text(instructions)])
    given = root.get("input")
    if isinstance(given, str) and given:
        add_parts(turns, "user", [Text(given)])
    InputItems(turns, tools).add(items)
    if not turns:
        raise root.refuse("input", "holds nothing to send")
    name_results(turns)
    return turns


def _tools(root: BodyObject, items: list[BodyObject]) -> Iterator[Tool]:
    """The tools of the request, and those that Codex puts among the input."""
    holders = [root, *(item for item in items if item.get("type") == "additional_tools")]
    for holder in holders:
        for tool in holder.children("tools"):
            yield from _tool(tool, None)


def _tool(tool: BodyObject, namespace: str | None) -> Iterator[Tool]:
    kind = tool.kind()
    given = tool.needed_text("name")
    if kind == "namespace":
        for inner in tool.children("tools"):
            yield from _tool(inner, joined_name(namespace, given))
        return
    name, description = joined_name(namespace, given), tool.text("description")
    if kind == "custom":
        yield free_text_tool(name, description, tool.get("format"), namespace)
    else:
        yield Tool(
            name=name,
            description=description,
            parameters=tool.raw_object("parameters"),
            is_strict=tool.flag("strict"),
            namespace=namespace,
        )


def _choice(root: BodyObject) -> Choice:
    if isinstance(root.get("tool_choice"), str):
        return read_choice(root)
    choice = root.child("tool_choice")
    return Choice() if choice is None else read_choice(root, choice.kind(), choice)


def _is_shown(reasoning: BodyObject) -> bool | None:
    summary = reasoning.text("summary") or reasoning.text("generate_summary")
    return None if summary is None else True


def _output_format(text: BodyObject) -> OutputFormat | None:
    wanted = text.child("format")
    kind = wanted.kind() if wanted is not None else "text"
    if wanted is None or kind == "text":
        return None
    if kind == "json_object":
        return OutputFormat(kind="json_object")
    return OutputFormat(
        kind="json_schema",
        name=wanted.text("name"),
        schema=wanted.raw_object("schema"),
        is_strict=wanted.flag("strict"),
    )
