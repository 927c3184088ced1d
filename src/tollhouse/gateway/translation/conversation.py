"""The intermediate form of a request: what is asked, in no provider's words."""

from typing import Any, Literal

import msgspec

from tollhouse.gateway.wires import GenerativeWire

Json = Any


class Text(msgspec.Struct, tag=True):
    """Plain text."""

    text: str


class Image(msgspec.Struct, tag=True, kw_only=True):
    """A picture: base64 ``data`` with its ``media_type``, or a ``url``."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    detail: str | None = None


class Document(msgspec.Struct, tag=True, kw_only=True):
    """A file given in the request itself, as base64 (a PDF, say), or by url; ids of stored files are refused."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    filename: str | None = None


class ToolUse(msgspec.Struct, tag=True, kw_only=True):
    """The model calls a tool; ``arguments`` is the JSON text of an object, as the model wrote it."""

    call_id: str
    name: str
    arguments: str


class ToolResult(msgspec.Struct, tag=True, kw_only=True):
    """What a tool answered; ``name`` where the protocol says it or an earlier ToolUse of the same id has it."""

    call_id: str
    name: str | None = None
    content: list[Text | Image | Document] = []
    is_error: bool = False


class Reasoning(msgspec.Struct, tag=True, kw_only=True):
    """A reasoning block that ``wire``'s provider made; only that protocol can be given its ``signature`` again."""

    wire: GenerativeWire
    text: str = ""
    signature: str | None = None


Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Role = Literal["system", "user", "assistant"]
Part = Text | Image | Document | ToolUse | ToolResult | Reasoning


class Turn(msgspec.Struct):
    """Consecutive parts of one role. System text may come first or in the middle, as coding agents send it."""

    role: Role
    parts: list[Part]


class Tool(msgspec.Struct, kw_only=True):
    """A function that the caller runs; ``parameters`` is its JSON Schema.

    ``namespace`` and ``is_free_text`` (OpenAI's custom tools) are for the caller's half alone: it has put the first
    before the name and the second into the parameters, as the only string ``input``.
    """

    name: str
    description: str | None = None
    parameters: Json = None
    is_strict: bool | None = None
    namespace: str | None = None
    is_free_text: bool = False


class ToolChoice(msgspec.Struct):
    """Whether the model may (``auto``), must (``required``), must not (``none``) call tools, or must call ``name``."""

    mode: Literal["auto", "none", "required", "tool"]
    name: str | None = None


class ReasoningWish(msgspec.Struct, kw_only=True):
    """How much to reason: an effort word, a budget in tokens, or both; ``is_shown`` where the caller would read it."""

    effort: Effort | None = None
    budget_tokens: int | None = None
    is_shown: bool | None = None


class OutputFormat(msgspec.Struct, kw_only=True):
    """JSON, of any shape or of ``schema`` (JSON Schema)."""

    kind: Literal["json_object", "json_schema"]
    name: str | None = None
    schema: Json = None
    is_strict: bool | None = None


class Conversation(msgspec.Struct, kw_only=True):
    """A generative request. ``losses`` names, in the words of ``caller``, each field that was dropped on the way."""

    caller: GenerativeWire | None = None
    model: str
    turns: list[Turn]
    tools: list[Tool] = []
    tool_choice: ToolChoice | None = None
    has_parallel_tools: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] = []
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    reasoning: ReasoningWish | None = None
    output_format: OutputFormat | None = None
    is_stream: bool = False
    includes_usage: bool = False
    losses: list[str] = []
