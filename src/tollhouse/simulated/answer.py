"""What a model says, in no protocol's words: pieces of text and thinking, tool calls, and what it all cost."""

from typing import Literal

import msgspec

from tollhouse.simulated.asked import Asked, Tool
from tollhouse.simulated.behaviours import Behaviour
from tollhouse.simulated.chance import mixed
from tollhouse.simulated.prose import Prose
from tollhouse.simulated.schema import example
from tollhouse.simulated.tokens import BYTES_PER_TOKEN, Tokens, tokens_of

Finish = Literal["stop", "length", "tools", "stop_sequence"]
_ARGUMENT_PIECE = 12
_THINKING_PIECE = 24
_REASONING_BYTES = 160
_encode = msgspec.json.encode
_decode = msgspec.json.decode


class Call(msgspec.Struct, frozen=True, gc=False):
    """One call of a tool; ``arguments`` is JSON, or any text for a free-text tool."""

    number: int
    name: str
    arguments: str
    is_free_text: bool = False

    def pieces(self) -> list[str]:
        """The arguments as they are streamed."""
        return _cut(self.arguments, _ARGUMENT_PIECE)


class Answer(msgspec.Struct, kw_only=True):
    """``text`` and ``thinking`` are pieces to be joined; ``tokens`` is the truth, whatever the usage object says."""

    text: list[str]
    thinking: list[str]
    calls: list[Call]
    finish: Finish
    stop_sequence: str | None
    tokens: Tokens


class Composer:
    """Answers from ``seed``: the same question always has the same answer."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._prose = Prose(seed)

    def compose(self, asked: Asked, behaviour: Behaviour, echo: str | None, choice: int = 0) -> Answer:
        """One answer; ``echo`` is the text to give back in the place of prose."""
        chance = mixed(asked.chance ^ self._seed, choice)
        thinking = self._thinking(asked, behaviour, chance)
        calls = _calls(asked, behaviour, chance)
        pieces = _one_text(echo, behaviour) or self._text(asked, behaviour, chance, bool(calls))
        answer = Answer(
            text=pieces,
            thinking=thinking,
            calls=calls,
            finish="tools" if calls else "stop",
            stop_sequence=None,
            tokens=Tokens(),
        )
        _stop(answer, asked.stops)
        answer.tokens = _tokens(asked, behaviour, *_limit(answer, asked.max_tokens))
        return answer

    def _thinking(self, asked: Asked, behaviour: Behaviour, chance: int) -> list[str]:
        size = behaviour.thinking if behaviour.thinking is not None else _REASONING_BYTES if asked.thinks else 0
        return _cut(self._prose.characters(mixed(chance, 1), size), _THINKING_PIECE)

    def _text(self, asked: Asked, behaviour: Behaviour, chance: int, has_calls: bool) -> list[str]:
        sized = self._sized(behaviour, chance)
        if sized is not None:
            return sized
        if has_calls:
            return []
        if asked.schema is not None:
            return _cut(_encode(example(asked.schema, chance)).decode(), _ARGUMENT_PIECE)
        words = self._prose.sentences(chance, 3 + chance % 4)
        if asked.images:
            return [f"I can see {asked.images} image{'s' * (asked.images > 1)}. ", *words]
        return words

    def _sized(self, behaviour: Behaviour, chance: int) -> list[str] | None:
        """Text of a length that the behaviour says, or None."""
        events, event_bytes, words = behaviour.events, behaviour.event_bytes, behaviour.words
        if behaviour.answer_bytes is not None:
            size = behaviour.answer_bytes
            return _cut(self._prose.characters(chance, size), event_bytes or _even(size, events))
        if words is not None:
            return self._prose.words(chance, words)
        if events is not None:
            if event_bytes is None:
                return self._prose.words(chance, events)
            return _cut(self._prose.characters(chance, events * event_bytes), event_bytes)
        if event_bytes is not None:
            return _cut("".join(self._prose.sentences(chance, 4)), event_bytes)
        return None


def _one_text(echo: str | None, behaviour: Behaviour) -> list[str]:
    text = behaviour.text if echo is None else echo
    return [] if text is None else _cut(text, behaviour.event_bytes or _even(len(text), behaviour.events or 8))


def _even(size: int, events: int | None) -> int:
    return max(1, -(-size // events)) if events else 8


def _cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _calls(asked: Asked, behaviour: Behaviour, chance: int) -> list[Call]:
    tools = asked.wanted_tools()
    if behaviour.tools is not None:
        tools = [asked.tools[index % len(asked.tools)] for index in range(behaviour.tools)] if asked.tools else []
    return [_call(tool, index, mixed(chance, index)) for index, tool in enumerate(tools)]


def _call(tool: Tool, number: int, chance: int) -> Call:
    if tool.is_free_text:
        return Call(number, tool.name, f"*** line {chance % 97}\n+ one more line\n", is_free_text=True)
    arguments = example(_decode(tool.schema), chance)
    return Call(number, tool.name, _encode(arguments if isinstance(arguments, dict) else {}).decode())


def _stop(answer: Answer, stops: list[str]) -> None:
    for stop in stops:
        before, found, _ = "".join(answer.text).partition(stop)
        if found:
            answer.text = _cut(before, 8)
            answer.finish, answer.stop_sequence = "stop_sequence", stop


def _limit(answer: Answer, max_tokens: int | None) -> tuple[int, int]:
    """Cut the answer off at the caller's limit, thinking first; returns the tokens of thinking and of the rest."""
    reasoning = tokens_of("".join(answer.thinking))
    written = tokens_of("".join(answer.text)) + sum(map(_call_tokens, answer.calls))
    if max_tokens is None or reasoning + written <= max_tokens:
        return reasoning, written
    answer.finish, answer.stop_sequence, answer.calls = "length", None, []
    if reasoning >= max_tokens:
        answer.text = []
        answer.thinking = _cut(_shortened(answer.thinking, max_tokens), _THINKING_PIECE)
        return max_tokens, 0
    answer.text = _cut(_shortened(answer.text, max_tokens - reasoning), 8)
    return reasoning, tokens_of("".join(answer.text))


def _shortened(pieces: list[str], tokens: int) -> str:
    """At most ``tokens`` of the text, without half a character."""
    raw = "".join(pieces).encode()[: tokens * BYTES_PER_TOKEN]
    return raw.decode("utf-8", "ignore")


def _call_tokens(call: Call) -> int:
    return tokens_of(call.name) + tokens_of(call.arguments)


def _tokens(asked: Asked, behaviour: Behaviour, reasoning: int, written: int) -> Tokens:
    cached, short, long = asked.cached()
    if behaviour.cached is not None:
        cached = min(behaviour.cached, asked.input_tokens)
    left = asked.input_tokens - cached
    if behaviour.cache_write is not None or behaviour.cache_write_1h is not None:
        short, long = behaviour.cache_write or 0, behaviour.cache_write_1h or 0
    short = min(short, left)
    return Tokens(
        input=asked.input_tokens,
        cached=cached,
        cache_write_5m=short,
        cache_write_1h=min(long, left - short),
        output=reasoning + written,
        reasoning=reasoning,
    )
