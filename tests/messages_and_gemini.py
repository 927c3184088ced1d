"""What the tests of Messages and generateContent share: answers as events, frames, and what a reader makes of them."""

from collections.abc import Iterable, Sequence

from tollhouse.gateway.framing.frame import Frame
from tollhouse.gateway.translation.answer import (
    AnswerEvent,
    Failed,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    TokenUsage,
    ToolUseDelta,
    ToolUseStarted,
)
from tollhouse.gateway.translation.conversation import Conversation, Text, Turn
from tollhouse.gateway.translation.halves import AnswerReader, AnswerWriter

ANSWER_ID = "0123456789abcdef0123456789abcdef"


def asking(**members: object) -> Conversation:
    """A conversation of one question, with the members that a test is about."""
    given = {"model": "any-model", "turns": [Turn("user", [Text("What is the time?")])], **members}
    return Conversation(**given)


def frames(events: Iterable[bytes]) -> list[Frame]:
    """A writer's server-sent events or array elements as a framer hands them on."""
    found = [Frame(raw=raw, data=_data(raw)) for raw in events]
    return [frame for frame in found if frame.data]


def _data(raw: bytes) -> bytes:
    lines = [line.removeprefix(b"data: ") for line in raw.splitlines() if line.startswith(b"data: ")]
    return b"\n".join(lines) or raw.strip(b"[],\r\n")


def streamed(writer: AnswerWriter, events: Sequence[AnswerEvent]) -> list[bytes]:
    """All that a writer writes when the events come one at a time."""
    written = [raw for event in events for raw in writer.write([event])]
    return written + writer.finish()


def read_stream(reader: AnswerReader, events: Iterable[bytes]) -> list[AnswerEvent]:
    """What a reader makes of a writer's stream."""
    return [event for frame in frames(events) for event in reader.read(frame)]


class Said:
    """An answer put together from its events, in the order in which things began."""

    def __init__(self, events: Iterable[AnswerEvent]) -> None:
        self.text = ""
        self.reasoning = ""
        self.signatures: list[str] = []
        self.calls: list[list[str]] = []
        self.usage: TokenUsage | None = None
        self.finished: Finished | None = None
        self.failed: Failed | None = None
        for event in events:
            self._take(event)

    def _take(self, event: AnswerEvent) -> None:
        match event:
            case TextDelta() | RefusalDelta():
                self.text += event.text
            case ReasoningDelta():
                self.reasoning += event.text
                self.signatures += [event.signature] if event.signature else []
            case ToolUseStarted():
                assert event.index == len(self.calls)
                self.calls.append([event.call_id, event.name, ""])
            case ToolUseDelta():
                self.calls[event.index][2] += event.arguments
            case TokenUsage():
                self.usage = event
            case Finished():
                self.finished = event
            case Failed():
                self.failed = event
            case _:
                pass
