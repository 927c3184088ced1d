"""Turns as Messages and generateContent want them: roles alternate, and tool results directly follow their calls."""

from collections.abc import Callable, Iterator
from typing import Final

from tollhouse.gateway.translation.conversation import Conversation, Part, Text, ToolResult, ToolUse, Turn
from tollhouse.gateway.translation.fields import lose
from tollhouse.gateway.translation.halves import UntranslatableError
from tollhouse.gateway.wires import GenerativeWire

_TURNS_WORDS: Final = {"openai_chat": "messages", "openai_responses": "input", "gemini": "contents"}


def alternate(
    conversation: Conversation, provider: GenerativeWire, is_kept: Callable[[Part], bool]
) -> tuple[list[Text], list[Turn]]:
    """The system text, which goes first wherever it stood, and the alternating turns of the parts that are kept.

    System text alone becomes the user's turn, since both protocols want one. Raises UntranslatableError where a tool
    result answers no earlier call or a call is answered twice, and where nothing is left to send.
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
    results = _results(turns, word)
    merged: list[Turn] = []
    for turn in turns:
        is_answer = turn.role == "user" and merged and merged[-1].role == "assistant"
        parts: list[Part] = [*_answers(merged[-1], results)] if is_answer else []
        parts += [part for part in turn.parts if not isinstance(part, ToolResult)]
        if merged and merged[-1].role == turn.role:
            merged[-1].parts.extend(parts)
        elif parts:
            merged.append(Turn(turn.role, parts))
    if results:
        raise UntranslatableError(word, f"the tool result for call {next(iter(results))!r} follows no such call")
    return merged


def _results(turns: list[Turn], word: str) -> dict[str, ToolResult]:
    results: dict[str, ToolResult] = {}
    for part in (part for turn in turns for part in turn.parts if isinstance(part, ToolResult)):
        if part.call_id in results:
            raise UntranslatableError(word, f"the tool call {part.call_id!r} is answered twice")
        results[part.call_id] = part
    return results


def _answers(turn: Turn, results: dict[str, ToolResult]) -> Iterator[ToolResult]:
    for part in turn.parts:
        if isinstance(part, ToolUse) and part.call_id in results:
            yield results.pop(part.call_id)
