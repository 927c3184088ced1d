"""An answer's events as blocks, one after the other: what came interleaved is held until its turn."""

import re
from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

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
from tollhouse.gateway.translation.json_text import decode_arguments
from tollhouse.gateway.wires import GenerativeWire

BlockKind = Literal["text", "thinking", "tool"]
_OUTSIDE_STRINGS: Final = re.compile(r'[{}\[\]"]')
_INSIDE_STRINGS: Final = re.compile(r'\\.|["\\]', re.DOTALL)


class ObjectEnd:
    """Finds where a JSON object that comes in fragments ends, visiting only its brackets, quotes and escapes."""

    __slots__ = ("_depth", "_is_cut_escape", "_is_string", "is_reached")

    def __init__(self) -> None:
        self._depth = 0
        self._is_string = self._is_cut_escape = self.is_reached = False

    def feed(self, text: str) -> None:
        """Take the next fragment."""
        place = 1 if self._is_cut_escape and text else 0
        self._is_cut_escape = self._is_cut_escape and not text
        while found := (_INSIDE_STRINGS if self._is_string else _OUTSIDE_STRINGS).search(text, place):
            self._take(found[0])
            place = found.end()

    def _take(self, mark: str) -> None:
        if mark == '"':
            self._is_string = not self._is_string
        elif mark in ("{", "["):
            self._depth += 1
        elif mark in ("}", "]"):
            self._depth -= 1
            self.is_reached = self.is_reached or self._depth == 0
        else:
            self._is_cut_escape = mark == "\\"


class Block(msgspec.Struct):
    """A text, a run of reasoning, or one tool call; ``signature`` is reasoning's, of the writer's own wire."""

    kind: BlockKind
    pieces: list[str] = []
    call_id: str = ""
    name: str = ""
    signature: str | None = None
    end: ObjectEnd | None = None
    sent_pieces: int = 0
    state: Literal["waiting", "open", "closed"] = "waiting"

    @property
    def text(self) -> str:
        """All that has come."""
        return "".join(self.pieces)

    @property
    def input(self) -> dict[str, Any]:
        """A tool call's arguments; where the model wrote no JSON object, its text under ``raw_arguments``."""
        arguments = decode_arguments(self.text)
        return {"raw_arguments": self.text} if arguments is None else arguments


class Step(msgspec.Struct, frozen=True):
    """What happens to the open block: it is opened, grows by ``text`` or is closed."""

    what: Literal["opened", "grew", "closed"]
    block: Block
    text: str = ""


class AnswerBlocks:
    """One answer of any provider for a caller of ``wire``. After a Failed, nothing counts.

    At most one block is open, and it grows live. A tool call is closed when its arguments are whole, text and reasoning
    when something else begins; a block that begins while a call is still open waits for its end.
    """

    __slots__ = (
        "_place",
        "_shows_reasoning",
        "_tools",
        "_wire",
        "blocks",
        "finished",
        "provider_error",
        "started",
        "usage",
    )

    def __init__(self, wire: GenerativeWire, *, shows_reasoning: bool) -> None:
        self._wire: GenerativeWire = wire
        self._shows_reasoning = shows_reasoning
        self._tools: dict[int, Block] = {}
        self._place = 0
        self.blocks: list[Block] = []
        self.started: Started | None = None
        self.usage = TokenUsage()
        self.finished: Finished | None = None
        self.provider_error: Failed | None = None

    @property
    def reason(self) -> StopReason:
        """Why the model stopped; calls that wait for their results are a reason whatever the provider says."""
        reason = self.finished.reason if self.finished is not None else "stop"
        return "tool_use" if reason == "stop" and self._tools else reason

    @property
    def failure(self) -> Failed | None:
        """The provider's error, or ours for an answer without its end; None where all is well."""
        if self.provider_error is None and self.finished is None:
            return Failed(status=502, code="incomplete_answer", message="the provider's answer broke off")
        return self.provider_error

    def take(self, event: AnswerEvent) -> list[Step]:
        """What an event changes, in the order in which it can be written."""
        if self.provider_error is not None:
            return []
        match event:
            case TextDelta() | RefusalDelta():
                self._add(self._current("text") if event.text else None, event.text)
            case ReasoningDelta():
                self._reason(event)
            case ToolUseStarted():
                self._start_tool(event)
            case ToolUseDelta():
                self._add(self._tools.get(event.index), event.arguments)
            case _:
                self._note(event)
                return []
        return list(self._advance(is_end=False))

    def close(self) -> list[Step]:
        """Close every block that is left, in order."""
        return list(self._advance(is_end=True))

    def _note(self, event: Started | TokenUsage | Finished | Failed) -> None:
        match event:
            case Started():
                self.started = event
            case TokenUsage():
                self.usage = event
            case Finished():
                self.finished = event
            case Failed():
                self.provider_error = event

    def _start_tool(self, event: ToolUseStarted) -> None:
        if event.index in self._tools:
            return
        block = Block("tool", [], call_id=event.call_id, name=event.name, end=ObjectEnd())
        self._tools[event.index] = block
        self.blocks.append(block)

    def _reason(self, event: ReasoningDelta) -> None:
        signature = event.signature if event.wire == self._wire else None
        if not self._shows_reasoning or not (event.text or signature):
            return
        block = self._current("thinking")
        block.signature = signature
        self._add(block, event.text)

    def _current(self, kind: Literal["text", "thinking"]) -> Block:
        """The last block, where it is of ``kind`` and not closed; a new one else."""
        if self.blocks and self.blocks[-1].kind == kind and self.blocks[-1].state != "closed":
            return self.blocks[-1]
        self.blocks.append(Block(kind, []))
        return self.blocks[-1]

    def _add(self, block: Block | None, text: str) -> None:
        if block is None or not text or block.state == "closed":
            return
        block.pieces.append(text)
        if block.end is not None:
            block.end.feed(text)

    def _advance(self, *, is_end: bool) -> Iterator[Step]:
        while self._place < len(self.blocks):
            block = self.blocks[self._place]
            if block.state == "waiting":
                block.state = "open"
                yield Step("opened", block)
            if block.sent_pieces < len(block.pieces):
                text = "".join(block.pieces[block.sent_pieces :])
                block.sent_pieces = len(block.pieces)
                yield Step("grew", block, text)
            if not (is_end or self._may_close(block)):
                return
            block.state = "closed"
            self._place += 1
            yield Step("closed", block)

    def _may_close(self, block: Block) -> bool:
        if block.end is not None:
            return block.end.is_reached
        return block.signature is not None or block is not self.blocks[-1]
