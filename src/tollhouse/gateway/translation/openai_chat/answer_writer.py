"""An answer as Chat Completions writes it: chunks of a stream, or one body."""

from collections.abc import Iterator, Mapping, Sequence
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
from tollhouse.gateway.translation.openai_chat.reasoning_details import DetailsWriter
from tollhouse.gateway.translation.openai_chat.tool_calls import ToolCallsWriter
from tollhouse.gateway.translation.openai_chat.usage import write_usage
from tollhouse.gateway.translation.openai_failures import INCOMPLETE, error_object

_STOPS: Final[Mapping[StopReason, str]] = {
    "length": "length",
    "context_exceeded": "length",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
}
_TEXTS: Final = ("content", "refusal", "reasoning_content")
_Delta = dict[str, Any]


class ChatAnswerWriter:
    """Writes one answer. After a Failed nothing more is written than that."""

    __slots__ = (
        "_body",
        "_details",
        "_failed",
        "_finished",
        "_head",
        "_is_started",
        "_message",
        "_tools",
        "_usage",
        "_wants_usage",
    )

    def __init__(self, conversation: Conversation, answer_id: str, created: int) -> None:
        self._head: _Delta = {"id": f"chatcmpl-{answer_id}", "created": created, "model": conversation.model}
        self._wants_usage = conversation.includes_usage
        self._tools = ToolCallsWriter(conversation)
        self._details = DetailsWriter()
        self._message: dict[str, list[Any]] = {}
        self._is_started = False
        self._usage = TokenUsage()
        self._finished: Finished | None = None
        self._failed: Failed | None = None

    def write(self, events: Sequence[AnswerEvent]) -> list[bytes]:
        """The chunks that the events make possible."""
        chunks: list[bytes] = []
        for event in events:
            if self._failed is None:
                chunks += [self._chunk(delta) for delta in self._deltas(event)]
        return chunks

    def finish(self) -> list[bytes]:
        """What is left of the answer and its end, or the error event."""
        failed = self._failure()
        if failed is not None:
            return [_event({"error": error_object(failed)})]
        chunks = [self._chunk(delta) for delta in self._rest()]
        chunks.append(self._chunk({}, finish_reason=self._finish_reason()))
        if self._wants_usage:
            chunks.append(_event({**self._chunk_head(), "choices": [], "usage": write_usage(self._usage)}))
        return [*chunks, b"data: [DONE]\n\n"]

    def body(self) -> bytes:
        """The unary body, or the error's."""
        failed = self._failure()
        if failed is not None:
            return encode({"error": error_object(failed)})
        choice = {
            "index": 0,
            "message": self._whole_message(),
            "logprobs": None,
            "finish_reason": self._finish_reason(),
        }
        head = {**self._head, "object": "chat.completion"}
        return encode({**head, "choices": [choice], "usage": write_usage(self._usage)})

    def _failure(self) -> Failed | None:
        return self._failed or (INCOMPLETE if self._finished is None else None)

    def _deltas(self, event: AnswerEvent) -> Iterator[_Delta]:
        for delta in self._own_deltas(event):
            if not self._is_started:
                self._is_started = True
                yield {"role": "assistant", "content": "", "refusal": None}
            if delta:
                self._keep(delta)
                yield delta

    def _own_deltas(self, event: AnswerEvent) -> Iterator[_Delta]:
        match event:
            case Started():
                self._head["model"] = event.model or self._head["model"]
                yield {}
            case TextDelta():
                yield {"content": event.text}
            case RefusalDelta():
                yield {"refusal": event.text}
            case ReasoningDelta():
                yield self._details.take(event)
            case ToolUseStarted():
                yield from self._tools.start(event)
            case ToolUseDelta():
                yield from self._tools.grow(event)
            case TokenUsage():
                self._usage = event
            case Finished():
                self._finished = event
            case Failed():
                self._failed = event

    def _rest(self) -> Iterator[_Delta]:
        """The role where nothing has come, and tool calls that could only be written whole."""
        if not self._is_started:
            self._is_started = True
            yield {"role": "assistant", "content": "", "refusal": None}
        yield from self._tools.close()

    def _keep(self, delta: _Delta) -> None:
        for name, value in delta.items():
            kept = self._message.setdefault(name, [])
            if isinstance(value, list):
                kept.extend(value)
            else:
                kept.append(value)

    def _whole_message(self) -> _Delta:
        texts = {name: "".join(self._message.get(name, ())) or None for name in _TEXTS}
        message = {"role": "assistant", "content": texts["content"], "refusal": texts["refusal"], "annotations": []}
        if texts["reasoning_content"] is not None:
            message["reasoning_content"] = texts["reasoning_content"]
        if "reasoning_details" in self._message:
            message["reasoning_details"] = self._message["reasoning_details"]
        calls = self._tools.whole()
        return {**message, "tool_calls": calls} if calls else message

    def _finish_reason(self) -> str:
        reason: StopReason = "stop" if self._finished is None else self._finished.reason
        if reason == "refusal":
            return "stop" if "refusal" in self._message else "content_filter"
        if reason == "stop" and self._tools.whole():
            return "tool_calls"
        return _STOPS.get(reason, "stop")

    def _chunk_head(self) -> _Delta:
        return {**self._head, "object": "chat.completion.chunk"}

    def _chunk(self, delta: _Delta, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        usage = {"usage": None} if self._wants_usage else {}
        return _event({**self._chunk_head(), "choices": [choice], **usage})


def _event(document: _Delta) -> bytes:
    return b"data: %b\n\n" % encode(document)
