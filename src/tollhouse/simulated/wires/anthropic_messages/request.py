"""Reads a message's request, and the one that only counts its tokens."""

from typing import Any

import msgspec

from tollhouse.simulated.asked import Asked, Limit, Tally, Tool, decoded
from tollhouse.simulated.refusals import RefusedError

_OMITTED = msgspec.Raw(b"")
_MEDIA = {"image", "document"}
_CacheControl = dict[str, Any] | None


class _Block(msgspec.Struct):
    type: str
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = _OMITTED
    tool_use_id: str | None = None
    content: msgspec.Raw = _OMITTED
    cache_control: _CacheControl = None


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Block]


class _Tool(msgspec.Struct):
    name: str
    type: str | None = None
    description: str | None = None
    input_schema: msgspec.Raw = _OMITTED
    cache_control: _CacheControl = None


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool = False


class _Thinking(msgspec.Struct):
    type: str
    display: str | None = None


class _Format(msgspec.Struct):
    type: str
    schema: dict[str, Any] | None = None


class _OutputConfig(msgspec.Struct):
    format: _Format | None = None


class _Request(msgspec.Struct):
    model: str
    messages: list[_Message]
    max_tokens: Limit | None = None
    system: str | list[_Block] | None = None
    stream: bool | None = None
    tools: list[_Tool] | None = None
    tool_choice: _Choice | None = None
    thinking: _Thinking | None = None
    stop_sequences: list[str] | None = None
    output_config: _OutputConfig | None = None
    cache_control: _CacheControl = None


_DECODER = msgspec.json.Decoder(_Request)
_CONTENT = msgspec.json.Decoder(str | list[_Block])


def read(body: bytes, *, is_count: bool = False) -> Asked:
    """What the request asks. Raises RefusedError with Anthropic's 400; a count needs no ``max_tokens``."""
    request = decoded(_DECODER, body)
    if request.max_tokens is None and not is_count:
        raise RefusedError(400, "max_tokens: Field required")
    _check(request.messages)
    tally = Tally()
    tools = [tool for one in request.tools or [] if (tool := _tool(one, tally)) is not None]
    _blocks(request.system or "", tally)
    for message in request.messages:
        tally.turn("tool" if _has_results(message) else message.role)
        _blocks(message.content, tally)
    tally.mark(request.cache_control)
    choice = request.tool_choice or _Choice("auto")
    asked = Asked(
        model=request.model,
        is_stream=bool(request.stream),
        has_automatic_cache=False,
        is_users_turn=request.messages[-1].role == "user" and not _has_results(request.messages[-1]),
        tools=tools,
        forced={"any": "", "tool": choice.name}.get(choice.type),
        may_call=choice.type != "none",
        is_parallel=not choice.disable_parallel_tool_use,
        thinks=request.thinking is not None and request.thinking.type != "disabled",
        schema=_schema(request.output_config),
        max_tokens=request.max_tokens,
        stops=request.stop_sequences or [],
    )
    return tally.put(asked)


def _check(messages: list[_Message]) -> None:
    if not messages:
        raise RefusedError(400, "messages: at least one message is required")
    open_calls: set[str] = set()
    for index, message in enumerate(messages):
        if message.role not in {"user", "assistant", "system"}:
            raise RefusedError(400, f"messages.{index}.role: Input should be 'user' or 'assistant'")
        blocks = [] if isinstance(message.content, str) else message.content
        results = {str(block.tool_use_id) for block in blocks if block.type == "tool_result"}
        if open_calls - results:
            raise RefusedError(400, _unanswered(index - 1, open_calls - results))
        if results - open_calls:
            found = ", ".join(sorted(results - open_calls))
            raise RefusedError(
                400, f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {found}"
            )
        open_calls = {str(block.id) for block in blocks if block.type == "tool_use"}
    if open_calls:
        raise RefusedError(400, _unanswered(len(messages) - 1, open_calls))


def _unanswered(index: int, calls: set[str]) -> str:
    found = ", ".join(sorted(calls))
    return (
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {found}. "
        "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def _has_results(message: _Message) -> bool:
    return not isinstance(message.content, str) and any(block.type == "tool_result" for block in message.content)


def _tool(tool: _Tool, tally: Tally) -> Tool | None:
    """None for a server tool, which the caller does not run."""
    read_tool = Tool(tool.name, bytes(tool.input_schema) or b"{}")
    tally.tool(read_tool, tool.description)
    tally.mark(tool.cache_control)
    return read_tool if tool.input_schema else None


def _blocks(content: str | list[_Block], tally: Tally) -> None:
    if isinstance(content, str):
        tally.text(content)
        return
    for block in content:
        if block.type in _MEDIA:
            tally.image()
        elif block.type == "tool_use":
            tally.text(block.name)
            tally.text(bytes(block.input).decode())
        elif block.type == "tool_result":
            _blocks(decoded(_CONTENT, bytes(block.content)) if block.content else "", tally)
        else:
            tally.text(block.text or block.thinking)
        tally.mark(block.cache_control)


def _schema(config: _OutputConfig | None) -> Any:
    return (config.format.schema or {}) if config is not None and config.format is not None else None
