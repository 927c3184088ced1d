"""Writing an answer of any provider as one of generateContent: whole, as server-sent events or as a JSON array."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tollhouse.gateway.translation.answer import AnswerEvent, StopReason, TokenUsage
from tollhouse.gateway.translation.answer_blocks import AnswerBlocks, Block, Step
from tollhouse.gateway.translation.conversation import Conversation
from tollhouse.gateway.translation.gemini.error_statuses import error_object
from tollhouse.gateway.translation.json_text import encode
from tollhouse.gateway.wires import StreamStyle

_REASONS: Final[Mapping[StopReason, str]] = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "length": "MAX_TOKENS",
    "tool_use": "STOP",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "context_exceeded": "MAX_TOKENS",
}


class GeminiAnswerWriter:
    """Writes one answer. Text is written as it comes, a call when its arguments are whole: Google knows no pieces."""

    __slots__ = ("_answer", "_id", "_is_array", "_is_first", "_model", "_signature")

    def __init__(self, conversation: Conversation, answer_id: str, style: StreamStyle) -> None:
        wish = conversation.reasoning
        self._answer = AnswerBlocks("gemini", shows_reasoning=wish is not None and wish.is_shown is True)
        self._model = conversation.model
        self._id = answer_id
        self._is_array = style == "json_array"
        self._is_first = True
        self._signature: str | None = None

    def write(self, events: Sequence[AnswerEvent]) -> list[bytes]:
        """The stream's events that ``events`` make possible: one chunk, or none."""
        parts = [part for event in events for step in self._answer.take(event) for part in self._parts(step)]
        return [self._framed(self._chunk(parts))] if parts else []

    def finish(self) -> list[bytes]:
        """The last chunk; an error in its place where the answer failed or broke off."""
        failure = self._answer.failure
        if failure is not None:
            last = error_object(failure)
        else:
            parts = [part for step in self._answer.close() for part in self._parts(step)]
            last = self._chunk(self._with_signature(parts) or [{"text": ""}], is_last=True)
        return [self._framed(last), b"]"] if self._is_array else [self._framed(last)]

    def body(self) -> bytes:
        """The unary body; an error object where the answer failed or broke off."""
        failure = self._answer.failure
        if failure is not None:
            return encode(error_object(failure))
        self._answer.close()
        self._signature = None
        parts: list[dict[str, Any]] = []
        for block in self._answer.blocks:
            if block.kind != "tool" and block.text:
                parts += self._parts(Step("grew", block, block.text))
            parts += self._parts(Step("closed", block))
        return encode(self._chunk(self._with_signature(parts), is_last=True))

    def _parts(self, step: Step) -> list[dict[str, Any]]:
        block = step.block
        if step.what == "grew" and block.kind != "tool":
            return [
                self._signed({"text": step.text, "thought": True} if block.kind == "thinking" else {"text": step.text})
            ]
        if step.what == "closed" and block.kind == "tool":
            return [self._signed(_call(block))]
        if step.what == "closed" and block.signature:
            self._signature = block.signature
        return []

    def _signed(self, part: dict[str, Any]) -> dict[str, Any]:
        """A signature belongs to the part after it."""
        if self._signature is not None and "thought" not in part:
            part["thoughtSignature"], self._signature = self._signature, None
        return part

    def _with_signature(self, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [*parts, self._signed({"text": ""})] if self._signature is not None else parts

    def _chunk(self, parts: list[dict[str, Any]], *, is_last: bool = False) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if is_last:
            candidate["finishReason"] = _REASONS[self._answer.reason]
        started = self._answer.started
        chunk: dict[str, Any] = {"candidates": [candidate]}
        usage = _usage(self._answer.usage)
        if usage or is_last:
            chunk["usageMetadata"] = usage
        chunk["modelVersion"] = (started.model if started is not None else None) or self._model
        chunk["responseId"] = self._id
        return chunk

    def _framed(self, chunk: dict[str, Any]) -> bytes:
        text = encode(chunk)
        if not self._is_array:
            return b"data: %b\r\n\r\n" % text
        before = b"[" if self._is_first else b",\r\n"
        self._is_first = False
        return b"%b%b\r\n" % (before, text)


def _call(block: Block) -> dict[str, Any]:
    return {"functionCall": {"id": block.call_id, "name": block.name, "args": block.input}}


def _usage(usage: TokenUsage) -> dict[str, Any]:
    """Google's figures: thoughts beside the candidates, and nothing that is 0."""
    figures = {
        "promptTokenCount": usage.input,
        "cachedContentTokenCount": usage.cache_read,
        "candidatesTokenCount": max(usage.output - usage.reasoning, 0),
        "thoughtsTokenCount": usage.reasoning,
        "totalTokenCount": usage.input + usage.output,
    }
    return {name: value for name, value in figures.items() if value}
