"""OpenAI's custom tools, whose input is free text: to others they are functions with one string, ``input``."""

from typing import Any, Final

from tollhouse.gateway.translation.conversation import Tool
from tollhouse.gateway.translation.json_text import decode, encode

_INPUT: Final = "input"
_PARAMETERS: Final = {
    "type": "object",
    "properties": {_INPUT: {"type": "string", "description": "The tool's whole input, as plain text."}},
    "required": [_INPUT],
    "additionalProperties": False,
}


def free_text_tool(name: str, description: str | None, grammar: Any, namespace: str | None = None) -> Tool:
    """The function that stands for a custom tool; its grammar cannot be enforced, so the description tells it."""
    definition, syntax = _grammar(grammar)
    if definition is not None:
        told = f"The input must follow this {syntax} grammar:\n{definition}"
        description = f"{description}\n\n{told}" if description else told
    return Tool(name=name, description=description, parameters=_PARAMETERS, namespace=namespace, is_free_text=True)


def _grammar(content: Any) -> tuple[str | None, str]:
    if not isinstance(content, dict):
        return None, ""
    inner = content.get("grammar")
    found = inner if isinstance(inner, dict) else content
    definition, syntax = found.get("definition"), found.get("syntax")
    return (definition if isinstance(definition, str) else None), (syntax if isinstance(syntax, str) else "given")


def to_arguments(text: str) -> str:
    """The function's arguments for a custom tool's input."""
    return encode({_INPUT: text}).decode()


def from_arguments(arguments: str) -> str:
    """A custom tool's input from the function's arguments; the arguments themselves where the model wrote others."""
    found = decode(arguments)
    if isinstance(found, dict) and isinstance(found.get(_INPUT), str):
        return found[_INPUT]
    return arguments
