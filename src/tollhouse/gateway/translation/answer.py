"""The intermediate form of an answer: events in the order in which they come, streamed or not."""

from typing import Literal

import msgspec

from tollhouse.gateway.wires import GenerativeWire

StopReason = Literal["stop", "stop_sequence", "length", "tool_use", "content_filter", "refusal", "context_exceeded"]


class Started(msgspec.Struct, tag=True, kw_only=True):
    """The answer begins; ``model`` as the provider names it."""

    response_id: str | None = None
    model: str | None = None
    created: int | None = None


class TextDelta(msgspec.Struct, tag=True):
    """More text of the answer."""

    text: str


class RefusalDelta(msgspec.Struct, tag=True):
    """More text of a refusal, for protocols that tell it from an answer; the others write it as text."""

    text: str


class ReasoningDelta(msgspec.Struct, tag=True, kw_only=True):
    """More of a reasoning block: its readable text, or its signature (sealed text), made by ``wire``'s provider."""

    wire: GenerativeWire
    text: str = ""
    signature: str | None = None


class ToolUseStarted(msgspec.Struct, tag=True, kw_only=True):
    """A tool call begins; ``index`` counts the answer's tool calls from 0. Parallel calls may interleave."""

    index: int
    call_id: str
    name: str


class ToolUseDelta(msgspec.Struct, tag=True):
    """More of the JSON text of a tool call's arguments."""

    index: int
    arguments: str


class TokenUsage(msgspec.Struct, tag=True, kw_only=True):
    """Tokens: ``input`` and ``output`` are totals, the others parts of them. The last one of an answer counts."""

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0


class Finished(msgspec.Struct, tag=True, kw_only=True):
    """The model stopped. TokenUsage may come before or after it; the end of the stream ends the answer."""

    reason: StopReason
    stop_sequence: str | None = None


class Failed(msgspec.Struct, tag=True, kw_only=True):
    """The provider's error, in the place or in the middle of an answer; ``status`` is its HTTP status or our guess."""

    status: int
    code: str | None = None
    message: str


AnswerEvent = (
    Started | TextDelta | RefusalDelta | ReasoningDelta | ToolUseStarted | ToolUseDelta | TokenUsage | Finished | Failed
)
