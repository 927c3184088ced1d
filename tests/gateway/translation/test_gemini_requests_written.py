"""What a conversation of any caller becomes as a generateContent request."""

import json
from typing import Any

import pytest
from messages_and_gemini import asking

from tollhouse.gateway.translation.conversation import (
    Conversation,
    Document,
    Image,
    OutputFormat,
    Part,
    Reasoning,
    ReasoningWish,
    Text,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from tollhouse.gateway.translation.gemini.halves import CALLER, PROVIDER
from tollhouse.gateway.translation.halves import UntranslatableError

NEW, OLD = "gemini-3.1-pro-preview", "gemini-2.5-flash"
PNG = Image(media_type="image/png", data="iVBOR")


def written(conversation: Conversation, model: str = OLD) -> dict[str, Any]:
    return json.loads(PROVIDER.write_request(conversation, model))


def config(conversation: Conversation, model: str = OLD) -> dict[str, Any]:
    return written(conversation, model).get("generationConfig", {})


def test_a_plain_question() -> None:
    assert written(asking(is_stream=True)) == {"contents": [{"role": "user", "parts": [{"text": "What is the time?"}]}]}


def test_limits_go_into_the_generation_config() -> None:
    conversation = asking(
        max_output_tokens=9,
        temperature=0.0,
        top_p=0.9,
        top_k=4,
        stop=["END"],
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.2,
    )
    assert config(conversation) == {
        "maxOutputTokens": 9,
        "temperature": 0.0,
        "topP": 0.9,
        "topK": 4,
        "stopSequences": ["END"],
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
    }


def test_a_seed_beyond_32_bits_is_named() -> None:
    conversation = asking(caller="openai_chat", seed=2**40)
    assert config(conversation) == {}
    assert conversation.losses == ["seed"]


def test_system_text_goes_first_wherever_it_stood() -> None:
    turns = [Turn("user", [Text("Hi")]), Turn("system", [Text("Be brief.")]), Turn("user", [Text("there")])]
    assert written(asking(turns=turns)) == {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}, {"text": "there"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
    }


def calls(*reasoning: Reasoning) -> list[Turn]:
    return [
        Turn("user", [Text("Hi")]),
        Turn(
            "assistant",
            [
                *reasoning,
                ToolUse(call_id="a", name="f", arguments='{"x":1}'),
                ToolUse(call_id="b", name="g", arguments="nonsense"),
            ],
        ),
        Turn("user", [Text("and"), ToolResult(call_id="b", content=[Text("B"), PNG])]),
        Turn("user", [ToolResult(call_id="a", content=[Text("A1"), Text("A2")], is_error=True)]),
    ]


def test_responses_come_first_in_the_calls_order_with_names_and_pictures_inside() -> None:
    contents = written(asking(turns=calls()), NEW)["contents"]
    assert contents[1:] == [
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {"id": "a", "name": "f", "args": {"x": 1}},
                    "thoughtSignature": "skip_thought_signature_validator",
                },
                {"functionCall": {"id": "b", "name": "g", "args": {"raw_arguments": "nonsense"}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "a", "name": "f", "response": {"error": "A1\nA2"}}},
                {
                    "functionResponse": {
                        "id": "b",
                        "name": "g",
                        "response": {"output": "B"},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBOR"}}],
                    }
                },
                {"text": "and"},
            ],
        },
    ]


def test_a_response_has_the_name_of_its_call_even_where_ids_repeat() -> None:
    turns = [
        Turn(role, [part])
        for name in ("f", "g")
        for role, part in (
            ("assistant", ToolUse(call_id="call_0", name=name, arguments="{}")),
            ("user", ToolResult(call_id="call_0")),
        )
    ]
    parts = [content["parts"][0] for content in written(asking(turns=turns))["contents"]]
    responses = [part["functionResponse"] for part in parts if "functionResponse" in part]
    assert [(response["id"], response["name"]) for response in responses] == [("call_0", "f"), ("call_0_2", "g")]


def test_before_3_pictures_come_after_all_responses_and_calls_need_no_signature() -> None:
    contents = written(asking(turns=calls()), OLD)["contents"]
    assert "thoughtSignature" not in contents[1]["parts"][0]
    assert [next(iter(part)) for part in contents[2]["parts"]] == [
        "functionResponse",
        "functionResponse",
        "inlineData",
        "text",
    ]


def test_its_own_signature_goes_back_to_the_first_call() -> None:
    turns = calls(Reasoning(wire="gemini", text="Hm", signature="c2ln"))
    parts = written(asking(turns=turns), NEW)["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [None, "c2ln", None]
    assert parts[0] == {"text": "Hm", "thought": True}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([Text("Said")], [{"text": "Said", "thoughtSignature": "c2ln"}]),
        ([], [{"text": "", "thoughtSignature": "c2ln"}]),
    ],
)
def test_without_calls_the_signature_goes_to_the_last_text(parts: list[Part], expected: object) -> None:
    turn = Turn("assistant", [Reasoning(wire="gemini", signature="c2ln"), *parts])
    assert written(asking(turns=[Turn("user", [Text("Hi")]), turn]))["contents"][1]["parts"] == expected


def test_others_reasoning_is_named() -> None:
    turn = Turn("assistant", [Reasoning(wire="anthropic_messages", text="Hm", signature="c2ln"), Text("Said")])
    conversation = asking(caller="anthropic_messages", turns=[Turn("user", [Text("Hi")]), turn])
    assert written(conversation)["contents"][1]["parts"] == [{"text": "Said"}]
    assert conversation.losses == ["messages[].content[].type=thinking"]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (PNG, {"inlineData": {"mimeType": "image/png", "data": "iVBOR"}}),
        (
            Image(url="https://e.com/a.webp?x=1"),
            {"fileData": {"mimeType": "image/webp", "fileUri": "https://e.com/a.webp?x=1"}},
        ),
        (Image(url="https://e.com/a"), {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://e.com/a"}}),
        (Document(url="https://e.com/a"), {"fileData": {"mimeType": "application/pdf", "fileUri": "https://e.com/a"}}),
        (
            Document(media_type="text/csv", data="YQ=="),
            {"inlineData": {"mimeType": "text/csv", "data": "YQ=="}},
        ),
    ],
)
def test_pictures_and_documents(part: Part, expected: object) -> None:
    assert written(asking(turns=[Turn("user", [part])]))["contents"][0]["parts"] == [expected]


def test_data_without_a_media_type_is_refused_in_the_callers_words() -> None:
    with pytest.raises(UntranslatableError) as caught:
        written(asking(caller="openai_responses", turns=[Turn("user", [Document(data="YQ==")])]))
    assert caught.value.field == "input[].content[].file_data"


def test_names_of_files_and_the_detail_of_pictures_are_named() -> None:
    parts: list[Part] = [
        Image(url="https://example.com/a.png", detail="high"),
        Document(media_type="application/pdf", data="JVBER", filename="a.pdf"),
    ]
    conversation = asking(caller="openai_chat", turns=[Turn("user", parts)])
    written(conversation)
    assert conversation.losses == [
        "messages[].content[].image_url.detail",
        "messages[].content[].file.filename",
    ]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("tool", "f"), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    ],
)
def test_tools_are_declared_by_json_schema(choice: ToolChoice | None, expected: object) -> None:
    schema = {"type": "object", "properties": {"x": {"exclusiveMinimum": 0}}, "additionalProperties": False}
    tools = [Tool(name="f", description="d", parameters={"$schema": "s", **schema}), Tool(name="g")]
    request = written(asking(tools=tools, tool_choice=choice))
    assert request["tools"] == [
        {"functionDeclarations": [{"name": "f", "description": "d", "parametersJsonSchema": schema}, {"name": "g"}]}
    ]
    assert request.get("toolConfig", {}).get("functionCallingConfig") == expected


def test_serial_and_strict_tools_are_named() -> None:
    conversation = asking(caller="openai_chat", tools=[Tool(name="f", is_strict=True)], has_parallel_tools=False)
    written(conversation)
    assert conversation.losses == ["parallel_tool_calls", "tools[].function.strict"]
    assert "toolConfig" not in written(asking(tool_choice=ToolChoice("auto")))


@pytest.mark.parametrize(
    ("wish", "model", "expected"),
    [
        (ReasoningWish(effort="none"), "gemini-2.5-flash", {"thinkingBudget": 0}),
        (ReasoningWish(effort="none"), "gemini-2.5-pro", {"thinkingBudget": 128}),
        (ReasoningWish(effort="none"), "gemini-3-flash-preview", {"thinkingLevel": "MINIMAL"}),
        (ReasoningWish(effort="none"), "gemini-3.1-pro-preview", {"thinkingLevel": "LOW"}),
        (ReasoningWish(), "gemini-2.5-flash", {"thinkingBudget": -1}),
        (ReasoningWish(is_shown=True), "gemini-flash-latest", {"includeThoughts": True}),
        (ReasoningWish(effort="low"), "gemini-2.5-flash", {"thinkingBudget": 1024}),
        (
            ReasoningWish(effort="max", is_shown=False),
            "gemini-2.5-pro",
            {"includeThoughts": False, "thinkingBudget": 24576},
        ),
        (ReasoningWish(budget_tokens=60_000), "gemini-2.5-flash", {"thinkingBudget": 24576}),
        (ReasoningWish(budget_tokens=500), "gemini-2.5-flash", {"thinkingBudget": 500}),
        (ReasoningWish(budget_tokens=500), "gemini-3-flash", {"thinkingLevel": "LOW"}),
        (ReasoningWish(budget_tokens=5000), "gemini-3-flash", {"thinkingLevel": "MEDIUM"}),
        (ReasoningWish(effort="medium"), "gemini-3-pro-preview", {"thinkingLevel": "HIGH"}),
        (ReasoningWish(effort="medium"), "gemini-3.1-pro", {"thinkingLevel": "MEDIUM"}),
        (ReasoningWish(effort="xhigh"), "gemini-4-pro", {"thinkingLevel": "HIGH"}),
    ],
)
def test_thinking_is_asked_for_as_the_model_takes_it(wish: ReasoningWish, model: str, expected: object) -> None:
    conversation = asking(reasoning=wish)
    assert config(conversation, model)["thinkingConfig"] == expected
    assert conversation.losses == []


def test_thinking_that_cannot_be_is_named() -> None:
    conversation = asking(caller="openai_chat", reasoning=ReasoningWish(effort="low"))
    assert config(conversation, "gemini-2.0-flash") == {}
    assert conversation.losses == ["reasoning_effort"]
    unwanted = asking(reasoning=ReasoningWish(effort="none"))
    assert config(unwanted, "gemini-2.0-flash") == {}
    assert unwanted.losses == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (OutputFormat(kind="json_object"), {"responseMimeType": "application/json"}),
        (
            OutputFormat(kind="json_schema", schema={"$schema": "s", "type": "object"}),
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
        ),
    ],
)
def test_formats_of_the_answer(wanted: OutputFormat, expected: object) -> None:
    assert config(asking(output_format=wanted)) == expected


def test_a_request_that_was_written_reads_as_the_same_conversation() -> None:
    conversation = Conversation(
        caller="gemini",
        model="m",
        turns=[
            Turn("system", [Text("Be brief.")]),
            Turn("user", [Text("Hi"), PNG]),
            Turn(
                "assistant",
                [
                    Reasoning(wire="gemini", signature="c2ln"),
                    ToolUse(call_id="a", name="f", arguments='{"é":1}'),
                    ToolUse(call_id="b", name="g", arguments="{}"),
                ],
            ),
            Turn(
                "user",
                [
                    ToolResult(call_id="a", name="f", content=[Text("A")]),
                    ToolResult(call_id="b", name="g", content=[Text("B")], is_error=True),
                ],
            ),
        ],
        tools=[Tool(name="f", description="d", parameters={"type": "object"})],
        tool_choice=ToolChoice("tool", "f"),
        max_output_tokens=99,
        temperature=0.5,
        stop=["END"],
        reasoning=ReasoningWish(effort="low", is_shown=True),
        output_format=OutputFormat(kind="json_schema", schema={"type": "object"}),
        includes_usage=True,
    )
    assert CALLER.read_request(written(conversation, "gemini-3-flash"), "m", is_stream=False) == conversation
