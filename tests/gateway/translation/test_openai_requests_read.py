"""What the OpenAI callers' requests come to in the intermediate form."""

from typing import Any

import pytest
from whole_requests import REQUESTS, SCHEMA

from tollhouse.gateway.translation.conversation import (
    Conversation,
    Document,
    Image,
    OutputFormat,
    Reasoning,
    ReasoningWish,
    Text,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from tollhouse.gateway.translation.halves import UntranslatableError
from tollhouse.gateway.translation.openai_chat.halves import CALLER as CHAT
from tollhouse.gateway.translation.openai_responses.halves import CALLER as RESPONSES

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}


def chat(**members: Any) -> Conversation:
    return CHAT.read_request(ASK | members, "m", is_stream=False)


def responses(**members: Any) -> Conversation:
    return RESPONSES.read_request({"input": "Hi"} | members, "m", is_stream=False)


def test_a_chat_request_with_every_field() -> None:
    asked = CHAT.read_request(REQUESTS["openai_chat"][0], "claude", is_stream=True)

    assert asked.turns == [
        Turn("system", [Text("Be brief."), Text("Be kind.")]),
        Turn(
            "user",
            [
                Text("What is this?"),
                Image(media_type="image/png", data="iVBORw0KGgo=", detail="low"),
                Document(media_type="application/pdf", data="JVBERi0=", filename="a.pdf"),
            ],
        ),
        Turn(
            "assistant",
            [
                Reasoning(wire="openai_chat", text="Hm"),
                Text("A dot."),
                Text("No more."),
                Text("Really."),
                ToolUse(call_id="c1", name="add", arguments='{"a":1}'),
                ToolUse(call_id="c2", name="patch", arguments='{"input":"*** Begin"}'),
            ],
        ),
        Turn(
            "user",
            [
                ToolResult(call_id="c1", name="add", content=[Text("2")]),
                ToolResult(call_id="c2", name="patch", content=[Text("done")]),
            ],
        ),
        Turn("assistant", [Reasoning(wire="gemini", text="Hm", signature="s"), Text("Two.")]),
        Turn("user", [Text("Thanks")]),
    ]
    assert asked.tools[0] == Tool(name="add", description="d", parameters=SCHEMA, is_strict=True)
    assert [tool.name for tool in asked.tools] == ["add", "patch", "flat"]
    assert asked.tool_choice == ToolChoice("tool", "add")
    assert asked.output_format == OutputFormat(kind="json_schema", name="n", schema=SCHEMA, is_strict=True)
    assert asked.reasoning == ReasoningWish(effort="high")
    assert (asked.model, asked.is_stream, asked.includes_usage) == ("claude", True, True)
    assert (asked.max_output_tokens, asked.stop, asked.seed, asked.has_parallel_tools) == (10, ["END"], 7, False)


def test_codex_tools_among_the_input_and_in_namespaces() -> None:
    asked = RESPONSES.read_request(REQUESTS["openai_responses"][0], "claude", is_stream=True)

    assert [(tool.name, tool.namespace, tool.is_free_text) for tool in asked.tools] == [
        ("add", None, False),
        ("patch", None, True),
        ("mcp__lake__rows", "mcp__lake", False),
        ("mcp__lake__sql", "mcp__lake", True),
        ("more", None, False),
        ("free", None, True),
        ("other__f", "other", False),
        ("other__c", "other", True),
    ]
    assert asked.tool_choice == ToolChoice("tool", "mcp__lake__rows")


def test_a_responses_request_with_every_field() -> None:
    asked = RESPONSES.read_request(REQUESTS["openai_responses"][0], "claude", is_stream=True)

    picture = Image(media_type="image/png", data="iVBORw0KGgo=", detail="low")
    file = Document(media_type="application/pdf", data="JVBERi0=", filename="a.pdf")
    link = Document(url="https://example.com/a.pdf")
    assert asked.turns == [
        Turn("system", [Text("Be brief."), Text("Be kind."), Text("Be quick.")]),
        Turn("user", [Text("What is this?"), Text("And this?"), picture, file, link]),
        Turn(
            "assistant",
            [
                Reasoning(wire="anthropic_messages", text="HmHmm", signature="sig"),
                Text("A dot."),
                Text("No more."),
                ToolUse(call_id="c1", name="mcp__lake__rows", arguments='{"a":1}'),
                ToolUse(call_id="c2", name="patch", arguments='{"input":"*** Begin"}'),
            ],
        ),
        Turn(
            "user",
            [
                ToolResult(call_id="c1", name="mcp__lake__rows", content=[Text("2"), picture, file, link]),
                ToolResult(call_id="c2", name="patch", content=[Text("done")]),
            ],
        ),
    ]
    assert asked.reasoning == ReasoningWish(effort="high", is_shown=True)
    assert asked.output_format == OutputFormat(kind="json_schema", name="n", schema=SCHEMA, is_strict=True)


def test_input_may_be_a_text() -> None:
    assert responses(input="Hi", instructions="Be brief.").turns == [
        Turn("system", [Text("Be brief.")]),
        Turn("user", [Text("Hi")]),
    ]


def test_openais_own_reasoning_has_no_makers_name() -> None:
    asked = responses(input=[{"type": "reasoning", "summary": [], "encrypted_content": "gAAAAA:x"}])

    assert asked.turns == [Turn("assistant", [Reasoning(wire="openai_responses", signature="gAAAAA:x")])]


def test_a_custom_tool_is_a_function_with_one_string_and_its_grammar_in_the_description() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
    flat = responses(tools=[{"type": "custom", "name": "patch", "description": "Edit.", "format": grammar}])
    nested = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: x"}}
    custom = {"name": "patch", "description": "Edit.", "format": nested}

    (tool,) = flat.tools
    assert chat(tools=[{"type": "custom", "custom": custom}]).tools == [tool]
    assert tool.is_free_text
    assert tool.description == "Edit.\n\nThe input must follow this lark grammar:\nstart: x"
    assert list(tool.parameters["properties"]) == ["input"]
    assert flat.losses == ["tools[].format"]


def test_the_grammar_is_told_where_there_is_no_description() -> None:
    grammar = {"type": "grammar", "syntax": "regex", "definition": "a+"}

    (tool,) = responses(tools=[{"type": "custom", "name": "patch", "format": grammar}]).tools

    assert tool.description == "The input must follow this regex grammar:\na+"


def test_cursors_function_call_of_a_custom_tool_is_free_text() -> None:
    tools = [{"type": "custom", "name": "patch"}, {"type": "function", "name": "add"}]
    call = {"type": "function_call", "call_id": "c1", "arguments": "*** Begin"}

    asked = responses(tools=tools, input=[{**call, "name": "patch"}, {**call, "name": "add"}])

    assert [part.arguments for part in asked.turns[0].parts] == ['{"input":"*** Begin"}', "*** Begin"]


@pytest.mark.parametrize(
    ("choice", "expected", "names"),
    [
        ("auto", ToolChoice("auto"), ["a", "b"]),
        ("none", ToolChoice("none"), ["a", "b"]),
        ("required", ToolChoice("required"), ["a", "b"]),
        ({"type": "function", "name": "b"}, ToolChoice("tool", "b"), ["a", "b"]),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "b"}]},
            ToolChoice("auto"),
            ["b"],
        ),
    ],
)
def test_choices_among_the_tools(choice: Any, expected: ToolChoice, names: list[str]) -> None:
    tools = [{"type": "function", "name": name} for name in "ab"]

    for asked in (responses(tools=tools, tool_choice=choice), chat(tools=tools, tool_choice=choice)):
        assert asked.tool_choice == expected
        assert [tool.name for tool in asked.tools] == names


def test_pictures_and_files_in_their_shapes() -> None:
    content = [
        {"type": "image_url", "image_url": "https://example.com/a.png"},
        {"type": "image_url", "image_url": {"url": "DATA:image/gif;base64,R0lG"}},
        {"type": "file", "file": {"file_data": "eA==", "filename": "notes.txt"}},
        {"type": "file", "file": {"file_data": "JVBERi0="}},
    ]

    assert chat(messages=[{"role": "user", "content": content}]).turns[0].parts == [
        Image(url="https://example.com/a.png"),
        Image(media_type="image/gif", data="R0lG"),
        Document(media_type="text/plain", data="eA==", filename="notes.txt"),
        Document(media_type="application/pdf", data="JVBERi0="),
    ]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, "messages[0].role=robot"),
        ({"messages": [{"content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "Hi"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c"}]}]}, "messages[0].tool_calls[0].function"),
        ({"max_tokens": "10"}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 10.5}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"parallel_tool_calls": 1}, "parallel_tool_calls"),
        ({"stop": [1]}, "stop[0]"),
        ({"reasoning_effort": "extreme"}, "reasoning_effort"),
        ({"tools": {"a": 1}}, "tools"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type=web_search"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"n": 2}, "n"),
        ({"audio": {"voice": "x"}}, "audio"),
    ],
)
def test_a_chat_request_that_cannot_be_read_is_refused_by_the_field(members: dict[str, Any], field: str) -> None:
    with pytest.raises(UntranslatableError) as refusal:
        chat(**members)

    assert refusal.value.field == field
    assert str(refusal.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"input": []}, "input"),
        ({"input": ""}, "input"),
        ({"input": 7}, "input"),
        ({"input": [7]}, "input[0]"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type=item_reference"),
        ({"input": [{"type": "web_search_call", "id": "x"}]}, "input[0].type=web_search_call"),
        ({"input": [{"type": "function_call", "name": "a"}]}, "input[0].call_id"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "input[0].content[0].type=input_audio"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
            "input[0].content[0].file_id",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png,x"}]}]},
            "input[0].content[0].image_url",
        ),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type=web_search"),
        ({"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "mcp"}]}]}, "tools[0].tools[0].type=mcp"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice.type=file_search"),
        ({"instructions": ["x"]}, "instructions"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type=xml"),
    ],
)
def test_a_responses_request_that_cannot_be_read_is_refused_by_the_field(members: dict[str, Any], field: str) -> None:
    with pytest.raises(UntranslatableError) as refusal:
        responses(**members)

    assert refusal.value.field == field


def test_store_is_dropped_and_named_only_where_it_was_wished_for() -> None:
    assert responses(store=True, background=False, previous_response_id=None).losses == ["store"]
    assert responses(store=False).losses == []
