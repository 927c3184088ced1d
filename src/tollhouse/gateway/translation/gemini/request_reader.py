"""Reading a generateContent request into the intermediate form."""

from collections.abc import Mapping
from typing import Any, Final, Literal

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
from tollhouse.gateway.translation.gemini.part_reader import PartReader
from tollhouse.gateway.translation.gemini.schemas import json_schema

_Effort = Literal["minimal", "low", "medium", "high", "xhigh"]
_LEVELS: Final[Mapping[str, _Effort | None]] = {
    "THINKING_LEVEL_UNSPECIFIED": None,
    "MINIMAL": "minimal",
    "LOW": "low",
    "MEDIUM": "medium",
    "HIGH": "high",
    "XHIGH": "xhigh",
}


def read_request(body: dict[str, Any], model: str, *, is_stream: bool) -> Conversation:
    """The request in the intermediate form, its losses named. Raises UntranslatableError."""
    losses: list[str] = []
    request = BodyObject("gemini", body, "", losses)
    config = request.child("generationConfig") or BodyObject("gemini", {}, "generationConfig", losses)
    tools = [tool for holder in request.children("tools") for tool in _tools(holder)]
    tool_choice, allowed = _tool_choice(request.child("toolConfig"))
    return Conversation(
        caller="gemini",
        model=model,
        turns=[*_system(request.child("systemInstruction")), *_turns(request)],
        tools=[tool for tool in tools if not allowed or tool.name in allowed],
        tool_choice=tool_choice,
        max_output_tokens=_max_tokens(config),
        temperature=config.number("temperature"),
        top_p=config.number("topP"),
        top_k=config.integer("topK"),
        stop=config.texts("stopSequences"),
        seed=config.integer("seed"),
        presence_penalty=config.number("presencePenalty"),
        frequency_penalty=config.number("frequencyPenalty"),
        reasoning=_reasoning(config.child("thinkingConfig")),
        output_format=_output_format(config),
        is_stream=is_stream,
        includes_usage=True,
        losses=losses,
    )


def _system(instruction: BodyObject | None) -> list[Turn]:
    if instruction is None:
        return []
    texts = [Text(part.needed_text("text")) for part in instruction.children("parts")]
    return [Turn("system", [*texts])] if texts else []


def _turns(request: BodyObject) -> list[Turn]:
    reader = PartReader()
    turns: list[Turn] = []
    for position, content in enumerate(request.children("contents")):
        role = content.kind("role") if content.has("role") else "user"
        turns.append(Turn("assistant" if role == "model" else "user", reader.read(content, position)))
    return turns


def _tools(holder: BodyObject) -> list[Tool]:
    for name in holder.names():
        # An empty object is how such a tool is asked for.
        if name != "functionDeclarations":
            raise holder.refuse(name, "a tool that the provider runs")
    return [_tool(function) for function in holder.children("functionDeclarations")]


def _tool(function: BodyObject) -> Tool:
    parameters = function.get("parametersJsonSchema")
    if parameters is None:
        parameters = json_schema(function.raw_object("parameters"), function.place("parameters"))
    return Tool(name=function.needed_text("name"), description=function.text("description"), parameters=parameters)


def _tool_choice(tool_config: BodyObject | None) -> tuple[ToolChoice | None, list[str]]:
    """The choice, and the names of the only tools that may be called; [] for all."""
    config = tool_config.child("functionCallingConfig") if tool_config is not None else None
    mode = config.kind("mode") if config is not None and config.has("mode") else None
    if config is None or mode is None:
        return None, []
    match mode:
        case "ANY":
            names = config.texts("allowedFunctionNames")
            return (ToolChoice("tool", names[0]) if len(names) == 1 else ToolChoice("required")), names
        case "NONE":
            return ToolChoice("none"), []
        case "AUTO":
            return ToolChoice("auto"), []
        case _:
            return None, []


def _max_tokens(config: BodyObject) -> int | None:
    most = config.integer("maxOutputTokens")
    if most is not None and most < 0:
        raise config.refuse("maxOutputTokens", f"{most} is no number of tokens")
    return most or None


def _reasoning(config: BodyObject | None) -> ReasoningWish | None:
    if config is None:
        return None
    is_shown, budget = config.flag("includeThoughts"), config.integer("thinkingBudget")
    level = config.text("thinkingLevel")
    if level is not None and level.upper() not in _LEVELS:
        raise config.refuse("thinkingLevel", f"{level[:64]!r} is no level; minimal, low, medium, high and xhigh are")
    effort = _LEVELS[level.upper()] if level is not None else None
    if budget == 0:
        return ReasoningWish(effort="none", is_shown=is_shown)
    if effort is None and budget is None and not is_shown:
        return None
    return ReasoningWish(effort=effort, budget_tokens=budget if budget and budget > 0 else None, is_shown=is_shown)


def _output_format(config: BodyObject) -> OutputFormat | None:
    media_type = config.text("responseMimeType")
    if media_type not in (None, "", "text/plain", "application/json"):
        raise config.refuse("responseMimeType", "only text/plain and application/json are translated")
    for name in ("responseJsonSchema", "_responseJsonSchema"):
        if config.has(name):
            return OutputFormat(kind="json_schema", schema=config.raw_object(name))
    if config.has("responseSchema"):
        schema = json_schema(config.raw_object("responseSchema"), config.place("responseSchema"))
        return OutputFormat(kind="json_schema", schema=schema)
    return OutputFormat(kind="json_object") if media_type == "application/json" else None
