"""Answers in the intermediate form, and what an answer comes to once it has gone through protocols."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.framing.json_array import JsonArrayFramer
from tollhouse.gateway.framing.sse import SseFramer
from tollhouse.gateway.translation.answer import (
    AnswerEvent,
    Failed,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    TokenUsage,
    ToolUseDelta,
    ToolUseStarted,
)
from tollhouse.gateway.translation.conversation import Conversation, ReasoningWish, Text, Turn
from tollhouse.gateway.translation.registry import CALLERS, PROVIDERS
from tollhouse.gateway.wires import GenerativeWire, StreamStyle

ANSWER_ID = "0123456789abcdef" * 2
CREATED = 1_760_000_000
WIRES: tuple[GenerativeWire, ...] = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")
USAGE = TokenUsage(input=120, cache_read=100, output=30, reasoning=10)


class Assembled(msgspec.Struct):
    """An answer as a client ends up with it."""

    text: str = ""
    reasoning: str = ""
    calls: list[tuple[str, Any]] = []
    reason: str | None = None
    failure: str | None = None
    usage: tuple[int, int, int] = (0, 0, 0)


def conversation(caller: GenerativeWire = "openai_chat", **members: Any) -> Conversation:
    """A conversation of one question whose caller reads all that an answer can hold."""
    wish = ReasoningWish(effort="medium", is_shown=True)
    fields = {"model": "asked", "turns": [Turn("user", [Text("Hi")])], "reasoning": wish, "includes_usage": True}
    return Conversation(caller=caller, **(fields | members))


def assembled(events: Iterable[AnswerEvent]) -> Assembled:
    """The events, put together; arguments as the JSON they hold."""
    answer, calls = Assembled(), dict[int, tuple[str, list[str]]]()
    for event in events:
        if isinstance(event, ToolUseStarted):
            assert event.index not in calls
            calls[event.index] = (event.name, [])
        elif isinstance(event, ToolUseDelta):
            calls[event.index][1].append(event.arguments)
        else:
            _take(answer, event)
    answer.calls = [(name, msgspec.json.decode("".join(pieces) or "{}")) for name, pieces in calls.values()]
    return answer


def _take(answer: Assembled, event: AnswerEvent) -> None:
    match event:
        case TextDelta() | RefusalDelta():
            answer.text += event.text
        case ReasoningDelta():
            answer.reasoning += event.text
        case TokenUsage():
            answer.usage = (event.input, event.cache_read, event.output)
        case Finished():
            answer.reason = event.reason
        case Failed():
            answer.failure = event.message
        case _:
            pass


def written(
    wire: GenerativeWire, asked: Conversation, events: Sequence[AnswerEvent], style: StreamStyle = "sse"
) -> bytes:
    """The stream that a caller of ``wire`` gets."""
    writer = CALLERS[wire].new_writer(asked, ANSWER_ID, CREATED, style)
    return b"".join([*(part for event in events for part in writer.write([event])), *writer.finish()])


def whole(wire: GenerativeWire, asked: Conversation, events: Sequence[AnswerEvent]) -> bytes:
    """The unary body that a caller of ``wire`` gets."""
    writer = CALLERS[wire].new_writer(asked, ANSWER_ID, CREATED, "sse")
    writer.write(events)
    return writer.body()


def frames(stream: bytes, style: StreamStyle = "sse") -> list[Frame]:
    """A stream's events."""
    framer = SseFramer(1 << 20) if style == "sse" else JsonArrayFramer(1 << 20)
    return [*framer.feed(stream), *framer.finish()]


def read(wire: GenerativeWire, stream: bytes, style: StreamStyle = "sse") -> list[AnswerEvent]:
    """What a stream of a provider of ``wire`` says."""
    reader = PROVIDERS[wire].new_reader()
    return [event for frame in frames(stream, style) for event in reader.read(frame)]


def read_whole(wire: GenerativeWire, body: bytes) -> list[AnswerEvent]:
    """What a unary body of a provider of ``wire`` says."""
    return PROVIDERS[wire].new_reader().read_body(body)


def calls(*given: tuple[str, Sequence[str]]) -> list[AnswerEvent]:
    """Parallel tool calls by name and fragments of arguments, interleaved fragment by fragment."""
    events: list[AnswerEvent] = [
        ToolUseStarted(index=index, call_id=f"call_{index}", name=name) for index, (name, _) in enumerate(given)
    ]
    for turn in range(max((len(fragments) for _, fragments in given), default=0)):
        events += [
            ToolUseDelta(index, fragments[turn]) for index, (_, fragments) in enumerate(given) if turn < len(fragments)
        ]
    return events


def answer(*content: AnswerEvent, reason: str = "stop") -> list[AnswerEvent]:
    """A whole answer with ``content``."""
    return [Started(response_id="r1", model="real"), *content, Finished(reason=reason), USAGE]
