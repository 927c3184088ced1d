"""What a request of any protocol comes to, and the counting of its tokens while it is read."""

import json
import re
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
from crc32c import crc32c

from tollhouse.simulated.refusals import RefusedError
from tollhouse.simulated.tokens import IMAGE_TOKENS, tokens_of_bytes

_AUTOMATIC_CACHE_MINIMUM = 1024
_AUTOMATIC_CACHE_STEP = 128
_TURN_TOKENS = 3
_WANTS_TOOL = re.compile(r"\b(?:use|call|run|invoke|try)\b[^.?!]{0,60}\b(?:tools?|functions?)\b", re.IGNORECASE)

Limit = Annotated[int, msgspec.Meta(ge=1)]  # of tokens
Choices = Annotated[int, msgspec.Meta(ge=1, le=128)]
T = TypeVar("T")


class Tool(msgspec.Struct, frozen=True):
    """A function that the caller would run; ``schema`` is JSON, ``is_free_text`` a tool whose input is any text."""

    name: str
    schema: bytes = b"{}"
    is_free_text: bool = False


class CacheMark(msgspec.Struct, frozen=True):
    """A place up to which the caller wants the input cached, in tokens from the start."""

    tokens: int
    is_for_an_hour: bool


class Asked(msgspec.Struct, kw_only=True):
    """``chance`` depends on the conversation's texts only: the same question has the same answer in every protocol."""

    model: str
    is_stream: bool = False
    input_tokens: int = 0
    history_tokens: int = 0
    chance: int = 0
    marks: list[CacheMark] = []
    has_automatic_cache: bool = True
    last_text: str = ""
    is_users_turn: bool = True
    images: int = 0
    tools: list[Tool] = []
    forced: str | None = None  # "" any tool, a name that one
    may_call: bool = True
    is_parallel: bool = True
    thinks: bool = False
    shows_thinking: bool = False  # only Gemini has a choice
    schema: Any = None
    max_tokens: int | None = None
    stops: list[str] = []
    choices: int = 1

    def cached(self) -> tuple[int, int, int]:
        """(read, written for five minutes, written for an hour) tokens, as docs/simulated.md says."""
        if self.marks:
            last, earlier = self.marks[-1], self.marks[-2].tokens if len(self.marks) > 1 else 0
            read = earlier or (last.tokens if self.history_tokens else 0)
            written = last.tokens - read
            return (read, 0, written) if last.is_for_an_hour else (read, written, 0)
        if self.has_automatic_cache and self.history_tokens >= _AUTOMATIC_CACHE_MINIMUM:
            return self.history_tokens // _AUTOMATIC_CACHE_STEP * _AUTOMATIC_CACHE_STEP, 0, 0
        return 0, 0, 0

    def wanted_tools(self) -> list[Tool]:
        """The tools that the user's text asks for, or that the caller forces."""
        if not self.tools or not self.may_call:
            return []
        if self.forced is not None:
            return [tool for tool in self.tools if self.forced in {"", tool.name}][:1]
        if not self.is_users_turn:
            return []
        named = [tool for tool in self.tools if tool.name in self.last_text]
        if not named and _WANTS_TOOL.search(self.last_text):
            named = self.tools[:1]
        return named if self.is_parallel else named[:1]


class Tally:
    """Counts what a request's reader shows it, in the order of the conversation."""

    __slots__ = ("_role", "chance", "history", "images", "last_text", "marks", "tokens")

    def __init__(self) -> None:
        self._role = ""
        self.tokens = self.history = self.images = self.chance = 0
        self.last_text = ""
        self.marks: list[CacheMark] = []

    def turn(self, role: str) -> None:
        """A message of ``role`` begins."""
        if role not in {"assistant", "model"}:
            if self._role in {"assistant", "model"}:
                self.history = self.tokens
            if role != self._role:
                self.last_text = ""
        self._role = role
        self.tokens += _TURN_TOKENS

    def text(self, text: str | None) -> None:
        """Text of the conversation, a tool's result or the arguments of a call among it."""
        if text:
            raw = text.encode()
            self.tokens += tokens_of_bytes(len(raw))
            self.chance = crc32c(raw, self.chance)
            if self._role == "user":
                self.last_text = text

    def tool(self, tool: Tool, description: str | None) -> None:
        """A tool's definition."""
        self.tokens += tokens_of_bytes(len(tool.name) + len(tool.schema) + len((description or "").encode()))

    def image(self) -> None:
        """A picture, sound or file, whatever its size."""
        self.images += 1
        self.tokens += IMAGE_TOKENS

    def mark(self, cache_control: Any) -> None:
        """A cache mark of Anthropic's after what was counted last; None is none."""
        if cache_control is not None:
            self.marks.append(CacheMark(self.tokens, cache_control.get("ttl") == "1h"))

    def put(self, asked: Asked) -> Asked:
        """Fill in what was counted."""
        asked.input_tokens, asked.history_tokens = self.tokens, self.history
        asked.chance, asked.images, asked.last_text, asked.marks = self.chance, self.images, self.last_text, self.marks
        return asked


def decoded(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """The typed body, or the provider's 400. Lone surrogates, which providers take, count as one byte each."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise RefusedError(400, f"Invalid request: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _lenient(decoder, body)


def _lenient(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    try:
        document = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, "We could not parse the JSON body of your request.") from error
    try:
        return decoder.decode(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise RefusedError(400, f"Invalid request: {error}") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
