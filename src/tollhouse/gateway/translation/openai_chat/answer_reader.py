"""A Chat Completions answer, whole or as a stream, as events. What a provider sends never makes it raise."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final

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
from tollhouse.gateway.translation.openai_chat.usage import read_usage
from tollhouse.gateway.translation.openai_failures import read_error_object
from tollhouse.gateway.translation.provider_failures import skipped_event, unreadable_answer
from tollhouse.gateway.translation.provider_json import count, member, members, text

_DONE: Final = b"[DONE]"
_LONGEST_COMMENT: Final = 4_096
_STOPS: Final[Mapping[str, StopReason]] = {
    "length": "length",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filter",
}


class _Call:
    """A tool call of the answer: its place among them, its provider's id, and arguments that came before its name."""

    __slots__ = ("early", "given_id", "index", "is_started")

    def __init__(self, index: int, given_id: str) -> None:
        self.index = index
        self.given_id = given_id
        self.is_started = False
        self.early = ""


class ChatAnswerReader:
    """Reads one answer. Servers differ in tool calls: indexes may lack or repeat, ids come late or on every delta."""

    __slots__ = ("_at", "_calls", "_has_choices", "_has_refused", "_is_finished", "_is_started")

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._at: dict[int, _Call] = {}
        self._is_started = self._is_finished = self._has_choices = self._has_refused = False

    def read(self, frame: Frame) -> list[AnswerEvent]:
        """What one event of the stream says."""
        if frame.data is None:
            return [skipped_event(len(frame.raw))] if len(frame.raw) > _LONGEST_COMMENT else []
        if frame.data.strip() == _DONE:
            return []
        return self._document(frame.data)

    def read_body(self, body: bytes) -> list[AnswerEvent]:
        """All that a unary body says; one without a finish reason has simply stopped."""
        events = self._document(body)
        if self._is_started and not self._has_choices:
            return [unreadable_answer(body)]
        if self._is_started and not self._is_finished and not isinstance(events[-1], Failed):
            events += self._finish("stop")
        return events

    def _document(self, data: bytes) -> list[AnswerEvent]:
        document = decode(data)
        if not isinstance(document, dict):
            return [unreadable_answer(data)]
        if document.get("error") is not None:
            return [read_error_object(document["error"])]
        return list(self._events(document))

    def _events(self, document: dict[str, Any]) -> Iterator[AnswerEvent]:
        if not self._is_started:
            self._is_started = True
            response_id, model = text(document, "id") or None, text(document, "model") or None
            yield Started(response_id=response_id, model=model, created=count(document, "created") or None)
        self._has_choices = self._has_choices or isinstance(document.get("choices"), list)
        for choice in members(document, "choices"):
            if count(choice, "index") == 0:
                yield from self._delta(member(choice, "delta") or member(choice, "message"))
                yield from self._finish(text(choice, "finish_reason"))
        usage = member(document, "usage")
        if usage:
            yield read_usage(usage)

    def _delta(self, delta: dict[str, Any]) -> Iterator[AnswerEvent]:
        reasoning = text(delta, "reasoning_content") or text(delta, "reasoning")
        if reasoning:
            yield ReasoningDelta(wire="openai_chat", text=reasoning)
        content = text(delta, "content") or "".join(text(part, "text") for part in members(delta, "content"))
        if content:
            yield TextDelta(content)
        refusal = text(delta, "refusal")
        if refusal:
            self._has_refused = True
            yield RefusalDelta(refusal)
        for position, call in enumerate(members(delta, "tool_calls")):
            yield from self._tool_call(call, position)

    def _tool_call(self, delta: dict[str, Any], position: int) -> Iterator[AnswerEvent]:
        call = self._call_of(delta, position)
        function = member(delta, "function")
        arguments = text(function, "arguments")
        if not call.is_started and text(function, "name"):
            yield from self._start(call, text(function, "name"))
        if call.is_started and arguments:
            yield ToolUseDelta(call.index, arguments)
        elif arguments:
            call.early += arguments

    def _call_of(self, delta: dict[str, Any], position: int) -> _Call:
        given_id, name = text(delta, "id"), text(member(delta, "function"), "name")
        index = delta.get("index")
        place = index if isinstance(index, int) else self._place(given_id, name, position)
        call = self._at.get(place)
        is_another = call is not None and given_id and call.given_id and given_id != call.given_id
        if call is None or is_another:
            call = _Call(len(self._calls), given_id)
            self._calls.append(call)
            self._at[place] = call
        call.given_id = call.given_id or given_id
        return call

    def _place(self, given_id: str, name: str, position: int) -> int:
        """The place of a delta without an index: its id's, a new one where it names a tool, else the last one's."""
        known = [place for place, call in self._at.items() if given_id and call.given_id == given_id]
        if known:
            return known[0]
        if given_id or name:
            return len(self._at)
        return max(len(self._at) - 1, position)

    def _start(self, call: _Call, name: str) -> Iterator[AnswerEvent]:
        call.is_started = True
        call_id = call.given_id or f"call_{secrets.token_hex(12)}"
        yield ToolUseStarted(index=call.index, call_id=call_id, name=name)
        if call.early:
            yield ToolUseDelta(call.index, call.early)

    def _finish(self, reason: str) -> Iterator[AnswerEvent]:
        if not reason or self._is_finished:
            return
        self._is_finished = True
        for call in self._calls:
            if not call.is_started:
                yield from self._start(call, "")
        yield Finished(reason=self._stop_reason(reason))

    def _stop_reason(self, reason: str) -> StopReason:
        if reason in _STOPS:
            return _STOPS[reason]
        if self._calls:
            return "tool_use"
        return "refusal" if self._has_refused else "stop"
