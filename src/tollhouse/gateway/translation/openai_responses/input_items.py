"""The items of a Responses request's ``input``."""

from collections.abc import Iterable
from typing import Final, cast

from tollhouse.gateway.translation.body_object import BodyObject
from tollhouse.gateway.translation.conversation import (
    Document,
    Image,
    Part,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolResult,
    ToolUse,
    Turn,
)
from tollhouse.gateway.translation.free_text import to_arguments
from tollhouse.gateway.translation.inline_files import read_document, read_image
from tollhouse.gateway.translation.json_text import decode
from tollhouse.gateway.translation.openai_responses.sealed import unseal
from tollhouse.gateway.translation.openai_wishes import joined_name
from tollhouse.gateway.translation.turns import add_parts

_ROLES: Final[dict[str, Role]] = {"developer": "system", "system": "system", "user": "user", "assistant": "assistant"}


class InputItems:
    """Adds items to ``turns``; ``tools`` tell which calls have free text for arguments."""

    __slots__ = ("_free_text", "_turns")

    def __init__(self, turns: list[Turn], tools: Iterable[Tool]) -> None:
        self._turns = turns
        self._free_text = {tool.name for tool in tools if tool.is_free_text}

    def add(self, items: Iterable[BodyObject]) -> None:
        """Add items in their order. Raises UntranslatableError."""
        for item in items:
            kind = item.kind() if item.has("type") else "message"
            if kind == "message":
                self._add_message(item)
            elif kind == "reasoning":
                add_parts(self._turns, "assistant", [_reasoning(item)])
            elif kind in ("function_call", "custom_tool_call"):
                add_parts(self._turns, "assistant", [self._tool_use(item, is_custom=kind == "custom_tool_call")])
            elif kind in ("function_call_output", "custom_tool_call_output"):
                result = ToolResult(call_id=item.needed_text("call_id"), content=_content(item, "output"))
                add_parts(self._turns, "user", [result])

    def _add_message(self, item: BodyObject) -> None:
        role = _ROLES[cast(str, item.kind("role"))]
        parts: list[Part] = [*_content(item, "content")]
        add_parts(self._turns, role, parts)

    def _tool_use(self, item: BodyObject, *, is_custom: bool) -> ToolUse:
        name = joined_name(item.text("namespace"), item.needed_text("name"))
        if is_custom:
            arguments = to_arguments(item.text("input") or "")
        else:
            arguments = item.text("arguments") or ""
            # Cursor is given custom calls as functions, and sends their plain text back so.
            if name in self._free_text and not isinstance(decode(arguments), dict):
                arguments = to_arguments(arguments)
        return ToolUse(call_id=item.needed_text("call_id"), name=name, arguments=arguments)


def _reasoning(item: BodyObject) -> Reasoning:
    content = [*item.children("summary"), *item.children("content")]
    text = "".join(part.text("text") or "" for part in content)
    sealed = item.text("encrypted_content")
    if sealed is None:
        return Reasoning(wire="openai_responses", text=text)
    wire, signature = unseal(sealed)
    return Reasoning(wire=wire, text=text, signature=signature)


def _content(item: BodyObject, name: str) -> list[Text | Image | Document]:
    content = item.get(name)
    if isinstance(content, str):
        return [Text(content)] if content else []
    return [_part(part) for part in item.children(name)]


def _part(part: BodyObject) -> Text | Image | Document:
    kind = part.kind()
    if kind == "input_image":
        return read_image(part.needed_text("image_url"), part.text("detail"), part.place("image_url"))
    if kind == "input_file":
        url, filename = part.text("file_url"), part.text("filename")
        if url is not None:
            return Document(url=url, filename=filename)
        return read_document(part.needed_text("file_data"), filename, part.place("file_data"))
    return Text(part.needed_text("refusal" if kind == "refusal" else "text"))
