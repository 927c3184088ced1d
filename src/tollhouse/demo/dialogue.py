"""What is said in one call, apart from any provider's way of writing it down."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Literal

from tollhouse.demo.dice import Dice
from tollhouse.demo.prose import Prose

Finish = Literal["stop", "length", "tool"]
Json = dict[str, Any]
TOOLS = ("search_tickets", "read_file", "run_query", "list_invoices", "open_pull_request", "lookup_customer")


@dataclass(slots=True)
class ToolUse:
    """A tool that the model calls, with the result that the next request brings back."""

    name: str
    arguments: Json
    result: str
    call_id: str


@dataclass(slots=True)
class Dialogue:
    """The request's messages, the answer, and what a response names besides.

    ``sealed`` is base64 that only the provider can read: a signature, encrypted reasoning, a vector.
    """

    model: str
    response_model: str
    response_id: str
    created: int
    system: str
    turns: list[tuple[str, str]]
    answer: str
    finish: Finish | None
    is_stream: bool
    max_tokens: int
    thinking: str = ""
    called: ToolUse | None = None
    answered: ToolUse | None = None
    user: str | None = None
    sealed: str = ""


class Speaker:
    """Draws dialogues whose text is about as long as asked for."""

    def __init__(self, rng: Dice, body_bytes: int) -> None:
        self._rng = rng
        self._prose = Prose(rng)
        self._systems = [f"You help the {team} team." for team in ("finance", "care", "core", "web", "legal")]
        self.body_bytes = body_bytes

    def turns(self, characters: int) -> list[tuple[str, str]]:
        """Alternating messages, the last one a user's, of about ``characters`` in all."""
        question = self._prose.question()
        if characters > 500 and self._rng.random() < 0.6:
            third = characters // 3
            return [("user", question), ("assistant", self._prose.text(third)), ("user", self._prose.text(third))]
        rest = characters - len(question)
        return [("user", f"{question} {self._prose.text(rest)}" if rest > 40 else question)]

    def system(self) -> str:
        """One of a few system prompts: they repeat, as real ones do."""
        return self._rng.choice(self._systems)

    def text(self, characters: int) -> str:
        """Prose."""
        return self._prose.text(characters)

    def sealed(self, size: int) -> str:
        """Base64 of ``size`` random bytes."""
        return b64encode(self._rng.randbytes(size)).decode()

    def tool(self) -> ToolUse:
        """A tool call with arguments and a result."""
        noun, rng = self._prose.noun, self._rng
        arguments: Json = {"query": f"{noun()} {noun()}", "limit": rng.randrange(1, 50)}
        result = f'{{"{noun()}": {rng.randrange(1_000_000)}, "{noun()}": "{noun()}", "cursor": "{self.sealed(30)}"}}'
        return ToolUse(rng.choice(TOOLS), arguments, result, f"{rng.getrandbits(96):024x}")
