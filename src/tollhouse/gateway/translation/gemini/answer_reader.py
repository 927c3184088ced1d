"""Reading an answer of generateContent, whole or streamed: each chunk has the shape of the whole."""

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
    TokenUsage,
    ToolUseDelta,
    ToolUseStarted,
)
from tollhouse.gateway.translation.gemini.error_statuses import read_failure
from tollhouse.gateway.translation.json_text import decode, encode
from tollhouse.gateway.translation.provider_failures import skipped_event, unreadable_answer, unreadable_error
from tollhouse.gateway.translation.provider_json import count, member, members, text

_LONGEST_COMMENT: Final = 4_096
_FILTERED: Final[Mapping[str, StopReason]] = dict.fromkeys(
    (
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_OTHER"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "NO_IMAGE"),
    ),
    "content_filter",
)
# The model wrote something that is no answer: to others this is an error, after which they try again.
_BROKEN: Final = (
    *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"),
    "MALFORMED_RESPONSE",
)


class GeminiAnswerReader:
    """Reads one answer. A call without an id gets one that no other answer has."""

    __slots__ = ("_call_prefix", "_is_finished", "_is_started", "_tools")

    def __init__(self) -> None:
        self._call_prefix = ""
        self._is_started = False
        self._is_finished = False
        self._tools = 0

    def read(self, frame: Frame) -> list[AnswerEvent]:
        """What one event of the stream says."""
        if frame.data is None:
            return [skipped_event(len(frame.raw))] if len(frame.raw) > _LONGEST_COMMENT else []
        return self._answer(frame.data)

    def read_body(self, body: bytes) -> list[AnswerEvent]:
        """All that a unary body of status 200 says; one without a finish reason has simply stopped."""
        events = self._answer(body)
        if not self._is_finished and not isinstance(events[-1], Failed):
            events.append(Finished(reason=self._stop()))
        return events

    def _answer(self, data: bytes) -> list[AnswerEvent]:
        answer = decode(data)
        failed = read_failure(None, answer)
        if failed is not None or not isinstance(answer, dict):
            return [failed or unreadable_answer(data)]
        if not answer.keys() & {"candidates", "promptFeedback", "usageMetadata"}:
            return [unreadable_answer(data)]
        return list(self._events(answer))

    def _events(self, answer: dict[str, Any]) -> Iterator[AnswerEvent]:
        if not self._is_started:
            yield self._start(answer)
        usage = member(answer, "usageMetadata")
        if usage:
            yield _token_usage(usage)
        for candidate in members(answer, "candidates"):
            if count(candidate, "index") == 0:
                yield from self._candidate(candidate)
        feedback = member(answer, "promptFeedback")
        if text(feedback, "blockReason") and not self._is_finished:
            self._is_finished = True
            if text(feedback, "blockReasonMessage"):
                yield RefusalDelta(text(feedback, "blockReasonMessage"))
            yield Finished(reason="content_filter")

    def _start(self, answer: dict[str, Any]) -> Started:
        self._is_started = True
        response_id = text(answer, "responseId")
        self._call_prefix = response_id or secrets.token_hex(8)
        model = text(answer, "modelVersion").removeprefix("models/")
        return Started(response_id=response_id or None, model=model or None)

    def _candidate(self, candidate: dict[str, Any]) -> Iterator[AnswerEvent]:
        for part in members(member(candidate, "content"), "parts"):
            yield from self._part(part)
        reason = text(candidate, "finishReason")
        if not reason or self._is_finished:
            return
        self._is_finished = True
        if reason in _BROKEN:
            message = text(candidate, "finishMessage") or f"the model's answer ended with {reason}"
            yield Failed(status=502, code=reason, message=message)
        elif reason == "MAX_TOKENS":
            yield Finished(reason="length")
        else:
            yield Finished(reason=_FILTERED.get(reason) or self._stop())

    def _part(self, part: dict[str, Any]) -> Iterator[AnswerEvent]:
        said, signature = text(part, "text"), text(part, "thoughtSignature")
        call = member(part, "functionCall")
        if said and part.get("thought") is True:
            yield ReasoningDelta(wire="gemini", text=said)
        elif said:
            yield TextDelta(said)
        if signature:
            yield ReasoningDelta(wire="gemini", signature=signature)
        if call:
            yield from self._call(call)
        media_type = text(member(part, "inlineData"), "mimeType")
        if media_type:
            yield Failed(
                status=502, code="invalid_answer", message=f"the answer holds {media_type}, and only text is translated"
            )

    def _call(self, call: dict[str, Any]) -> Iterator[AnswerEvent]:
        index, self._tools = self._tools, self._tools + 1
        call_id = text(call, "id") or f"call_{self._call_prefix}_{index}"
        yield ToolUseStarted(index=index, call_id=call_id, name=text(call, "name"))
        yield ToolUseDelta(index, encode(member(call, "args")).decode())

    def _stop(self) -> StopReason:
        return "tool_use" if self._tools else "stop"


def read_error(status: int, body: bytes) -> Failed:
    """A body of another status than 200."""
    return read_failure(status, decode(body)) or unreadable_error(status, body)


def _token_usage(usage: dict[str, Any]) -> TokenUsage:
    """Google counts thoughts beside the candidates, and what tools put into the prompt beside the prompt."""
    thoughts = count(usage, "thoughtsTokenCount")
    return TokenUsage(
        input=count(usage, "promptTokenCount") + count(usage, "toolUsePromptTokenCount"),
        cache_read=count(usage, "cachedContentTokenCount"),
        output=count(usage, "candidatesTokenCount") + thoughts,
        reasoning=thoughts,
    )
