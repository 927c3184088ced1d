"""The items of an answer as Responses writes them: each makes its own events, without their sequence numbers."""

from collections.abc import Iterator
from typing import Any, Protocol

from tollhouse.gateway.translation.answer import ReasoningDelta, ToolUseStarted
from tollhouse.gateway.translation.conversation import Tool
from tollhouse.gateway.translation.free_text import from_arguments
from tollhouse.gateway.translation.openai_responses.sealed import seal
from tollhouse.gateway.translation.openai_wishes import joined_name

Event = dict[str, Any]


class OutputItem(Protocol):
    """One item of an answer's output."""

    def open(self) -> Iterator[Event]:
        """The events of its beginning."""
        ...

    def close(self) -> Iterator[Event]:
        """The events of its end; none where it has ended."""
        ...

    def whole(self) -> dict[str, Any]:
        """The item as it stands."""
        ...


class _Item:
    """What all items have in common: an id, a place in the output, and an end."""

    def __init__(self, prefix: str, answer_id: str, place: int) -> None:
        self.id = f"{prefix}_{answer_id}{place:04x}"
        self.place = place
        self.is_open = True

    def event(self, name: str, **members: Any) -> Event:
        """An event about a part of this item."""
        return {"type": f"response.{name}", "item_id": self.id, "output_index": self.place, **members}

    def item_event(self, name: str, item: dict[str, Any]) -> Event:
        """An event about this item."""
        return {"type": f"response.output_item.{name}", "output_index": self.place, "item": item}

    @property
    def status(self) -> str:
        """Whether more can come."""
        return "in_progress" if self.is_open else "completed"


class MessageItem(_Item):
    """Text and refusals: a content part for each run of one kind."""

    def __init__(self, answer_id: str, place: int) -> None:
        super().__init__("msg", answer_id, place)
        self._parts: list[tuple[str, list[str]]] = []

    def open(self) -> Iterator[Event]:
        """The events of its beginning."""
        yield self.item_event("added", self.whole())

    def grow(self, text: str, kind: str) -> Iterator[Event]:
        """More text; ``kind`` is ``output_text`` or ``refusal``."""
        if not self._parts or self._parts[-1][0] != kind:
            yield from self._close_part()
            self._parts.append((kind, []))
            yield self.event("content_part.added", content_index=len(self._parts) - 1, part=self._part(-1))
        self._parts[-1][1].append(text)
        more = {"logprobs": []} if kind == "output_text" else {}
        yield self.event(f"{kind}.delta", content_index=len(self._parts) - 1, delta=text, **more)

    def close(self) -> Iterator[Event]:
        """The events of its end; none where it has ended."""
        if self.is_open:
            yield from self._close_part()
            self.is_open = False
            yield self.item_event("done", self.whole())

    def whole(self) -> dict[str, Any]:
        """The item as it stands."""
        content = [self._part(place) for place in range(len(self._parts))]
        return {"id": self.id, "type": "message", "status": self.status, "role": "assistant", "content": content}

    def _close_part(self) -> Iterator[Event]:
        if not self._parts:
            return
        kind, pieces = self._parts[-1]
        place, text = len(self._parts) - 1, "".join(pieces)
        said = {"refusal": text} if kind == "refusal" else {"text": text, "logprobs": []}
        yield self.event(f"{kind}.done", content_index=place, **said)
        yield self.event("content_part.done", content_index=place, part=self._part(place))

    def _part(self, place: int) -> dict[str, Any]:
        kind, pieces = self._parts[place]
        text = "".join(pieces)
        if kind == "refusal":
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


class ReasoningItem(_Item):
    """A reasoning block: its text as a summary, its signature sealed with the maker's name."""

    def __init__(self, answer_id: str, place: int) -> None:
        super().__init__("rs", answer_id, place)
        self._pieces: list[str] = []
        self._sealed: str | None = None

    def open(self) -> Iterator[Event]:
        """The events of its beginning."""
        yield self.item_event("added", self.whole())

    def grow(self, delta: ReasoningDelta) -> Iterator[Event]:
        """More of the block; a signature ends it."""
        if delta.text:
            if not self._pieces:
                yield self.event("reasoning_summary_part.added", summary_index=0, part=_summary(""))
            self._pieces.append(delta.text)
            yield self.event("reasoning_summary_text.delta", summary_index=0, delta=delta.text)
        if delta.signature is not None:
            self._sealed = seal(delta.wire, delta.signature)
            yield from self.close()

    def close(self) -> Iterator[Event]:
        """The events of its end; none where it has ended."""
        if not self.is_open:
            return
        self.is_open = False
        text = "".join(self._pieces)
        if self._pieces:
            yield self.event("reasoning_summary_text.done", summary_index=0, text=text)
            yield self.event("reasoning_summary_part.done", summary_index=0, part=_summary(text))
        yield self.item_event("done", self.whole())

    def whole(self) -> dict[str, Any]:
        """The item as it stands."""
        summary = [_summary("".join(self._pieces))] if self._pieces else []
        return {"id": self.id, "type": "reasoning", "summary": summary, "encrypted_content": self._sealed}


def _summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}


class CallItem(_Item):
    """A call of a function, or of a custom tool, whose free text is known only at the end."""

    def __init__(self, answer_id: str, place: int, start: ToolUseStarted, tool: Tool | None) -> None:
        self._is_custom = tool is not None and tool.is_free_text
        super().__init__("ctc" if self._is_custom else "fc", answer_id, place)
        self._namespace = None if tool is None else tool.namespace
        self._name = start.name.removeprefix(joined_name(self._namespace, "") if self._namespace else "")
        self._call_id = start.call_id
        self._pieces: list[str] = []

    def open(self) -> Iterator[Event]:
        """The events of its beginning."""
        yield self.item_event("added", self._written(""))

    def grow(self, arguments: str) -> Iterator[Event]:
        """More of the arguments."""
        if not arguments or not self.is_open:
            return
        self._pieces.append(arguments)
        if not self._is_custom:
            yield self.event("function_call_arguments.delta", delta=arguments)

    def close(self) -> Iterator[Event]:
        """The events of its end; none where it has ended."""
        if not self.is_open:
            return
        self.is_open = False
        content = self._content()
        if self._is_custom:
            yield self.event("custom_tool_call_input.delta", delta=content)
            yield self.event("custom_tool_call_input.done", input=content)
        else:
            if not self._pieces:
                yield self.event("function_call_arguments.delta", delta=content)
            yield self.event("function_call_arguments.done", arguments=content)
        yield self.item_event("done", self.whole())

    def whole(self) -> dict[str, Any]:
        """The item as it stands."""
        return self._written(self._content())

    def _content(self) -> str:
        arguments = "".join(self._pieces)
        return from_arguments(arguments) if self._is_custom else arguments or "{}"

    def _written(self, content: str) -> dict[str, Any]:
        named = {"call_id": self._call_id, "name": self._name}
        if self._namespace is not None:
            named["namespace"] = self._namespace
        if self._is_custom:
            return {"id": self.id, "type": "custom_tool_call", "status": self.status, **named, "input": content}
        return {"id": self.id, "type": "function_call", "status": self.status, **named, "arguments": content}
