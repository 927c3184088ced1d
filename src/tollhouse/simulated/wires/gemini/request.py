"""Reads generateContent's request, and those that count tokens."""

from typing import Any

import msgspec

from tollhouse.simulated.asked import Asked, Limit, Tally, Tool, decoded
from tollhouse.simulated.refusals import RefusedError
from tollhouse.simulated.wires.gemini.spelling import in_camel_case

_OMITTED = msgspec.Raw(b"")


class _Struct(msgspec.Struct, rename="camel"):
    """Google's names, in camel case."""


class _FunctionPart(_Struct):
    name: str
    args: msgspec.Raw = _OMITTED
    response: msgspec.Raw = _OMITTED


class _Part(_Struct):
    text: str | None = None
    inline_data: msgspec.Raw = _OMITTED
    file_data: msgspec.Raw = _OMITTED
    function_call: _FunctionPart | None = None
    function_response: _FunctionPart | None = None


class _Content(_Struct):
    parts: list[_Part] = []
    role: str | None = None


class _Declaration(_Struct):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = _OMITTED
    parameters_json_schema: msgspec.Raw = _OMITTED


class _Tool(_Struct):
    function_declarations: list[_Declaration] = []


class _Calling(_Struct):
    mode: str = "AUTO"
    allowed_function_names: list[str] = []


class _ToolConfig(_Struct):
    function_calling_config: _Calling | None = None


class _Thinking(_Struct):
    include_thoughts: bool = False
    thinking_budget: int | None = None
    thinking_level: str | None = None


class _Generation(_Struct):
    max_output_tokens: Limit | None = None
    stop_sequences: list[str] = []
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: Any = None
    thinking_config: _Thinking | None = None


class _Generate(_Struct):
    contents: list[_Content] = []
    system_instruction: _Content | None = None
    tools: list[_Tool] = []
    tool_config: _ToolConfig | None = None
    generation_config: _Generation | None = None


class _Count(_Struct):
    contents: list[_Content] = []
    generate_content_request: _Generate | None = None


_DECODER = msgspec.json.Decoder(_Generate)
_COUNT_DECODER = msgspec.json.Decoder(_Count)


def read(body: bytes, model: str, *, is_stream: bool) -> Asked:
    """What the request asks. Raises RefusedError with Google's 400."""
    return _asked(decoded(_DECODER, in_camel_case(body)), model, is_stream=is_stream)


def read_count(body: bytes, model: str) -> Asked:
    """The same of a request that only counts tokens."""
    count = decoded(_COUNT_DECODER, in_camel_case(body))
    return _asked(count.generate_content_request or _Generate(contents=count.contents), model, is_stream=False)


def _asked(request: _Generate, model: str, *, is_stream: bool) -> Asked:
    if not request.contents:
        raise RefusedError(400, "* GenerateContentRequest.contents: contents is not specified")
    tally = Tally()
    tools = [_tool(one, tally) for tool in request.tools for one in tool.function_declarations]
    for part in request.system_instruction.parts if request.system_instruction else []:
        _part(part, tally)
    for content in request.contents:
        tally.turn("tool" if _has_results(content) else content.role or "user")
        for part in content.parts:
            _part(part, tally)
    calling = (request.tool_config and request.tool_config.function_calling_config) or _Calling()
    generation = request.generation_config or _Generation()
    last = request.contents[-1]
    asked = Asked(
        model=model,
        is_stream=is_stream,
        is_users_turn=last.role in {None, "user"} and not _has_results(last),
        tools=tools,
        forced=next(iter(calling.allowed_function_names), "") if calling.mode == "ANY" else None,
        may_call=calling.mode != "NONE",
        thinks=_thinks(generation.thinking_config),
        shows_thinking=generation.thinking_config is not None and generation.thinking_config.include_thoughts,
        schema=_schema(generation),
        max_tokens=generation.max_output_tokens,
        stops=generation.stop_sequences,
    )
    return tally.put(asked)


def _has_results(content: _Content) -> bool:
    return any(part.function_response for part in content.parts)


def _tool(tool: _Declaration, tally: Tally) -> Tool:
    read_tool = Tool(tool.name, bytes(tool.parameters_json_schema) or bytes(tool.parameters) or b"{}")
    tally.tool(read_tool, tool.description)
    return read_tool


def _part(part: _Part, tally: Tally) -> None:
    if part.inline_data or part.file_data:
        tally.image()
    elif part.function_call:
        tally.text(part.function_call.name)
        tally.text(bytes(part.function_call.args).decode())
    elif part.function_response:
        tally.text(bytes(part.function_response.response).decode())
    else:
        tally.text(part.text)


def _thinks(config: _Thinking | None) -> bool:
    if config is None:
        return False
    return config.thinking_budget != 0 if config.thinking_level is None else True


def _schema(generation: _Generation) -> Any:
    if generation.response_mime_type != "application/json":
        return None
    return generation.response_json_schema or generation.response_schema or {}
