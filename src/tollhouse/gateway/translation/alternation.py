"""Turns as Messages and generateContent want them: roles alternate, and tool results directly follow their calls."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import structs

from tollhouse.gateway.translation.conversation import Conversation, Part, Role, Text, ToolResult, ToolUse, Turn
from tollhouse.gateway.translation.fields import lose
from tollhouse.gateway.translation.halves import UntranslatableError
from tollhouse.gateway.wires import GenerativeWire

_TURNS_WORDS: Final = {"openai_chat": "messages", "openai_responses": "input", "gemini": "contents"}


def alternate(
    conversation: Conversation, provider: GenerativeWire, is_kept: Callable[[Part], bool]
) -> tuple[list[Text], list[Turn]]:
    """The system text, which goes first wherever it stood, and the alternating turns of the parts that are kept.

    System text alone becomes the user's turn, since both protocols want one. Raises UntranslatableError where a tool
    result is left that answers no call, and where nothing is left to send.
    """
    system: list[Text] = []
    others: list[Turn] = []
    for turn in conversation.turns:
        parts = [part for part in turn.parts if is_kept(part)]
        if turn.role == "system":
            system.extend(part for part in parts if isinstance(part, Text))
            if not all(isinstance(part, Text) for part in parts):
                lose(conversation, provider, "system.file")
        else:
            others.append(Turn(turn.role, parts))
    word = _TURNS_WORDS.get(conversation.caller or "", "messages")
    turns = _merged(others, word)
    if turns:
        return system, turns
    if not system:
        raise UntranslatableError(word, "holds no text and nothing else to send")
    return [], [Turn("user", [*system])]


def _merged(turns: list[Turn], word: str) -> list[Turn]:
    results: dict[str, deque[ToolResult]] = {}
    for part in (part for turn in turns for part in turn.parts if isinstance(part, ToolResult)):
        results.setdefault(part.call_id, deque()).append(part)
    merged = _Merged(results)
    for turn in turns:
        if turn.role == "assistant":
            merged.add_assistant(turn)
        else:
            merged.add_user(turn)
    for call_id, left in results.items():
        if left:
            raise UntranslatableError(word, f"a tool result for call {call_id!r} follows no such call")
    return merged.turns


class _Merged:
    """Turns that alternate. An id that a model gave to two calls is made unique; each result has its call's name."""

    __slots__ = ("_count", "_results", "_waiting", "turns")

    def __init__(self, results: dict[str, deque[ToolResult]]) -> None:
        self._results = results
        self._waiting: list[tuple[str, ToolUse]] = []
        self._count: Counter[str] = Counter()
        self.turns: list[Turn] = []

    def add_assistant(self, turn: Turn) -> None:
        self._add("assistant", [self._call(part) if isinstance(part, ToolUse) else part for part in turn.parts])

    def add_user(self, turn: Turn) -> None:
        answers = [*self._answers()]
        self._add("user", [*answers, *(part for part in turn.parts if not isinstance(part, ToolResult))])

    def _add(self, role: Role, parts: list[Part]) -> None:
        if self.turns and self.turns[-1].role == role:
            self.turns[-1].parts.extend(parts)
        elif parts:
            self.turns.append(Turn(role, parts))

    def _call(self, part: ToolUse) -> ToolUse:
        given = part.call_id
        self._count[given] += 1
        if self._count[given] > 1:
            part = structs.replace(part, call_id=f"{given}_{self._count[given]}")
        self._waiting.append((given, part))
        return part

    def _answers(self) -> Iterator[ToolResult]:
        for given, call in self._waiting:
            if self._results.get(given):
                result = self._results[given].popleft()
                yield structs.replace(result, call_id=call.call_id, name=result.name or call.name)
        self._waiting.clear()
