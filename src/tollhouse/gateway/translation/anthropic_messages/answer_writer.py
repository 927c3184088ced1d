"""Writing an answer of any provider as one of Messages, whole or streamed."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tollhouse.gateway.translation.answer import AnswerEvent, Failed, StopReason, TokenUsage
from tollhouse.gateway.translation.answer_blocks import AnswerBlocks, Block, Step
from tollhouse.gateway.translation.anthropic_messages.block_reader import REDACTED
from tollhouse.gateway.translation.anthropic_messages.block_writer import call_id
from tollhouse.gateway.translation.anthropic_messages.error_types import type_of
from tollhouse.gateway.translation.conversation import Conversation
from tollhouse.gateway.translation.json_text import encode

_REASONS: Final[Mapping[StopReason, str]] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_use": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "context_exceeded": "model_context_window_exceeded",
}
_GROWTHS: Final[Mapping[str, tuple[str, str]]] = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "tool": ("input_json_delta", "partial_json"),
}


class MessagesAnswerWriter:
    """Writes one answer. The end waits for ``finish``, since other protocols tell their usage after it."""

    __slots__ = ("_answer", "_id", "_index", "_is_started", "_model")

    def __init__(self, conversation: Conversation, answer_id: str) -> None:
        wish = conversation.reasoning
        shows_reasoning = wish is None or wish.is_shown is not False
        self._answer = AnswerBlocks("anthropic_messages", shows_reasoning=shows_reasoning)
        self._model = conversation.model
        self._id = f"msg_{answer_id}"
        self._index = -1
        self._is_started = False

    def write(self, events: Sequence[AnswerEvent]) -> list[bytes]:
        """The stream's events that ``events`` make possible."""
        written: list[bytes] = []
        for event in events:
            self._write_steps(self._answer.take(event), written)
        if self._answer.started is not None and self._answer.provider_error is None:
            self._start(written)
        return written

    def finish(self) -> list[bytes]:
        """The stream's last events; an error event in their place where the answer failed or broke off."""
        failure = self._answer.failure
        if failure is not None:
            return [_event("error", _error(failure))]
        written: list[bytes] = []
        self._write_steps(self._answer.close(), written)
        self._start(written)
        delta = {"stop_reason": _REASONS[self._answer.reason], "stop_sequence": self._stop_sequence()}
        written.append(_event("message_delta", {"delta": delta, "usage": _usage(self._answer.usage)}))
        written.append(_event("message_stop", {}))
        return written

    def body(self) -> bytes:
        """The unary body; an error object where the answer failed or broke off."""
        failure = self._answer.failure
        if failure is not None:
            return encode({"type": "error", **_error(failure)})
        self._answer.close()
        message = self._message(_usage(self._answer.usage))
        message["content"] = [_whole_block(block) for block in self._answer.blocks]
        message["stop_reason"] = _REASONS[self._answer.reason]
        message["stop_sequence"] = self._stop_sequence()
        return encode(message)

    def _stop_sequence(self) -> str | None:
        finished = self._answer.finished
        return finished.stop_sequence if finished is not None else None

    def _write_steps(self, steps: list[Step], written: list[bytes]) -> None:
        if steps:
            self._start(written)
        for step in steps:
            match step.what:
                case "opened":
                    self._index += 1
                    written.append(self._block_event("content_block_start", content_block=_empty_block(step.block)))
                case "grew":
                    kind, name = _GROWTHS[step.block.kind]
                    written.append(self._block_event("content_block_delta", delta={"type": kind, name: step.text}))
                case "closed":
                    self._close(step.block, written)

    def _close(self, block: Block, written: list[bytes]) -> None:
        if block.signature and not block.signature.startswith(REDACTED):
            delta = {"type": "signature_delta", "signature": block.signature}
            written.append(self._block_event("content_block_delta", delta=delta))
        written.append(self._block_event("content_block_stop"))

    def _block_event(self, name: str, **members: Any) -> bytes:
        return _event(name, {"index": self._index, **members})

    def _start(self, written: list[bytes]) -> None:
        if self._is_started:
            return
        self._is_started = True
        written.append(_event("message_start", {"message": self._message(_usage(self._answer.usage))}))

    def _message(self, usage: dict[str, Any]) -> dict[str, Any]:
        started = self._answer.started
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": (started.model if started is not None else None) or self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }


def _event(name: str, members: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), encode({"type": name, **members}))


def _error(failure: Failed) -> dict[str, Any]:
    return {"error": {"type": type_of(failure.status), "message": failure.message}}


def _empty_block(block: Block) -> dict[str, Any]:
    match block.kind:
        case "text":
            return {"type": "text", "text": ""}
        case "tool":
            return {"type": "tool_use", "id": call_id(block.call_id), "name": block.name, "input": {}}
        case "thinking" if (block.signature or "").startswith(REDACTED):
            return _redacted(block)
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}


def _whole_block(block: Block) -> dict[str, Any]:
    whole = _empty_block(block)
    match whole["type"]:
        case "text":
            whole["text"] = block.text
        case "thinking":
            whole["thinking"] = block.text
            whole["signature"] = block.signature or ""
        case "tool_use":
            whole["input"] = block.input
        case _:
            pass
    return whole


def _redacted(block: Block) -> dict[str, Any]:
    return {"type": "redacted_thinking", "data": (block.signature or "").removeprefix(REDACTED)}


def _usage(usage: TokenUsage) -> dict[str, Any]:
    """Anthropic's figures: cached input apart, thinking as part of the output."""
    written = usage.cache_write_5m + usage.cache_write_1h
    figures: dict[str, Any] = {
        "input_tokens": max(usage.input - usage.cache_read - written, 0),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
    }
    if written:
        figures["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        }
    if usage.reasoning:
        figures["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return figures
