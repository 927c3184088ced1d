"""A Responses answer, whole or as a stream, as events. What a provider sends never makes it raise."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.translation.answer import (
    AnswerEvent,
    Failed,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Started,
    StopReason,
    TextDelta,
    ToolUseDelta,
    ToolUseStarted,
)
from tollhouse.gateway.translation.json_text import decode
from tollhouse.gateway.translation.openai_failures import read_error_object
from tollhouse.gateway.translation.openai_responses.usage import read_usage
from tollhouse.gateway.translation.provider_failures import skipped_event, unreadable_answer
from tollhouse.gateway.translation.provider_json import count, member, members, text

_LONGEST_COMMENT: Final = 4_096
_PARAGRAPH: Final = "\n\n"


class _Item:
    """What has been told of one output item: its text, its signature, its call."""

    __slots__ = ("call_index", "has_arguments", "has_signature", "has_text")

    def __init__(self) -> None:
        self.call_index: int | None = None
        self.has_text = self.has_signature = self.has_arguments = False


_Handler = Callable[[Any, dict[str, Any]], Iterator[AnswerEvent]]


class ResponsesAnswerReader:
    """Reads one answer. What no delta told, as some servers send none, is read from the item or response at its end."""

    __slots__ = ("_calls", "_has_refused", "_is_done", "_is_started", "_items")

    def __init__(self) -> None:
        self._items: dict[int, _Item] = {}
        self._calls = 0
        self._is_started = self._is_done = self._has_refused = False

    def read(self, frame: Frame) -> list[AnswerEvent]:
        """What one event of the stream says."""
        if frame.data is None:
            return [skipped_event(len(frame.raw))] if len(frame.raw) > _LONGEST_COMMENT else []
        if frame.data.strip() == b"[DONE]":
            return []
        event = decode(frame.data)
        if not isinstance(event, dict):
            return [unreadable_answer(frame.data)]
        handler = self._HANDLERS.get(text(event, "type"))
        if handler is None:
            return [] if event.get("error") is None else [read_error_object(event["error"])]
        return list(handler(self, event))

    def read_body(self, body: bytes) -> list[AnswerEvent]:
        """All that a unary body says."""
        response = decode(body)
        if not isinstance(response, dict) or not response.keys() & {"output", "error", "status"}:
            return [unreadable_answer(body)]
        return [*self._start({"response": response}), *self._end({"response": response})]

    def _start(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        if self._is_started:
            return
        self._is_started = True
        response = member(event, "response")
        response_id, model = text(response, "id") or None, text(response, "model") or None
        yield Started(response_id=response_id, model=model, created=count(response, "created_at") or None)

    def _item(self, event: dict[str, Any]) -> _Item:
        return self._items.setdefault(count(event, "output_index"), _Item())

    def _add_item(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        known, item = self._item(event), member(event, "item")
        if text(item, "type") == "function_call":
            yield from self._start_call(known, item)

    def _start_call(self, known: _Item, item: dict[str, Any]) -> Iterator[AnswerEvent]:
        if known.call_index is not None:
            return
        known.call_index = self._calls
        self._calls += 1
        call_id = text(item, "call_id") or text(item, "id") or f"call_{secrets.token_hex(12)}"
        yield ToolUseStarted(index=known.call_index, call_id=call_id, name=text(item, "name"))

    def _text(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        self._item(event).has_text = True
        yield TextDelta(text(event, "delta"))

    def _refusal(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        self._item(event).has_text = self._has_refused = True
        yield RefusalDelta(text(event, "delta"))

    def _paragraph(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        if self._item(event).has_text:
            yield ReasoningDelta(wire="openai_responses", text=_PARAGRAPH)

    def _reasoning(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        self._item(event).has_text = True
        yield ReasoningDelta(wire="openai_responses", text=text(event, "delta"))

    def _arguments(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        known = self._item(event)
        yield from self._start_call(known, {"id": text(event, "item_id")})
        known.has_arguments = True
        if known.call_index is not None:
            yield ToolUseDelta(known.call_index, text(event, "delta"))

    def _end_item(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        """Tell what an item holds beyond what was told of it."""
        known, item = self._item(event), member(event, "item")
        kind = text(item, "type")
        if kind == "message" and not known.has_text:
            known.has_text = True
            yield from self._whole_text(item)
        elif kind == "reasoning":
            yield from self._whole_reasoning(known, item)
        elif kind == "function_call":
            yield from self._start_call(known, item)
            arguments = text(item, "arguments")
            if arguments and not known.has_arguments and known.call_index is not None:
                known.has_arguments = True
                yield ToolUseDelta(known.call_index, arguments)

    def _whole_text(self, item: dict[str, Any]) -> Iterator[AnswerEvent]:
        for part in members(item, "content"):
            if text(part, "refusal"):
                self._has_refused = True
                yield RefusalDelta(text(part, "refusal"))
            elif text(part, "text"):
                yield TextDelta(text(part, "text"))

    def _whole_reasoning(self, known: _Item, item: dict[str, Any]) -> Iterator[AnswerEvent]:
        parts = members(item, "summary") or members(item, "content")
        told = "" if known.has_text else _PARAGRAPH.join(text(part, "text") for part in parts)
        signature = "" if known.has_signature else text(item, "encrypted_content")
        known.has_text = known.has_text or bool(told)
        known.has_signature = known.has_signature or bool(signature)
        if told or signature:
            yield ReasoningDelta(wire="openai_responses", text=told, signature=signature or None)

    def _end(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        if self._is_done:
            return
        self._is_done = True
        response = member(event, "response")
        for index, item in enumerate(members(response, "output")):
            yield from self._end_item({"output_index": index, "item": item})
        usage = member(response, "usage")
        if usage:
            yield read_usage(usage)
        yield self._last(response)

    def _last(self, response: dict[str, Any]) -> Finished | Failed:
        status = text(response, "status")
        if response.get("error") is not None:
            return read_error_object(response["error"])
        if status in ("failed", "cancelled", "queued", "in_progress"):
            return Failed(status=502, code=status, message=f"The provider's response is {status}.")
        if status == "incomplete":
            reason = text(member(response, "incomplete_details"), "reason")
            return Finished(reason="content_filter" if reason == "content_filter" else "length")
        return Finished(reason=self._stop_reason())

    def _stop_reason(self) -> StopReason:
        if self._calls:
            return "tool_use"
        return "refusal" if self._has_refused else "stop"

    def _error(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        inner = event.get("error")
        yield read_error_object({name: event.get(name) for name in ("code", "message")} if inner is None else inner)

    _HANDLERS: ClassVar[Mapping[str, _Handler]] = {
        "response.created": _start,
        "response.in_progress": _start,
        "response.output_item.added": _add_item,
        "response.output_item.done": _end_item,
        "response.output_text.delta": _text,
        "response.refusal.delta": _refusal,
        "response.reasoning_summary_part.added": _paragraph,
        "response.reasoning_summary_text.delta": _reasoning,
        "response.reasoning_text.delta": _reasoning,
        "response.function_call_arguments.delta": _arguments,
        "response.completed": _end,
        "response.incomplete": _end,
        "response.failed": _end,
        "response.cancelled": _end,
        "error": _error,
    }
