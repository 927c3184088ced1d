"""Reasoning in Chat Completions, which has no place for it: two members that many clients and servers know.

``reasoning_content`` is the text. ``reasoning_details`` holds the blocks with their signatures, which the provider that
made them wants back; a client that keeps the whole message for the next request sends them back.
"""

from typing import Any, Final, cast, get_args

from tollhouse.gateway.translation.answer import ReasoningDelta
from tollhouse.gateway.translation.body_object import BodyObject
from tollhouse.gateway.translation.conversation import Reasoning
from tollhouse.gateway.wires import GenerativeWire

_WIRES: Final = get_args(GenerativeWire)


def read_details(message: BodyObject) -> list[Reasoning]:
    """The reasoning blocks of an assistant's message."""
    blocks = [_block(detail) for detail in message.children("reasoning_details")]
    if blocks:
        return blocks
    text = message.text("reasoning_content")
    return [Reasoning(wire="openai_chat", text=text)] if text else []


def _block(detail: BodyObject) -> Reasoning:
    maker = detail.text("format")
    if maker not in _WIRES:
        return Reasoning(wire="openai_chat", text=detail.text("text") or "")
    wire = cast(GenerativeWire, maker)
    return Reasoning(wire=wire, text=detail.text("text") or "", signature=detail.text("signature"))


class DetailsWriter:
    """Collects one answer's reasoning; a block is done with its signature, and one without is only text."""

    __slots__ = ("_count", "_texts")

    def __init__(self) -> None:
        self._count = 0
        self._texts: list[str] = []

    def take(self, event: ReasoningDelta) -> dict[str, Any]:
        """The members of a message's delta that say the event."""
        delta: dict[str, Any] = {}
        if event.text:
            self._texts.append(event.text)
            delta["reasoning_content"] = event.text
        if event.signature is not None:
            delta["reasoning_details"] = [self._detail(event.wire, event.signature)]
            self._texts.clear()
        return delta

    def _detail(self, wire: GenerativeWire, signature: str) -> dict[str, Any]:
        detail = {"index": self._count, "type": "reasoning.text", "format": wire, "signature": signature}
        self._count += 1
        return {**detail, "text": "".join(self._texts)}
