"""Writing a Messages request out of the intermediate form."""

from typing import Any, Final

from tollhouse.gateway.translation.alternation import alternate
from tollhouse.gateway.translation.anthropic_messages.block_writer import BlockWriter
from tollhouse.gateway.translation.anthropic_messages.claude_models import (
    takes_sampling,
    takes_top_p_beside_temperature,
)
from tollhouse.gateway.translation.anthropic_messages.thinking_writer import thinking_fields
from tollhouse.gateway.translation.conversation import Conversation, Tool, ToolChoice
from tollhouse.gateway.translation.fields import lose
from tollhouse.gateway.translation.json_text import encode_request

_WIRE: Final = "anthropic_messages"


def write_request(conversation: Conversation, model: str) -> bytes:
    """The request for ``model``, streamed or not as the conversation says; appends to its losses.

    Raises UntranslatableError.
    """
    blocks = BlockWriter(conversation)
    system, turns = alternate(conversation, _WIRE, blocks.keeps)
    request: dict[str, Any] = {"model": model}
    if system:
        request["system"] = [blocks.write(text, "system") for text in system]
    request["messages"] = [
        {"role": turn.role, "content": [blocks.write(part, turn.role) for part in turn.parts]} for turn in turns
    ]
    request.update(thinking_fields(conversation, turns, model))
    request.update(_sampling(conversation, model, request.get("thinking")))
    if conversation.stop:
        request["stop_sequences"] = conversation.stop
    request.update(_tools(conversation))
    _add_output_format(conversation, request)
    _lose_unknown(conversation)
    if conversation.is_stream:
        request["stream"] = True
    return encode_request(request)


def _sampling(conversation: Conversation, model: str, thinking: dict[str, Any] | None) -> dict[str, Any]:
    given = {
        name: value
        for name in ("temperature", "top_p", "top_k")
        if (value := getattr(conversation, name)) is not None
        and (name, value) not in (("temperature", 1), ("top_p", 1))
    }
    is_thinking = thinking is not None and thinking["type"] != "disabled"
    taken = given if takes_sampling(model) and not is_thinking else {}
    if "temperature" in taken and not takes_top_p_beside_temperature(model):
        taken = {name: value for name, value in taken.items() if name != "top_p"}
    if taken.get("temperature", 0) > 1:
        lose(conversation, _WIRE, "temperature")
        taken = {**taken, "temperature": 1}
    for name in given:
        if name not in taken:
            lose(conversation, _WIRE, name)
    return taken


def _lose_unknown(conversation: Conversation) -> None:
    if conversation.seed is not None:
        lose(conversation, _WIRE, "seed")
    if conversation.presence_penalty:
        lose(conversation, _WIRE, "presence_penalty")
    if conversation.frequency_penalty:
        lose(conversation, _WIRE, "frequency_penalty")


def _tools(conversation: Conversation) -> dict[str, Any]:
    if not conversation.tools:
        return {}
    fields: dict[str, Any] = {"tools": [_tool(tool) for tool in conversation.tools]}
    choice = conversation.tool_choice
    is_serial = conversation.has_parallel_tools is False
    if choice is not None or is_serial:
        fields["tool_choice"] = _tool_choice(choice or ToolChoice("auto"), is_serial=is_serial)
    return fields


def _tool(tool: Tool) -> dict[str, Any]:
    schema = tool.parameters if isinstance(tool.parameters, dict) else {}
    written: dict[str, Any] = {"name": tool.name, "input_schema": {"type": "object", **schema}}
    if tool.description:
        written["description"] = tool.description
    if tool.is_strict:
        written["strict"] = True
    return written


def _tool_choice(choice: ToolChoice, *, is_serial: bool) -> dict[str, Any]:
    match choice.mode:
        case "none":
            return {"type": "none"}
        case "tool":
            written: dict[str, Any] = {"type": "tool", "name": choice.name}
        case "required":
            written = {"type": "any"}
        case "auto":
            written = {"type": "auto"}
    if is_serial:
        written["disable_parallel_tool_use"] = True
    return written


def _add_output_format(conversation: Conversation, request: dict[str, Any]) -> None:
    wanted = conversation.output_format
    if wanted is None:
        return
    if wanted.kind == "json_object":
        lose(conversation, _WIRE, "output_format")
        return
    config = request.setdefault("output_config", {})
    config["format"] = {"type": "json_schema", "schema": wanted.schema}
