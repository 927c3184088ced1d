"""An answer as Responses writes it: the events of a stream, or one body."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from tollhouse.gateway.translation.answer import (
    AnswerEvent,
    Failed,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Started,
    StopReason,
    TextDelta,
    TokenUsage,
    ToolUseDelta,
    ToolUseStarted,
)
from tollhouse.gateway.translation.conversation import Conversation
from tollhouse.gateway.translation.json_text import encode
from tollhouse.gateway.translation.openai_failures import INCOMPLETE, error_object
from tollhouse.gateway.translation.openai_responses.output_items import (
    CallItem,
    Event,
    MessageItem,
    OutputItem,
    ReasoningItem,
)
from tollhouse.gateway.translation.openai_responses.response_object import failure_members, response_object
from tollhouse.gateway.translation.openai_responses.usage import write_usage

_INCOMPLETE_REASONS: Final[Mapping[StopReason, str]] = {
    "length": "max_output_tokens",
    "context_exceeded": "max_output_tokens",
    "content_filter": "content_filter",
}


class ResponsesAnswerWriter:
    """Writes one answer. Messages and reasoning end where something else begins, tool calls with the answer."""

    __slots__ = (
        "_answer_id",
        "_calls",
        "_current",
        "_failed",
        "_finished",
        "_has_refused",
        "_is_started",
        "_items",
        "_response",
        "_sequence",
        "_tools",
        "_usage",
    )

    def __init__(self, conversation: Conversation, answer_id: str, created: int) -> None:
        self._answer_id = answer_id
        self._response = response_object(conversation, answer_id, created)
        self._tools = {tool.name: tool for tool in conversation.tools}
        self._items: list[OutputItem] = []
        self._calls: dict[int, CallItem] = {}
        self._current: MessageItem | ReasoningItem | None = None
        self._sequence = 0
        self._usage = TokenUsage()
        self._finished: Finished | None = None
        self._failed: Failed | None = None
        self._is_started = self._has_refused = False

    def write(self, events: Sequence[AnswerEvent]) -> list[bytes]:
        """The events that ``events`` make possible."""
        written: list[bytes] = []
        for event in events:
            if self._failed is None:
                written += self._encode(self._events(event))
        return written

    def finish(self) -> list[bytes]:
        """What is left of the answer and its end: ``response.completed``, ``.incomplete`` or ``.failed``."""
        written = self._encode([*self._begin(), *self._close_all()])
        response = self._whole()
        return written + self._encode([{"type": f"response.{response['status']}", "response": response}])

    def body(self) -> bytes:
        """The unary body, or the error's."""
        failed = self._failure()
        if failed is not None:
            return encode({"error": error_object(failed)})
        for _ in self._close_all():
            pass
        return encode(self._whole())

    def _failure(self) -> Failed | None:
        return self._failed or (INCOMPLETE if self._finished is None else None)

    def _encode(self, events: Iterable[Event]) -> list[bytes]:
        written: list[bytes] = []
        for event in events:
            numbered = {"type": event["type"], "sequence_number": self._sequence, **event}
            self._sequence += 1
            written.append(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode(numbered)))
        return written

    def _events(self, event: AnswerEvent) -> Iterator[Event]:
        match event:
            case Started():
                self._response["model"] = event.model or self._response["model"]
            case TokenUsage():
                self._usage = event
                return
            case Finished():
                self._finished = event
            case Failed():
                self._failed = event
                return
            case _:
                pass
        yield from self._begin()
        yield from self._close_all() if isinstance(event, Finished) else self._content(event)

    def _content(self, event: AnswerEvent) -> Iterator[Event]:
        match event:
            case TextDelta():
                yield from self._say(event.text, "output_text")
            case RefusalDelta():
                self._has_refused = True
                yield from self._say(event.text, "refusal")
            case ReasoningDelta():
                yield from self._reason(event)
            case ToolUseStarted():
                yield from self._call(event)
            case ToolUseDelta() if event.index in self._calls:
                yield from self._calls[event.index].grow(event.arguments)
            case _:
                pass

    def _begin(self) -> Iterator[Event]:
        if not self._is_started:
            self._is_started = True
            yield {"type": "response.created", "response": dict(self._response)}
            yield {"type": "response.in_progress", "response": dict(self._response)}

    def _say(self, text: str, kind: str) -> Iterator[Event]:
        message = self._current
        if not isinstance(message, MessageItem) or not message.is_open:
            yield from self._close_current()
            message = MessageItem(self._answer_id, len(self._items))
            yield from self._open(message)
        yield from message.grow(text, kind)

    def _reason(self, event: ReasoningDelta) -> Iterator[Event]:
        block = self._current
        if not isinstance(block, ReasoningItem) or not block.is_open:
            yield from self._close_current()
            block = ReasoningItem(self._answer_id, len(self._items))
            yield from self._open(block)
        yield from block.grow(event)

    def _call(self, event: ToolUseStarted) -> Iterator[Event]:
        if event.index in self._calls:
            return
        yield from self._close_current()
        call = CallItem(self._answer_id, len(self._items), event, self._tools.get(event.name))
        self._calls[event.index] = call
        self._items.append(call)
        yield from call.open()

    def _open(self, item: MessageItem | ReasoningItem) -> Iterator[Event]:
        self._current = item
        self._items.append(item)
        yield from item.open()

    def _close_current(self) -> Iterator[Event]:
        if self._current is not None:
            yield from self._current.close()
            self._current = None

    def _close_all(self) -> Iterator[Event]:
        for item in self._items:
            yield from item.close()

    def _whole(self) -> dict[str, Any]:
        response = {**self._response, "output": [item.whole() for item in self._items]}
        failed = self._failure()
        if failed is not None:
            return {**response, **failure_members(failed)}
        reason = self._incomplete_reason()
        usage = {"usage": write_usage(self._usage)}
        if reason is not None:
            return {**response, **usage, "status": "incomplete", "incomplete_details": {"reason": reason}}
        return {**response, **usage, "status": "completed"}

    def _incomplete_reason(self) -> str | None:
        reason: StopReason = "stop" if self._finished is None else self._finished.reason
        if reason == "refusal" and not self._has_refused:
            return "content_filter"
        return _INCOMPLETE_REASONS.get(reason)
