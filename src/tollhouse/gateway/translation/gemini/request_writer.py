"""Writing a generateContent request out of the intermediate form."""

from typing import Any, Final

from tollhouse.gateway.translation.alternation import alternate
from tollhouse.gateway.translation.conversation import Conversation, Tool, ToolChoice
from tollhouse.gateway.translation.fields import lose
from tollhouse.gateway.translation.gemini.part_writer import PartWriter
from tollhouse.gateway.translation.gemini.thinking_writer import thinking_config
from tollhouse.gateway.translation.json_text import encode_request

_WIRE: Final = "gemini"
_SEEDS: Final = range(-(2**31), 2**31)


def write_request(conversation: Conversation, model: str) -> bytes:
    """The request for ``model``; whether it is streamed is said by its URL. Appends to the conversation's losses.

    Raises UntranslatableError.
    """
    parts = PartWriter(conversation, model)
    system, turns = alternate(conversation, _WIRE, parts.keeps)
    request: dict[str, Any] = {"contents": [parts.write(turn) for turn in turns]}
    if system:
        request["systemInstruction"] = {"parts": [{"text": text.text} for text in system]}
    request.update(_tools(conversation))
    config = {**_limits(conversation), **thinking_config(conversation, model), **_output_format(conversation)}
    if config:
        request["generationConfig"] = config
    return encode_request(request)


def _limits(conversation: Conversation) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "maxOutputTokens": conversation.max_output_tokens,
        "temperature": conversation.temperature,
        "topP": conversation.top_p,
        "topK": conversation.top_k,
        "stopSequences": conversation.stop or None,
        "presencePenalty": conversation.presence_penalty,
        "frequencyPenalty": conversation.frequency_penalty,
        "seed": conversation.seed,
    }
    if conversation.seed is not None and conversation.seed not in _SEEDS:
        lose(conversation, _WIRE, "seed")
        fields["seed"] = None
    return {name: value for name, value in fields.items() if value is not None}


def _tools(conversation: Conversation) -> dict[str, Any]:
    if not conversation.tools:
        return {}
    if conversation.has_parallel_tools is False:
        lose(conversation, _WIRE, "has_parallel_tools")
    if any(tool.is_strict for tool in conversation.tools):
        lose(conversation, _WIRE, "tool.is_strict")
    fields: dict[str, Any] = {"tools": [{"functionDeclarations": [_tool(tool) for tool in conversation.tools]}]}
    if conversation.tool_choice is not None:
        fields["toolConfig"] = {"functionCallingConfig": _tool_choice(conversation.tool_choice)}
    return fields


def _tool(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": tool.name}
    if tool.description:
        written["description"] = tool.description
    if isinstance(tool.parameters, dict) and tool.parameters:
        # `parameters` takes OpenAPI's subset alone and answers 400 for any other keyword.
        written["parametersJsonSchema"] = _without_dialect(tool.parameters)
    return written


def _tool_choice(choice: ToolChoice) -> dict[str, Any]:
    match choice.mode:
        case "auto":
            return {"mode": "AUTO"}
        case "none":
            return {"mode": "NONE"}
        case "required":
            return {"mode": "ANY"}
        case "tool":
            return {"mode": "ANY", "allowedFunctionNames": [choice.name]}


def _output_format(conversation: Conversation) -> dict[str, Any]:
    wanted = conversation.output_format
    if wanted is None:
        return {}
    fields: dict[str, Any] = {"responseMimeType": "application/json"}
    if wanted.kind == "json_schema" and isinstance(wanted.schema, dict):
        fields["responseJsonSchema"] = _without_dialect(wanted.schema)
    return fields


def _without_dialect(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "$schema"}
