"""Writing the content blocks of a Messages request."""

import base64
import binascii
import hashlib
import re
from typing import Any, Final

from tollhouse.gateway.translation.anthropic_messages.block_reader import REDACTED
from tollhouse.gateway.translation.conversation import (
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
)
from tollhouse.gateway.translation.fields import lose
from tollhouse.gateway.translation.json_text import decode_arguments

_CALL_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")


class BlockWriter:
    """Writes the blocks of one conversation; what Messages has no place for is named in its losses."""

    __slots__ = ("_conversation",)

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def keeps(self, part: Part) -> bool:
        """Whether the part is written at all: Messages refuses blank text, and cannot use others' reasoning."""
        if isinstance(part, Text):
            return bool(part.text.strip())
        if isinstance(part, Reasoning) and (part.wire != "anthropic_messages" or part.signature is None):
            self._lose("reasoning_block")
            return False
        return True

    def write(self, part: Part, role: str) -> dict[str, Any]:
        """One block. Raises UntranslatableError."""
        match part:
            case ToolUse():
                return self._tool_use(part)
            case ToolResult():
                return self._tool_result(part)
            case Reasoning():
                return _thinking(part)
            case _:
                if role == "assistant" and not isinstance(part, Text):
                    self._lose("assistant.file")
                return self._content(part)

    def _content(self, part: Text | Image | Document) -> dict[str, Any]:
        match part:
            case Text():
                return {"type": "text", "text": part.text}
            case Image():
                return self._image(part)
            case Document():
                return self._document(part)

    def _image(self, part: Image) -> dict[str, Any]:
        if part.detail not in (None, "auto"):
            self._lose("image.detail")
        if part.data is None:
            return {"type": "image", "source": {"type": "url", "url": part.url}}
        if part.media_type is None:
            self._lose("image.media_type")
        return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": part.data}}

    def _document(self, part: Document) -> dict[str, Any]:
        block: dict[str, Any] = {"type": "document"}
        if part.data is None:
            block["source"] = {"type": "url", "url": part.url}
        elif (part.media_type or "").startswith("text/"):
            block["source"] = {"type": "text", "media_type": "text/plain", "data": self._decoded(part.data)}
        else:
            if part.media_type != "application/pdf":
                self._lose("document.media_type")
            block["source"] = {"type": "base64", "media_type": part.media_type, "data": part.data}
        if part.filename:
            block["title"] = part.filename
        return block

    def _decoded(self, data: str) -> str:
        try:
            return base64.b64decode(data, validate=True).decode()
        except (binascii.Error, ValueError):
            self._lose("document.media_type")
            return ""

    def _tool_use(self, part: ToolUse) -> dict[str, Any]:
        arguments = decode_arguments(part.arguments)
        if arguments is None:
            # A model once wrote this; the next one is shown what it was, in the only form that is taken.
            arguments = {"raw_arguments": part.arguments}
        return {"type": "tool_use", "id": call_id(part.call_id), "name": part.name, "input": arguments}

    def _tool_result(self, part: ToolResult) -> dict[str, Any]:
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id(part.call_id)}
        content = [self._content(item) for item in part.content if self.keeps(item)]
        if content:
            block["content"] = content[0]["text"] if [*content[0]] == ["type", "text"] and not content[1:] else content
        if part.is_error and all(isinstance(item, Text) for item in part.content):
            block["is_error"] = True
        elif part.is_error:
            self._lose("tool_result.is_error")
        return block

    def _lose(self, name: str) -> None:
        lose(self._conversation, "anthropic_messages", name)


def call_id(given: str) -> str:
    """A call's id in the letters that Messages allows; another protocol's id with other letters gets one of its own."""
    if _CALL_ID.fullmatch(given):
        return given
    return f"toolu_{hashlib.sha256(given.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def _thinking(part: Reasoning) -> dict[str, Any]:
    signature = part.signature or ""
    if signature.startswith(REDACTED):
        return {"type": "redacted_thinking", "data": signature.removeprefix(REDACTED)}
    return {"type": "thinking", "thinking": part.text, "signature": signature}
