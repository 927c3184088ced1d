"""Reading the content blocks of a Messages request."""

from typing import Final

from tollhouse.gateway.translation.body_object import BodyObject
from tollhouse.gateway.translation.conversation import Document, Image, Part, Reasoning, Text, ToolResult, ToolUse
from tollhouse.gateway.translation.json_text import encode

# Marks the signature of reasoning that came sealed as a whole: its block has another type.
REDACTED: Final = "redacted_thinking:"


def read_parts(holder: BodyObject, name: str) -> list[Part]:
    """The parts of a member that is a string or an array of blocks. Raises UntranslatableError."""
    if isinstance(holder.get(name), str):
        return [Text(holder.needed_text(name))]
    return [part for part in map(_part, holder.children(name)) if part is not None]


def _part(block: BodyObject) -> Part | None:
    kind = block.kind()
    match kind:
        case "thinking":
            signature = block.text("signature")
            return Reasoning(wire="anthropic_messages", text=block.needed_text("thinking"), signature=signature or None)
        case "redacted_thinking":
            return Reasoning(wire="anthropic_messages", signature=REDACTED + block.needed_text("data"))
        case "tool_use":
            arguments = encode(block.raw_object("input") or {}).decode()
            return ToolUse(call_id=block.needed_text("id"), name=block.needed_text("name"), arguments=arguments)
        case "tool_result":
            return ToolResult(
                call_id=block.needed_text("tool_use_id"),
                content=_result(block),
                is_error=block.flag("is_error") or False,
            )
        case _:
            return _content(block, kind)


def _result(block: BodyObject) -> list[Text | Image | Document]:
    if isinstance(block.get("content"), str):
        return [Text(block.needed_text("content"))]
    return [part for item in block.children("content") if (part := _content(item, item.kind())) is not None]


def _content(block: BodyObject, kind: str | None) -> Text | Image | Document | None:
    match kind:
        case "text":
            return Text(block.needed_text("text"))
        case "image":
            return _image(block.needed_child("source"))
        case "document":
            return _document(block.needed_child("source"), block.text("title"))
        case "search_result":
            texts = [item.needed_text("text") for item in block.children("content") if item.kind() is not None]
            return Text("\n".join([block.needed_text("title"), block.needed_text("source"), *texts]))
        case "tool_reference":
            return Text(f"The tool {block.needed_text('tool_name')} can be called.")
        case _:
            return None


def _image(source: BodyObject) -> Image:
    match source.kind():
        case "url":
            return Image(url=source.needed_text("url"))
        case "base64":
            return Image(media_type=source.needed_text("media_type"), data=source.needed_text("data"))
        case kind:
            raise source.refuse("type", f"an image has no source of type {kind}")


def _document(source: BodyObject, title: str | None) -> Document | Text:
    match source.kind():
        case "url":
            return Document(url=source.needed_text("url"), filename=title)
        case "text":
            text = source.needed_text("data")
            return Text(f"{title}\n{text}" if title else text)
        case _:
            return Document(
                media_type=source.needed_text("media_type"), data=source.needed_text("data"), filename=title
            )
