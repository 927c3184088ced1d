"""What a generateContent request says in the intermediate form."""

import pytest

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
from tollhouse.gateway.translation.gemini.halves import CALLER
from tollhouse.gateway.translation.halves import UntranslatableError

PNG = {"mimeType": "image/png", "data": "iVBOR"}


def read(**members: object) -> Conversation:
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], **members}
    return CALLER.read_request(body, "m", is_stream=False)


def parts_of(*parts: dict[str, object]) -> list[object]:
    return list(read(contents=[{"role": "user", "parts": list(parts)}]).turns[0].parts)


def test_limits_come_from_the_generation_config() -> None:
    config = {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40.0,
        "maxOutputTokens": 100,
        "stopSequences": ["END"],
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "candidateCount": 1,
        "responseModalities": ["TEXT"],
    }
    conversation = read(generationConfig=config)
    assert (conversation.temperature, conversation.top_p, conversation.top_k) == (0.5, 0.9, 40)
    assert (conversation.max_output_tokens, conversation.stop, conversation.seed) == (100, ["END"], 7)
    assert (conversation.presence_penalty, conversation.frequency_penalty) == (0.1, 0.2)
    assert conversation.losses == []


def test_snake_case_names_numbers_as_text_and_objects_in_the_place_of_arrays_are_taken() -> None:
    body = {
        "system_instruction": {"parts": {"text": "Be brief."}},
        "contents": {"parts": [{"inline_data": {"mime_type": "image/png", "data": "iVBOR"}}]},
        "generation_config": {
            "max_output_tokens": "100",
            "top_p": 0.5,
            "thinking_config": {"include_thoughts": True, "thinking_budget": 512},
        },
        "tool_config": {"function_calling_config": {"mode": "NONE"}},
        "safety_settings": [{"category": "C", "threshold": "T"}],
    }
    conversation = CALLER.read_request(body, "m", is_stream=True)
    assert conversation.turns == [
        Turn("system", [Text("Be brief.")]),
        Turn("user", [Image(media_type="image/png", data="iVBOR")]),
    ]
    assert (conversation.max_output_tokens, conversation.top_p) == (100, 0.5)
    assert conversation.reasoning == ReasoningWish(budget_tokens=512, is_shown=True)
    assert conversation.tool_choice == ToolChoice("none")
    assert conversation.losses == ["safety_settings"]


def test_calls_without_ids_are_answered_by_name_and_in_order() -> None:
    contents = [
        {"role": "user", "parts": [{"text": "Hi"}]},
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
                {"functionCall": {"name": "g"}},
                {"functionCall": {"name": "f", "args": {"a": 2}}},
            ],
        },
        {
            "role": "function",
            "parts": [
                {"functionResponse": {"name": "g", "response": {"output": "of g"}}},
                {"functionResponse": {"name": "f", "response": {"error": "no"}}},
                {"functionResponse": {"name": "f", "response": {"a": 1, "b": 2}}},
            ],
        },
    ]
    calls, results = read(contents=contents).turns[1:]
    assert calls.parts == [
        Reasoning(wire="gemini", signature="c2ln"),
        ToolUse(call_id="call_1_0", name="f", arguments='{"a":1}'),
        ToolUse(call_id="call_1_1", name="g", arguments="{}"),
        ToolUse(call_id="call_1_2", name="f", arguments='{"a":2}'),
    ]
    assert results == Turn(
        "user",
        [
            ToolResult(call_id="call_1_1", name="g", content=[Text("of g")]),
            ToolResult(call_id="call_1_0", name="f", content=[Text("no")], is_error=True),
            ToolResult(call_id="call_1_2", name="f", content=[Text('{"a":1,"b":2}')]),
        ],
    )


def test_ids_are_kept_where_they_are_given() -> None:
    contents = [
        {"role": "model", "parts": [{"functionCall": {"id": name, "name": "f", "args": {}}} for name in ("x", "y")]},
        {"parts": [{"functionResponse": {"id": name, "name": "f", "response": {}}} for name in ("y", "x")]},
    ]
    turns = read(contents=contents).turns
    assert [part.call_id for part in turns[1].parts if isinstance(part, ToolResult)] == ["y", "x"]


def test_thoughts_pictures_and_files() -> None:
    assert parts_of(
        {"text": "Hm", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "Said", "thoughtSignature": "bWVocg=="},
        {"inlineData": PNG},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBER", "displayName": "a.pdf"}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}},
        {"fileData": {"fileUri": "https://example.com/a.pdf"}},
        {"text": "", "thoughtSignature": "ZW5kZQ=="},
    ) == [
        Reasoning(wire="gemini", text="Hm", signature="c2ln"),
        Text("Said"),
        Reasoning(wire="gemini", signature="bWVocg=="),
        Image(media_type="image/png", data="iVBOR"),
        Document(media_type="application/pdf", data="JVBER", filename="a.pdf"),
        Image(media_type="image/png", url="https://example.com/a.png"),
        Document(url="https://example.com/a.pdf"),
        Text(""),
        Reasoning(wire="gemini", signature="ZW5kZQ=="),
    ]


def test_a_functions_response_may_hold_a_picture() -> None:
    contents = [
        {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
        {"parts": [{"functionResponse": {"name": "f", "response": {"result": [1]}, "parts": [{"inlineData": PNG}]}}]},
    ]
    assert read(contents=contents).turns[1].parts == [
        ToolResult(call_id="call_0_0", name="f", content=[Text("[1]"), Image(media_type="image/png", data="iVBOR")])
    ]


def test_googles_schemas_become_json_schemas() -> None:
    parameters = {
        "type": "OBJECT",
        "properties": {
            "size": {"type": "INTEGER", "nullable": True, "format": "int32"},
            "colour": {"type": "STRING", "format": "enum", "enum": ["red"], "nullable": True, "example": "red"},
            "type": {"type": "ARRAY", "items": {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]}, "minItems": "1"},
        },
        "required": ["size"],
        "propertyOrdering": ["size", "colour"],
    }
    tools = read(
        tools=[
            {
                "functionDeclarations": [
                    {"name": "f", "description": "d", "parameters": parameters},
                    {"name": "g", "parametersJsonSchema": {"type": "object", "x": 1}, "behavior": "BLOCKING"},
                ]
            }
        ]
    ).tools
    assert tools == [
        Tool(
            name="f",
            description="d",
            parameters={
                "type": "object",
                "properties": {
                    "size": {"type": ["integer", "null"], "format": "int32"},
                    "colour": {"type": ["string", "null"], "enum": ["red", None], "examples": ["red"]},
                    "type": {
                        "type": "array",
                        "items": {"anyOf": [{"type": "string"}, {"type": "number"}]},
                        "minItems": 1,
                    },
                },
                "required": ["size"],
            },
        ),
        Tool(name="g", parameters={"type": "object", "x": 1}),
    ]


@pytest.mark.parametrize(
    ("config", "expected", "names"),
    [
        ({"mode": "AUTO"}, ToolChoice("auto"), ["f", "g", "h"]),
        ({"mode": "NONE"}, ToolChoice("none"), ["f", "g", "h"]),
        ({"mode": "ANY"}, ToolChoice("required"), ["f", "g", "h"]),
        ({"mode": "ANY", "allowedFunctionNames": ["g"]}, ToolChoice("tool", "g"), ["g"]),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "h"]}, ToolChoice("required"), ["f", "h"]),
        ({"mode": "MODE_UNSPECIFIED"}, None, ["f", "g", "h"]),
        ({}, None, ["f", "g", "h"]),
    ],
)
def test_modes_of_function_calling(config: object, expected: ToolChoice | None, names: list[str]) -> None:
    tools = [{"functionDeclarations": [{"name": name} for name in ("f", "g", "h")]}]
    conversation = read(tools=tools, toolConfig={"functionCallingConfig": config})
    assert conversation.tool_choice == expected
    assert [tool.name for tool in conversation.tools] == names
    assert conversation.losses == []


def test_a_promise_that_others_do_not_make_is_named() -> None:
    conversation = read(toolConfig={"functionCallingConfig": {"mode": "VALIDATED"}})
    assert conversation.tool_choice is None
    assert conversation.losses == ["toolConfig.functionCallingConfig.mode=VALIDATED"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"thinkingBudget": 0}, ReasoningWish(effort="none")),
        ({"thinkingBudget": -1, "includeThoughts": True}, ReasoningWish(is_shown=True)),
        ({"thinkingBudget": 2048}, ReasoningWish(budget_tokens=2048)),
        ({"thinkingLevel": "high", "includeThoughts": False}, ReasoningWish(effort="high", is_shown=False)),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, None),
        ({"includeThoughts": False}, None),
    ],
)
def test_wishes_for_thinking(config: object, expected: ReasoningWish | None) -> None:
    assert read(generationConfig={"thinkingConfig": config}).reasoning == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"responseMimeType": "text/plain"}, None),
        ({"responseMimeType": "application/json"}, OutputFormat(kind="json_object")),
        (
            {"responseMimeType": "application/json", "responseSchema": {"type": "STRING"}},
            OutputFormat(kind="json_schema", schema={"type": "string"}),
        ),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "string"}},
            OutputFormat(kind="json_schema", schema={"type": "string"}),
        ),
    ],
)
def test_formats_of_the_answer(config: object, expected: OutputFormat | None) -> None:
    assert read(generationConfig=config).output_format == expected


def deep_schema(levels: int) -> dict[str, object]:
    schema: dict[str, object] = {"type": "STRING"}
    for _ in range(levels):
        schema = {"type": "ARRAY", "items": schema}
    return schema


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"cachedContent": "cachedContents/1"}, "cachedContent"),
        ({"tools": [{"googleSearch": {}}]}, "tools[0].googleSearch"),
        ({"tools": [{"code_execution": {}}]}, "tools[0].codeExecution"),
        ({"generationConfig": {"candidateCount": 2}}, "generationConfig.candidateCount"),
        ({"generationConfig": {"responseModalities": ["AUDIO"]}}, "generationConfig.responseModalities"),
        ({"generationConfig": {"responseMimeType": "text/x.enum"}}, "generationConfig.responseMimeType"),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "deep"}}},
            "generationConfig.thinkingConfig.thinkingLevel",
        ),
        ({"generationConfig": {"maxOutputTokens": -5}}, "generationConfig.maxOutputTokens"),
        ({"generationConfig": {"topK": 1.5}}, "generationConfig.topK"),
        ({"generationConfig": {"topP": 1, "top_p": 1}}, "generationConfig.top_p"),
        ({"contents": "Hi"}, "contents"),
        ({"contents": [{"role": "system", "parts": []}]}, "contents[0].role=system"),
        ({"contents": [{"parts": [{}]}]}, "contents[0].parts[0].text"),
        ({"contents": [{"parts": [{"executableCode": {"code": "1"}}]}]}, "contents[0].parts[0].executableCode"),
        (
            {"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": "UklGR"}}]}]},
            "contents[0].parts[0].inlineData.mimeType",
        ),
        (
            {"contents": [{"parts": [{"fileData": {"fileUri": "gs://bucket/a.png"}}]}]},
            "contents[0].parts[0].fileData.fileUri",
        ),
        (
            {"contents": [{"parts": [{"fileData": {"fileUri": "http://[/a.png"}}]}]},
            "contents[0].parts[0].fileData.fileUri",
        ),
        (
            {
                "contents": [
                    {"parts": [{"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/1"}}]}
                ]
            },
            "contents[0].parts[0].fileData.fileUri",
        ),
        (
            {"tools": [{"functionDeclarations": [{"name": "f", "parameters": deep_schema(70)}]}]},
            "tools[0].functionDeclarations[0].parameters",
        ),
    ],
)
def test_what_others_cannot_mean_is_refused_by_name(members: dict[str, object], field: str) -> None:
    with pytest.raises(UntranslatableError) as caught:
        read(**members)
    assert caught.value.field == field
