"""Writing the parts of a generateContent request's contents."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tollhouse.gateway.translation.conversation import (
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from tollhouse.gateway.translation.fields import lose
from tollhouse.gateway.translation.gemini.gemini_models import has_levels, wants_signatures
from tollhouse.gateway.translation.json_text import decode_arguments

# Google's own word for a call that another model made, or whose signature the caller could not keep.
_NO_SIGNATURE: Final = "skip_thought_signature_validator"
_MEDIA_TYPES: Final[Mapping[str, str]] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
}


class PartWriter:
    """Writes the contents of one conversation for ``model``; what cannot be said is named in its losses."""

    __slots__ = ("_conversation", "_has_nested_media", "_wants_signatures")

    def __init__(self, conversation: Conversation, model: str) -> None:
        self._conversation = conversation
        self._has_nested_media = has_levels(model)
        self._wants_signatures = wants_signatures(model)

    def keeps(self, part: Part) -> bool:
        """Whether the part is written at all: an empty text is refused, and others' reasoning is of no use."""
        if isinstance(part, Text):
            return part.text != ""
        if isinstance(part, Reasoning) and part.wire != "gemini":
            lose(self._conversation, "gemini", "reasoning_block")
            return False
        return True

    def write(self, turn: Turn) -> dict[str, Any]:
        """One content. Raises UntranslatableError."""
        parts = [written for part in turn.parts for written in self._part(part)]
        if turn.role == "assistant":
            self._sign(parts, [part.signature for part in turn.parts if isinstance(part, Reasoning) and part.signature])
            return {"role": "model", "parts": parts}
        # Function responses come first; a picture that cannot be inside of one comes after all of them.
        parts.sort(key=lambda part: "functionResponse" not in part)
        return {"role": "user", "parts": parts}

    def _part(self, part: Part) -> Iterator[dict[str, Any]]:
        match part:
            case ToolUse():
                arguments = decode_arguments(part.arguments)
                if arguments is None:
                    arguments = {"raw_arguments": part.arguments}
                yield {"functionCall": {"id": part.call_id, "name": part.name, "args": arguments}}
            case ToolResult():
                yield from self._result(part)
            case Reasoning():
                if part.text:
                    yield {"text": part.text, "thought": True}
            case Text():
                yield {"text": part.text}
            case _:
                yield self._media(part)

    def _result(self, part: ToolResult) -> Iterator[dict[str, Any]]:
        text = "\n".join(item.text for item in part.content if isinstance(item, Text))
        media = [self._media(item) for item in part.content if not isinstance(item, Text)]
        response: dict[str, Any] = {
            "id": part.call_id,
            "name": part.name,
            "response": {"error" if part.is_error else "output": text},
        }
        if media and self._has_nested_media:
            yield {"functionResponse": {**response, "parts": media}}
        else:
            yield {"functionResponse": response}
            yield from media

    def _media(self, part: Image | Document) -> dict[str, Any]:
        kind = "image" if isinstance(part, Image) else "document"
        if isinstance(part, Image) and part.detail not in (None, "auto"):
            self._lose("image.detail")
        if isinstance(part, Document) and part.filename:
            self._lose("document.filename")
        media_type = part.media_type
        if part.data is not None:
            if media_type is None:
                self._lose(f"{kind}.media_type")
            return {"inlineData": {"mimeType": media_type, "data": part.data}}
        url = part.url or ""
        if media_type is None:
            extension = url.partition("?")[0].rpartition(".")[2].lower()
            media_type = _MEDIA_TYPES.get(extension, "image/jpeg" if kind == "image" else "application/pdf")
        return {"fileData": {"mimeType": media_type, "fileUri": url}}

    def _sign(self, parts: list[dict[str, Any]], signatures: list[str]) -> None:
        """Put each signature where it came from: on the calls in order, and where there are none on the last text."""
        calls = [part for part in parts if "functionCall" in part]
        for part, signature in zip(calls, signatures, strict=False):
            part["thoughtSignature"] = signature
        if calls and not signatures and self._wants_signatures:
            calls[0]["thoughtSignature"] = _NO_SIGNATURE
        left = signatures[len(calls) :]
        if left:
            texts = [part for part in parts if "text" in part and "thought" not in part]
            if not texts:
                texts = [{"text": ""}]
                parts.append(texts[0])
            texts[-1]["thoughtSignature"] = left[-1]

    def _lose(self, name: str) -> None:
        lose(self._conversation, "gemini", name)
