"""Reading the parts of a generateContent request's contents."""

from collections import deque
from typing import Any, Final
from urllib.parse import urlsplit

from tollhouse.gateway.translation.body_object import BodyObject
from tollhouse.gateway.translation.conversation import Document, Image, Part, Reasoning, Text, ToolResult, ToolUse
from tollhouse.gateway.translation.json_text import encode

_STORED_HOSTS: Final = ("generativelanguage.googleapis.com", "youtube.com", "www.youtube.com", "youtu.be")


class PartReader:
    """Reads the parts of one request. Calls without an id get one by their place, the same in every later request.

    A response belongs to the call with its id, or else to the oldest unanswered call of its name.
    """

    __slots__ = ("_unanswered",)

    def __init__(self) -> None:
        self._unanswered: dict[str, deque[str]] = {}

    def read(self, content: BodyObject, position: int) -> list[Part]:
        """The parts of the content at ``position``. Raises UntranslatableError."""
        return [
            found
            for number, part in enumerate(content.children("parts"))
            for found in self._part(part, f"call_{position}_{number}")
        ]

    def _part(self, part: BodyObject, call_id: str) -> list[Part]:
        signature = part.text("thoughtSignature")
        sealed: list[Part] = [Reasoning(wire="gemini", signature=signature)] if signature else []
        call, response = part.child("functionCall"), part.child("functionResponse")
        if call is not None:
            return [*sealed, self._call(call, call_id)]
        if response is not None:
            return [self._response(response, call_id)]
        if part.has("inlineData") or part.has("fileData"):
            return [_media(part), *sealed]
        if part.has("text"):
            text = part.needed_text("text")
            if part.flag("thought"):
                return [Reasoning(wire="gemini", text=text, signature=signature)]
            return [Text(text), *sealed]
        if not sealed:
            raise part.refuse("text", "the part holds no kind of content that is translated")
        return sealed

    def _call(self, call: BodyObject, call_id: str) -> ToolUse:
        name = call.needed_text("name")
        call_id = call.text("id") or call_id
        self._unanswered.setdefault(name, deque()).append(call_id)
        return ToolUse(call_id=call_id, name=name, arguments=encode(call.raw_object("args") or {}).decode())

    def _response(self, response: BodyObject, call_id: str) -> ToolResult:
        name = response.needed_text("name")
        waiting = self._unanswered.get(name, deque())
        given = response.text("id")
        if given in waiting:
            waiting.remove(given)
            call_id = given
        elif waiting:
            call_id = waiting.popleft()
        text, is_error = _result_text(response.raw_object("response") or {})
        return ToolResult(
            call_id=call_id,
            name=name,
            content=[*([Text(text)] if text else []), *map(_media, response.children("parts"))],
            is_error=is_error,
        )


def _result_text(response: dict[str, Any]) -> tuple[str, bool]:
    """Google's convention: ``output`` holds the result and ``error`` an error, else the whole object is the result."""
    if len(response) == 1:
        name, value = next(iter(response.items()))
        if name in ("output", "result", "error"):
            return value if isinstance(value, str) else encode(value).decode(), name == "error"
    return (encode(response).decode() if response else ""), False


def _media(part: BodyObject) -> Image | Document:
    inline = part.child("inlineData")
    if inline is not None:
        media_type, data = inline.needed_text("mimeType"), inline.needed_text("data")
        if _is_image(inline, media_type):
            return Image(media_type=media_type, data=data)
        return Document(media_type=media_type, data=data, filename=inline.text("displayName"))
    file = part.needed_child("fileData")
    url, media_type = _public_url(file), file.text("mimeType")
    if media_type is not None and _is_image(file, media_type):
        return Image(media_type=media_type, url=url)
    return Document(media_type=media_type, url=url, filename=file.text("displayName"))


def _is_image(holder: BodyObject, media_type: str) -> bool:
    kind = media_type.partition("/")[0].lower()
    if kind in ("audio", "video"):
        raise holder.refuse("mimeType", f"{kind} is not translated")
    return kind == "image"


def _public_url(file: BodyObject) -> str:
    url = file.needed_text("fileUri")
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    except ValueError:
        raise file.refuse("fileUri", "is no URL") from None
    if scheme not in ("http", "https") or host in _STORED_HOSTS:
        raise file.refuse("fileUri", "it names something stored at the provider, which another provider cannot read")
    return url
