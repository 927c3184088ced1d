"""Reading a Messages request into the intermediate form."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from tollhouse.gateway.translation.anthropic_messages.block_reader import read_parts
from tollhouse.gateway.translation.body_object import BodyObject
from tollhouse.gateway.translation.conversation import (
    Conversation,
    OutputFormat,
    ReasoningWish,
    Text,
    Tool,
    ToolChoice,
    Turn,
)

# Claude Code's first system text, which tells Anthropic who is billed and changes with every release.
_BILLING_TEXT: Final = "x-anthropic-billing-header:"
_Effort = Literal["low", "medium", "high", "xhigh", "max"]
_EFFORTS: Final[Mapping[str, _Effort]] = {
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}


def read_request(body: dict[str, Any], model: str, *, is_stream: bool) -> Conversation:
    """The request in the intermediate form, its losses named. Raises UntranslatableError."""
    losses: list[str] = []
    request = BodyObject("anthropic_messages", body, "", losses)
    turns = [*_system(request), *(_turn(message) for message in request.children("messages"))]
    tool_choice, has_parallel_tools = _tool_choice(request.child("tool_choice"))
    return Conversation(
        caller="anthropic_messages",
        model=model,
        turns=turns,
        tools=[tool for tool in map(_tool, request.children("tools")) if tool is not None],
        tool_choice=tool_choice,
        has_parallel_tools=has_parallel_tools,
        max_output_tokens=_max_tokens(request),
        temperature=request.number("temperature"),
        top_p=request.number("top_p"),
        top_k=request.integer("top_k"),
        stop=request.texts("stop_sequences"),
        reasoning=_reasoning(request),
        output_format=_output_format(request),
        is_stream=is_stream,
        includes_usage=True,
        losses=losses,
    )


def _system(request: BodyObject) -> list[Turn]:
    if isinstance(request.get("system"), str):
        return [Turn("system", [Text(request.needed_text("system"))])]
    texts: list[Text] = []
    for block in request.children("system"):
        text = block.needed_text("text") if block.kind() else ""
        if text.startswith(_BILLING_TEXT):
            block.lose("text")
        else:
            texts.append(Text(text))
    return [Turn("system", [*texts])] if texts else []


def _turn(message: BodyObject) -> Turn:
    role = message.kind("role")
    parts = read_parts(message, "content")
    if role == "assistant":
        return Turn("assistant", parts)
    if role == "user":
        return Turn("user", parts)
    if not all(isinstance(part, Text) for part in parts):
        raise message.refuse("content", "only text is system text")
    return Turn("system", parts)


def _tool(tool: BodyObject) -> Tool | None:
    if tool.has("type") and tool.kind() is None:
        return None
    return Tool(
        name=tool.needed_text("name"),
        description=tool.text("description"),
        parameters=tool.raw_object("input_schema"),
        is_strict=tool.flag("strict"),
    )


def _tool_choice(choice: BodyObject | None) -> tuple[ToolChoice | None, bool | None]:
    if choice is None:
        return None, None
    has_parallel_tools = False if choice.flag("disable_parallel_tool_use") else None
    match choice.kind():
        case "any":
            return ToolChoice("required"), has_parallel_tools
        case "none":
            return ToolChoice("none"), has_parallel_tools
        case "tool":
            return ToolChoice("tool", choice.needed_text("name")), has_parallel_tools
        case _:
            return ToolChoice("auto"), has_parallel_tools


def _max_tokens(request: BodyObject) -> int | None:
    most = request.integer("max_tokens")
    if most is not None and most < 1:
        raise request.refuse("max_tokens", f"{most} asks for no answer, which other providers cannot give")
    return most


def _reasoning(request: BodyObject) -> ReasoningWish | None:
    config = request.child("output_config")
    effort = _effort(config) if config is not None else None
    thinking = request.child("thinking")
    if thinking is None:
        return ReasoningWish(effort=effort) if effort is not None else None
    is_shown = _is_shown(thinking)
    match thinking.needed_text("type"):
        case "disabled" | "between_tools":
            return ReasoningWish(effort="none")
        case "enabled":
            # Without a wish for its display, a budget has always shown the reasoning.
            budget = thinking.integer("budget_tokens")
            return ReasoningWish(effort=effort, budget_tokens=budget, is_shown=is_shown is not False)
        case "adaptive":
            return ReasoningWish(effort=effort, is_shown=is_shown)
        case kind:
            raise thinking.refuse("type", f"{kind[:64]!r} is no kind of thinking; enabled, adaptive and disabled are")


def _effort(config: BodyObject) -> _Effort | None:
    word = config.text("effort")
    if word is None:
        return None
    if word not in _EFFORTS:
        raise config.refuse("effort", f"{word[:64]!r} is no effort; {', '.join(_EFFORTS)} are")
    return _EFFORTS[word]


def _is_shown(thinking: BodyObject) -> bool | None:
    display = thinking.text("display")
    return None if display is None else display != "omitted"


def _output_format(request: BodyObject) -> OutputFormat | None:
    config = request.child("output_config")
    wanted = config.child("format") if config is not None else None
    wanted = wanted or request.child("output_format")
    if wanted is None:
        return None
    if wanted.kind() is None:
        return None
    return OutputFormat(kind="json_schema", schema=wanted.raw_object("schema"), is_strict=True)
