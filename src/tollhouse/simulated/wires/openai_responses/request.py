"""Reads a request for a response."""

from typing import Any

import msgspec

from tollhouse.simulated.asked import Asked, Limit, Tally, Tool, decoded
from tollhouse.simulated.refusals import RefusedError

_OMITTED = msgspec.Raw(b"")
_MEDIA = {"input_image", "input_file", "input_audio"}
_CALLS = {"function_call", "custom_tool_call"}
_RESULTS = {"function_call_output", "custom_tool_call_output"}
_ECHOED = (
    "instructions",
    "max_output_tokens",
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "truncation",
)


class _Part(msgspec.Struct):
    type: str
    text: str | None = None
    refusal: str | None = None


class _Item(msgspec.Struct):
    type: str = "message"
    role: str | None = None
    content: str | list[_Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    input: str | None = None
    output: str | list[_Part] | None = None
    summary: list[_Part] = []


class _Tool(msgspec.Struct):
    type: str
    name: str | None = None
    description: str | None = None
    parameters: msgspec.Raw = _OMITTED


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None


class _Reasoning(msgspec.Struct):
    effort: str | None = None
    summary: str | None = None


class _Format(msgspec.Struct):
    type: str = "text"
    schema: dict[str, Any] | None = None


class _Text(msgspec.Struct):
    format: _Format | None = None


class _Request(msgspec.Struct):
    model: str
    input: str | list[_Item]
    instructions: str | None = None
    stream: bool | None = None
    store: bool | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    include: list[str] | None = None
    tools: list[_Tool] | None = None
    tool_choice: str | _Choice | None = None
    parallel_tool_calls: bool | None = None
    reasoning: _Reasoning | None = None
    max_output_tokens: Limit | None = None
    text: _Text | None = None


class ResponsesAsked(Asked):
    """``echoed`` are the request's fields that the response repeats; ``input`` the input as JSON."""

    stores: bool = True
    is_background: bool = False
    previous_id: str | None = None
    echoed: dict[str, msgspec.Raw] = {}
    input: bytes = b"[]"
    calls: list[str] = []
    results: list[str] = []
    has_summary: bool = False
    has_encrypted: bool = False


_DECODER = msgspec.json.Decoder(_Request)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read(body: bytes) -> ResponsesAsked:
    """What the request asks. Raises RefusedError with OpenAI's 400; ``check_calls`` has to come after it."""
    request, fields, tally = decoded(_DECODER, body), decoded(_FIELDS, body), Tally()
    tools = [tool for one in request.tools or [] if (tool := _tool(one, tally)) is not None]
    tally.text(request.instructions)
    items = _counted(request.input, tally)
    reasoning = request.reasoning or _Reasoning()
    asked = ResponsesAsked(
        model=request.model,
        is_stream=bool(request.stream),
        stores=request.store is not False,
        is_background=bool(request.background),
        previous_id=request.previous_response_id,
        echoed={name: fields[name] for name in _ECHOED if name in fields},
        input=bytes(fields["input"]),
        calls=[str(item.call_id) for item in items if item.type in _CALLS],
        results=[str(item.call_id) for item in items if item.type in _RESULTS],
        is_users_turn=bool(items) and items[-1].role == "user",
        tools=tools,
        forced=_forced(request.tool_choice),
        may_call=request.tool_choice != "none",
        is_parallel=request.parallel_tool_calls is not False,
        thinks=reasoning.effort not in {None, "none", "minimal"},
        has_summary=reasoning.summary is not None,
        has_encrypted="reasoning.encrypted_content" in (request.include or []),
        schema=_schema(request.text),
        max_tokens=request.max_output_tokens,
    )
    tally.put(asked)
    return asked


def _counted(given: str | list[_Item], tally: Tally) -> list[_Item]:
    items = [_Item(role="user", content=given)] if isinstance(given, str) else given
    for item in items:
        _count(item, tally)
    return items


def check_calls(asked: ResponsesAsked, earlier: list[str]) -> None:
    """Every call, those of the ``earlier`` response among them, has its result, and every result its call."""
    known = {*asked.calls, *earlier}
    for call in asked.results:
        if call not in known:
            message = f"No tool call found for function call output with call_id {call}."
            raise RefusedError(400, message, param="input")
    for call in known.difference(asked.results):
        raise RefusedError(400, f"No tool output found for function call {call}.", param="input")


def _tool(tool: _Tool, tally: Tally) -> Tool | None:
    """None for a tool that the provider itself would run."""
    read_tool = Tool(tool.name or tool.type, bytes(tool.parameters) or b"{}", tool.type == "custom")
    tally.tool(read_tool, tool.description)
    return read_tool if tool.type in {"function", "custom"} else None


def _count(item: _Item, tally: Tally) -> None:
    tally.turn(item.role or ("tool" if item.type in _RESULTS else "assistant"))
    _content(item.content, tally)
    _content(item.output, tally)
    _content(item.summary, tally)
    for text in (item.name, item.arguments, item.input):
        tally.text(text)


def _content(content: str | list[_Part] | None, tally: Tally) -> None:
    if content is None or isinstance(content, str):
        tally.text(content)
        return
    for part in content:
        tally.image() if part.type in _MEDIA else tally.text(part.text or part.refusal)


def _forced(choice: str | _Choice | None) -> str | None:
    if isinstance(choice, _Choice):
        return choice.name
    return "" if choice == "required" else None


def _schema(text: _Text | None) -> Any:
    wanted = (text and text.format) or _Format()
    return None if wanted.type == "text" else wanted.schema or {}
