"""Reads a chat completion's request."""

from typing import Any

import msgspec

from tollhouse.simulated.asked import Asked, Choices, Limit, Tally, Tool, decoded
from tollhouse.simulated.refusals import RefusedError

_OMITTED = msgspec.Raw(b"")
_MEDIA = {"image_url", "input_audio", "file"}
_ROLES = {"system", "developer", "user", "assistant", "tool", "function"}


class _Part(msgspec.Struct):
    type: str
    text: str | None = None
    refusal: str | None = None


class _Function(msgspec.Struct):
    name: str
    description: str | None = None
    arguments: str | None = None
    input: str | None = None
    parameters: msgspec.Raw = _OMITTED


class _Call(msgspec.Struct):
    id: str
    function: _Function | None = None
    custom: _Function | None = None


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None


class _Tool(msgspec.Struct):
    type: str = "function"
    function: _Function | None = None
    custom: _Function | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Named(msgspec.Struct):
    schema: dict[str, Any] | None = None


class _Format(msgspec.Struct):
    type: str
    json_schema: _Named | None = None


class _Chat(msgspec.Struct):
    model: str
    messages: list[_Message]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    tools: list[_Tool] | None = None
    tool_choice: str | _Tool | None = None
    parallel_tool_calls: bool | None = None
    response_format: _Format | None = None
    reasoning_effort: str | None = None
    max_tokens: Limit | None = None
    max_completion_tokens: Limit | None = None
    stop: str | list[str] | None = None
    n: Choices | None = None


class ChatAsked(Asked):
    """``has_usage`` where the caller asked for the usage chunk of a stream."""

    has_usage: bool = False


_DECODER = msgspec.json.Decoder(_Chat)


def read(body: bytes) -> ChatAsked:
    """What the request asks. Raises RefusedError with OpenAI's 400."""
    chat = decoded(_DECODER, body)
    _check(chat.messages)
    tally = Tally()
    tools = [_tool(tool, tally) for tool in chat.tools or []]
    for message in chat.messages:
        _count(message, tally)
    asked = ChatAsked(
        model=chat.model,
        is_stream=bool(chat.stream),
        has_usage=bool(chat.stream_options and chat.stream_options.include_usage),
        is_users_turn=chat.messages[-1].role == "user",
        tools=tools,
        forced=_forced(chat.tool_choice),
        may_call=chat.tool_choice != "none",
        is_parallel=chat.parallel_tool_calls is not False,
        thinks=chat.reasoning_effort not in {None, "none", "minimal"},
        schema=_schema(chat.response_format),
        max_tokens=chat.max_completion_tokens or chat.max_tokens,
        stops=[chat.stop] if isinstance(chat.stop, str) else chat.stop or [],
        choices=chat.n or 1,
    )
    tally.put(asked)
    return asked


def _check(messages: list[_Message]) -> None:
    if not messages:
        raise RefusedError(400, "Invalid 'messages': empty array. Expected at least 1 message.", param="messages")
    open_calls: set[str] = set()
    for index, message in enumerate(messages):
        if message.role not in _ROLES:
            raise RefusedError(400, f"Invalid value: '{message.role}'.", param=f"messages[{index}].role")
        if message.role == "tool":
            _answer(message, open_calls, index)
        elif open_calls:
            raise RefusedError(400, _unanswered(open_calls), param=f"messages[{index}].role")
        open_calls |= {call.id for call in message.tool_calls or []}
    if open_calls:
        raise RefusedError(400, _unanswered(open_calls), param="messages")


def _answer(message: _Message, open_calls: set[str], index: int) -> None:
    if message.tool_call_id not in open_calls:
        raise RefusedError(
            400,
            "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
            param=f"messages[{index}].role",
        )
    open_calls.discard(message.tool_call_id)


def _unanswered(calls: set[str]) -> str:
    return (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {', '.join(sorted(calls))}"
    )


def _tool(tool: _Tool, tally: Tally) -> Tool:
    function = tool.function or tool.custom
    if function is None:
        raise RefusedError(400, f"Invalid tool of type '{tool.type}': no function.", param="tools")
    read_tool = Tool(function.name, bytes(function.parameters) or b"{}", tool.function is None)
    tally.tool(read_tool, function.description)
    return read_tool


def _count(message: _Message, tally: Tally) -> None:
    tally.turn(message.role)
    if isinstance(message.content, str):
        tally.text(message.content)
    else:
        for part in message.content or []:
            tally.image() if part.type in _MEDIA else tally.text(part.text or part.refusal)
    for call in message.tool_calls or []:
        function = call.function or call.custom
        if function is not None:
            tally.text(function.name)
            tally.text(function.arguments or function.input)


def _forced(choice: str | _Tool | None) -> str | None:
    if isinstance(choice, _Tool):
        function = choice.function or choice.custom
        return function.name if function else None
    return "" if choice == "required" else None


def _schema(wanted: _Format | None) -> Any:
    if wanted is None or wanted.type == "text":
        return None
    return (wanted.json_schema and wanted.json_schema.schema) or {}
