"""What both of OpenAI's protocols say of tools to be called, of reasoning and of stops."""

from typing import Final, cast, get_args

import msgspec

from tollhouse.gateway.translation.body_object import BodyObject
from tollhouse.gateway.translation.conversation import Effort, ReasoningWish, Tool, ToolChoice

_EFFORTS: Final = get_args(Effort)


class Choice(msgspec.Struct, frozen=True):
    """A choice among the tools; ``names`` where only some of them are allowed."""

    choice: ToolChoice | None = None
    names: frozenset[str] | None = None


def joined_name(namespace: str | None, name: str) -> str:
    """A tool's name with its namespace before it (``mcp__lake`` and ``add``: ``mcp__lake__add``)."""
    return name if not namespace else f"{namespace.removesuffix('__')}__{name}"


def read_choice(root: BodyObject, kind: str | None = None, inner: BodyObject | None = None) -> Choice:
    """``tool_choice`` as a word, or as an object of ``kind`` whose content is ``inner``."""
    if inner is None:
        return Choice(_mode(root, "tool_choice"))
    if kind == "allowed_tools":
        names = frozenset(_name(tool) for tool in inner.children("tools"))
        return Choice(_mode(inner, "mode"), names)
    return Choice(ToolChoice("tool", _name(inner)))


def allowed(tools: list[Tool], choice: Choice) -> list[Tool]:
    """The tools that the choice allows."""
    return tools if choice.names is None else [tool for tool in tools if tool.name in choice.names]


def _mode(holder: BodyObject, name: str) -> ToolChoice:
    word = holder.needed_text(name)
    if word == "auto":
        return ToolChoice("auto")
    if word == "none":
        return ToolChoice("none")
    if word == "required":
        return ToolChoice("required")
    raise holder.refuse(name, f"expected auto, none or required, found {word[:64]!r}")


def _name(tool: BodyObject) -> str:
    inner = tool.child("function") or tool.child("custom") or tool
    return joined_name(inner.text("namespace"), inner.needed_text("name"))


def read_wish(holder: BodyObject, name: str, *, is_shown: bool | None) -> ReasoningWish | None:
    """How much to reason, by an effort word."""
    word = holder.text(name)
    if word is not None and word not in _EFFORTS:
        raise holder.refuse(name, f"expected one of {', '.join(_EFFORTS)}, found {word[:64]!r}")
    if word is None and is_shown is None:
        return None
    return ReasoningWish(effort=cast(Effort | None, word), is_shown=is_shown)


def stop_texts(root: BodyObject) -> list[str]:
    """``stop``: one text or several."""
    stop = root.get("stop")
    return [stop] if isinstance(stop, str) else root.texts("stop")
