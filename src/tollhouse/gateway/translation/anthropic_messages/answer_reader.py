"""Reading an answer of Messages, whole or streamed."""

from collections.abc import Mapping
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
    TokenUsage,
    ToolUseDelta,
    ToolUseStarted,
)
from tollhouse.gateway.translation.anthropic_messages.block_reader import REDACTED
from tollhouse.gateway.translation.anthropic_messages.error_types import status_of
from tollhouse.gateway.translation.json_text import decode, encode
from tollhouse.gateway.translation.provider_failures import skipped_event, unreadable_answer, unreadable_error
from tollhouse.gateway.translation.provider_json import count, member, members, text

_WIRE: Final = "anthropic_messages"
_LONGEST_COMMENT: Final = 4_096
_REASONS: Final[Mapping[str, StopReason]] = {
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_exceeded",
}


class MessagesAnswerReader:
    """Reads one answer; usage is cumulative, so each event's figures replace the earlier ones."""

    __slots__ = ("_empty_tools", "_tools", "_usage")

    def __init__(self) -> None:
        self._tools: dict[Any, int] = {}
        self._empty_tools: set[int] = set()
        self._usage: dict[str, Any] = {}

    def read(self, frame: Frame) -> list[AnswerEvent]:
        """What one event of the stream says."""
        if frame.data is None:
            return [skipped_event(len(frame.raw))] if len(frame.raw) > _LONGEST_COMMENT else []
        event = decode(frame.data)
        if not isinstance(event, dict):
            return [unreadable_answer(frame.data)]
        if event.get("type") == "error":
            return [_failed(None, event) or unreadable_answer(frame.data)]
        return self._event(event)

    def _event(self, event: dict[str, Any]) -> list[AnswerEvent]:
        match event.get("type"):
            case "message_start":
                return self._message_start(member(event, "message"))
            case "content_block_start":
                return self._block(event.get("index"), member(event, "content_block"))
            case "content_block_delta":
                return self._delta(event.get("index"), member(event, "delta"))
            case "content_block_stop":
                return self._block_stop(event.get("index"))
            case "message_delta":
                return self._end(member(event, "delta"), member(event, "usage"))
            case _:
                return []

    def read_body(self, body: bytes) -> list[AnswerEvent]:
        """All that a unary body of status 200 says."""
        message = decode(body)
        failed = _failed(None, message)
        if failed is not None or not isinstance(message, dict) or not isinstance(message.get("content"), list):
            return [failed or unreadable_answer(body)]
        events: list[AnswerEvent] = [_started(message)]
        for position, block in enumerate(members(message, "content")):
            events += self._block(position, block)
            events += self._block_stop(position)
        return events + self._end(message, member(message, "usage"))

    def _message_start(self, message: dict[str, Any]) -> list[AnswerEvent]:
        return [_started(message), self._merged_usage(member(message, "usage"))]

    def _block(self, position: Any, block: dict[str, Any]) -> list[AnswerEvent]:
        match block.get("type"):
            case "text" if text(block, "text"):
                return [TextDelta(block["text"])]
            case "thinking":
                return _reasoning(text(block, "thinking"), text(block, "signature"))
            case "redacted_thinking":
                return _reasoning("", REDACTED + text(block, "data"))
            case "tool_use":
                return self._tool(position, block)
            case _:
                return []

    def _tool(self, position: Any, block: dict[str, Any]) -> list[AnswerEvent]:
        index = len(self._tools)
        self._tools[_key(position)] = index
        call_id, name = text(block, "id"), text(block, "name")
        started = ToolUseStarted(index=index, call_id=call_id, name=name)
        arguments = member(block, "input")
        if arguments:
            return [started, ToolUseDelta(index, encode(arguments).decode())]
        self._empty_tools.add(index)
        return [started]

    def _delta(self, position: Any, delta: dict[str, Any]) -> list[AnswerEvent]:
        match delta.get("type"):
            case "text_delta" if text(delta, "text"):
                return [TextDelta(delta["text"])]
            case "thinking_delta":
                return _reasoning(text(delta, "thinking"), "")
            case "signature_delta":
                return _reasoning("", text(delta, "signature"))
            case "input_json_delta" if text(delta, "partial_json"):
                return self._arguments(self._tools.get(_key(position)), delta["partial_json"])
            case _:
                return []

    def _arguments(self, index: int | None, fragment: str) -> list[AnswerEvent]:
        if index is None:
            return []
        self._empty_tools.discard(index)
        return [ToolUseDelta(index, fragment)]

    def _block_stop(self, position: Any) -> list[AnswerEvent]:
        """A call without arguments streams none at all; to others it has an empty object of them."""
        index = self._tools.get(_key(position))
        if index is None or index not in self._empty_tools:
            return []
        self._empty_tools.discard(index)
        return [ToolUseDelta(index, "{}")]

    def _end(self, said: dict[str, Any], usage: dict[str, Any]) -> list[AnswerEvent]:
        """``message_delta``, or the whole message: both say why the model stopped, and what it used."""
        events: list[AnswerEvent] = []
        explanation = text(member(said, "stop_details"), "explanation")
        if explanation:
            events.append(RefusalDelta(explanation))
        if usage:
            events.append(self._merged_usage(usage))
        reason = text(said, "stop_reason")
        if reason:
            stop_sequence = text(said, "stop_sequence") or None
            events.append(Finished(reason=_REASONS.get(reason, "stop"), stop_sequence=stop_sequence))
        return events

    def _merged_usage(self, usage: dict[str, Any]) -> TokenUsage:
        self._usage.update({name: value for name, value in usage.items() if value is not None})
        return _token_usage(self._usage)


def read_error(status: int, body: bytes) -> Failed:
    """A body of another status than 200."""
    return _failed(status, decode(body)) or unreadable_error(status, body)


def _started(message: dict[str, Any]) -> Started:
    return Started(
        response_id=text(message, "id") or None,
        model=text(message, "model") or None,
    )


def _key(position: Any) -> int:
    return position if isinstance(position, int) else -1


def _reasoning(thinking: str, signature: str) -> list[AnswerEvent]:
    if not thinking and not signature:
        return []
    return [ReasoningDelta(wire=_WIRE, text=thinking, signature=signature or None)]


def _token_usage(usage: dict[str, Any]) -> TokenUsage:
    """Anthropic counts cached input apart; thinking is part of its output already."""
    read, written = count(usage, "cache_read_input_tokens"), count(usage, "cache_creation_input_tokens")
    split = member(usage, "cache_creation")
    written_1h = min(count(split, "ephemeral_1h_input_tokens"), written)
    return TokenUsage(
        input=count(usage, "input_tokens") + read + written,
        cache_read=read,
        cache_write_5m=written - written_1h,
        cache_write_1h=written_1h,
        output=count(usage, "output_tokens"),
        reasoning=count(member(usage, "output_tokens_details"), "thinking_tokens"),
    )


def _failed(status: int | None, body: Any) -> Failed | None:
    error = member(body, "error")
    error_type, message = text(error, "type"), text(error, "message")
    if not error_type and not message:
        return None
    return Failed(status=status or status_of(error_type), code=error_type or None, message=message or error_type)
