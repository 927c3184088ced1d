"""What a conversation of any caller becomes as a Messages request."""

import json
from typing import Any

import pytest
from messages_and_gemini import asking

from tollhouse.gateway.translation.anthropic_messages.halves import CALLER, PROVIDER
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
from tollhouse.gateway.translation.halves import UntranslatableError

NEW, OLD = "claude-opus-4-8", "claude-sonnet-4-5-20250929"
TOOL = Tool(name="f", parameters={"properties": {}})


def written(conversation: Conversation, model: str = NEW) -> dict[str, Any]:
    return json.loads(PROVIDER.write_request(conversation, model))


def messages(*turns: Turn) -> list[dict[str, Any]]:
    return written(asking(turns=list(turns)))["messages"]


def test_a_plain_question_needs_a_limit_which_is_given() -> None:
    assert written(asking()) == {
        "model": NEW,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "What is the time?"}]}],
        "max_tokens": 16384,
    }
    assert written(asking(), "claude-3-haiku-20240307")["max_tokens"] == 4096
    assert written(asking(max_output_tokens=7, is_stream=True)) == {
        **written(asking()),
        "max_tokens": 7,
        "stream": True,
    }


def test_system_text_goes_first_wherever_it_stood() -> None:
    turns = [
        Turn("system", [Text("One")]),
        Turn("user", [Text("Hi")]),
        Turn("system", [Text("Two")]),
        Turn("user", [Text("there")]),
    ]
    request = written(asking(turns=turns))
    assert request["system"] == [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]
    assert request["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]}
    ]


def test_system_text_alone_is_the_users() -> None:
    request = written(asking(turns=[Turn("system", [Text("Say hi.")])]))
    assert "system" not in request
    assert request["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Say hi."}]}]


def test_blank_text_is_left_out_and_nothing_at_all_is_refused() -> None:
    assert messages(Turn("user", [Text("Hi"), Text(" \n")]), Turn("assistant", [Text("")])) == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
    ]
    with pytest.raises(UntranslatableError, match="holds no text"):
        messages(Turn("user", [Text("")]))


def test_results_directly_follow_their_calls_in_the_calls_order() -> None:
    first, second, third = (ToolUse(call_id=name, name="f", arguments="{}") for name in ("a", "b", "c"))
    found = messages(
        Turn("assistant", [first]),
        Turn("assistant", [second]),
        Turn("user", [Text("and"), ToolResult(call_id="b", content=[Text("B")])]),
        Turn("user", [ToolResult(call_id="a", content=[Text("A")], is_error=True)]),
        Turn("assistant", [third]),
        Turn("user", [ToolResult(call_id="c")]),
    )
    assert found == [
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                {"type": "tool_use", "id": "b", "name": "f", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "A", "is_error": True},
                {"type": "tool_result", "tool_use_id": "b", "content": "B"},
                {"type": "text", "text": "and"},
            ],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c"}]},
    ]


def test_a_result_without_a_call_is_refused_and_a_second_result_too() -> None:
    use = ToolUse(call_id="a", name="f", arguments="{}")
    for turns in (
        [Turn("user", [ToolResult(call_id="a")])],
        [Turn("assistant", [use]), Turn("user", [ToolResult(call_id="a"), ToolResult(call_id="a")])],
    ):
        with pytest.raises(UntranslatableError, match="follows no such call"):
            messages(*turns)


def test_an_id_that_a_model_gave_twice_is_made_unique() -> None:
    use = ToolUse(call_id="call_0", name="f", arguments="{}")
    first, second = (ToolResult(call_id="call_0", content=[Text(text)]) for text in ("one", "two"))
    turns = (Turn("assistant", [use]), Turn("user", [first]), Turn("assistant", [use]), Turn("user", [second]))
    blocks = [message["content"][0] for message in messages(*turns)]
    assert [block.get("id") or block["tool_use_id"] for block in blocks] == ["call_0", "call_0", "call_0_2", "call_0_2"]
    assert [block.get("content") for block in blocks] == [None, "one", None, "two"]


def test_an_error_with_a_picture_is_no_error_to_messages_which_is_named() -> None:
    result = ToolResult(call_id="a", content=[Image(media_type="image/png", data="iVBOR")], is_error=True)
    turns = [Turn("assistant", [ToolUse(call_id="a", name="f", arguments="{}")]), Turn("user", [result])]
    conversation = asking(caller="gemini", turns=turns)
    assert "is_error" not in written(conversation)["messages"][1]["content"][0]
    assert conversation.losses == ["contents[].parts[].functionResponse.response.error"]


def test_ids_in_other_letters_get_ids_of_their_own_in_call_and_result() -> None:
    found = messages(
        Turn("assistant", [ToolUse(call_id="functions.f:0", name="f", arguments="{}")]),
        Turn("user", [ToolResult(call_id="functions.f:0", content=[Text("x")])]),
    )
    made = found[0]["content"][0]["id"]
    assert made.startswith("toolu_")
    assert found[1]["content"][0]["tool_use_id"] == made


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"a":1}', {"a": 1}),
        ("", {}),
        ('{"big":123456789012345678901234567890}', {"big": 123456789012345678901234567890}),
        ("[1]", {"raw_arguments": "[1]"}),
        ('{"a":', {"raw_arguments": '{"a":'}),
    ],
)
def test_arguments_are_an_object(arguments: str, expected: object) -> None:
    found = messages(Turn("assistant", [ToolUse(call_id="a", name="f", arguments=arguments)]))
    assert found[0]["content"][0]["input"] == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            Image(media_type="image/png", data="iVBOR"),
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOR"}},
        ),
        (Image(url="https://e.com/a.png"), {"type": "image", "source": {"type": "url", "url": "https://e.com/a.png"}}),
        (
            Document(media_type="application/pdf", data="JVBER", filename="a.pdf"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBER"},
                "title": "a.pdf",
            },
        ),
        (
            Document(media_type="text/markdown", data="SGk="),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Hi"}},
        ),
        (Document(url="https://e.com/a"), {"type": "document", "source": {"type": "url", "url": "https://e.com/a"}}),
    ],
)
def test_pictures_and_documents(part: Part, expected: object) -> None:
    assert messages(Turn("user", [part]))[0]["content"] == [expected]


@pytest.mark.parametrize(
    ("role", "part", "field"),
    [
        ("user", Image(data="iVBOR"), "messages[].content[].image_url.url"),
        ("user", Document(media_type="application/zip", data="UEsD"), "messages[].content[].file.file_data"),
        ("user", Document(media_type="text/plain", data="#"), "messages[].content[].file.file_data"),
        ("assistant", Image(media_type="image/png", data="iVBOR"), "messages[].content[]"),
        ("system", Image(media_type="image/png", data="iVBOR"), "messages[].content[]"),
    ],
)
def test_what_messages_cannot_hold_is_refused_in_the_callers_words(role: Any, part: Part, field: str) -> None:
    with pytest.raises(UntranslatableError) as caught:
        written(asking(caller="openai_chat", turns=[Turn(role, [part])]))
    assert caught.value.field == field


def test_only_its_own_reasoning_goes_back_and_others_is_named() -> None:
    parts: list[Part] = [
        Reasoning(wire="anthropic_messages", text="Hm", signature="c2ln"),
        Reasoning(wire="anthropic_messages", signature="redacted_thinking:c2VhbA=="),
        Reasoning(wire="openai_chat", text="foreign"),
        Reasoning(wire="anthropic_messages", text="unsigned"),
        Text("Said"),
    ]
    conversation = asking(caller="openai_chat", turns=[Turn("user", [Text("Hi")]), Turn("assistant", parts)])
    assert written(conversation)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "c2VhbA=="},
        {"type": "text", "text": "Said"},
    ]
    assert conversation.losses == ["messages[].reasoning_details"]


@pytest.mark.parametrize(
    ("choice", "has_parallel_tools", "expected"),
    [
        (None, None, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("required"), True, {"type": "any"}),
        (ToolChoice("tool", "f"), False, {"type": "tool", "name": "f", "disable_parallel_tool_use": True}),
        (ToolChoice("none"), False, {"type": "none"}),
    ],
)
def test_tools_and_their_choice(choice: ToolChoice | None, has_parallel_tools: bool | None, expected: object) -> None:
    tools = [TOOL, Tool(name="g", description="d", is_strict=True)]
    request = written(asking(tools=tools, tool_choice=choice, has_parallel_tools=has_parallel_tools))
    assert request.get("tool_choice") == expected
    assert request["tools"] == [
        {"name": "f", "input_schema": {"type": "object", "properties": {}}},
        {"name": "g", "input_schema": {"type": "object"}, "description": "d", "strict": True},
    ]


def test_a_choice_without_tools_is_none() -> None:
    assert "tool_choice" not in written(asking(tool_choice=ToolChoice("auto"), has_parallel_tools=False))


@pytest.mark.parametrize(
    ("model", "expected", "losses"),
    [
        ("claude-3-haiku-20240307", {"temperature": 0.2, "top_p": 0.9, "top_k": 5}, []),
        (OLD, {"temperature": 0.2, "top_k": 5}, ["top_p"]),
        ("us.anthropic.claude-sonnet-4-6-v1:0", {"temperature": 0.2, "top_k": 5}, ["top_p"]),
        ("claude-opus-4-7", {}, ["temperature", "top_p", "top_k"]),
        ("claude-mythos-preview", {}, ["temperature", "top_p", "top_k"]),
        ("some-other-model", {"temperature": 0.2, "top_p": 0.9, "top_k": 5}, []),
    ],
)
def test_sampling_goes_to_the_models_that_take_it(model: str, expected: object, losses: list[str]) -> None:
    conversation = asking(temperature=0.2, top_p=0.9, top_k=5)
    request = written(conversation, model)
    assert {name: request[name] for name in ("temperature", "top_p", "top_k") if name in request} == expected
    assert conversation.losses == losses


def test_openais_higher_temperatures_are_cut_to_one_and_named() -> None:
    conversation = asking(temperature=1.5)
    assert written(conversation, OLD)["temperature"] == 1
    assert conversation.losses == ["temperature"]


def test_the_default_temperature_says_nothing() -> None:
    conversation = asking(temperature=1, top_p=1.0)
    assert "temperature" not in written(conversation)
    assert conversation.losses == []


@pytest.mark.parametrize(
    ("wish", "model", "most", "expected"),
    [
        (ReasoningWish(effort="none"), NEW, None, {"max_tokens": 16384, "thinking": {"type": "disabled"}}),
        (
            ReasoningWish(effort="minimal", is_shown=True),
            NEW,
            50,
            {
                "max_tokens": 50,
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "low"},
            },
        ),
        (
            ReasoningWish(is_shown=False),
            NEW,
            50,
            {"max_tokens": 50, "thinking": {"type": "adaptive", "display": "omitted"}},
        ),
        (
            ReasoningWish(budget_tokens=8192),
            "claude-sonnet-5",
            50,
            {"max_tokens": 50, "thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
        ),
        (
            ReasoningWish(budget_tokens=9000),
            NEW,
            50,
            {"max_tokens": 50, "thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        ),
        (
            ReasoningWish(effort="high"),
            OLD,
            None,
            {"max_tokens": 24576, "thinking": {"type": "enabled", "budget_tokens": 16384}},
        ),
        (
            ReasoningWish(effort="high"),
            OLD,
            8000,
            {"max_tokens": 8000, "thinking": {"type": "enabled", "budget_tokens": 4000}},
        ),
        (
            ReasoningWish(budget_tokens=9000),
            OLD,
            8000,
            {"max_tokens": 8000, "thinking": {"type": "enabled", "budget_tokens": 7999}},
        ),
        (
            ReasoningWish(budget_tokens=5),
            "qwen-behind-messages",
            8000,
            {"max_tokens": 8000, "thinking": {"type": "enabled", "budget_tokens": 1024}},
        ),
    ],
)
def test_thinking_is_asked_for_as_the_model_takes_it(
    wish: ReasoningWish, model: str, most: int | None, expected: dict[str, Any]
) -> None:
    conversation = asking(reasoning=wish, max_output_tokens=most)
    request = written(conversation, model)
    assert {name: request[name] for name in ("max_tokens", "thinking", "output_config") if name in request} == expected
    assert conversation.losses == []


def test_thinking_that_cannot_be_is_named() -> None:
    for conversation, model in (
        (asking(reasoning=ReasoningWish(effort="high"), max_output_tokens=1000), OLD),
        (asking(reasoning=ReasoningWish(effort="high")), "claude-3-5-haiku-20241022"),
        (asking(reasoning=ReasoningWish(effort="high"), tools=[TOOL], tool_choice=ToolChoice("required")), OLD),
        (asking(reasoning=ReasoningWish(effort="high"), tools=[TOOL], tool_choice=ToolChoice("tool", "f")), NEW),
    ):
        assert "thinking" not in written(conversation, model)
        assert conversation.losses == ["reasoning"]


def test_a_model_that_does_not_think_loses_nothing_where_no_thinking_is_wanted() -> None:
    conversation = asking(reasoning=ReasoningWish(effort="none"))
    assert "thinking" not in written(conversation, "claude-3-5-haiku-20241022")
    assert conversation.losses == []


def test_a_budget_needs_the_thinking_of_the_last_calls() -> None:
    thinking = Reasoning(wire="anthropic_messages", text="Hm", signature="c2ln")
    use, result = ToolUse(call_id="a", name="f", arguments="{}"), ToolResult(call_id="a", content=[Text("x")])
    wish = ReasoningWish(budget_tokens=2000)
    kept = asking(turns=[Turn("assistant", [thinking, use]), Turn("user", [result])], reasoning=wish)
    lost = asking(turns=[Turn("assistant", [use]), Turn("user", [result])], reasoning=wish)
    assert "thinking" in written(kept, OLD)
    assert "thinking" not in written(lost, OLD)
    assert lost.losses == ["reasoning"]
    assert "thinking" in written(lost, NEW)


def test_no_sampling_beside_a_budget_for_thinking() -> None:
    conversation = asking(reasoning=ReasoningWish(budget_tokens=2000), temperature=0.2, top_k=3)
    assert written(conversation, OLD).keys().isdisjoint({"temperature", "top_k"})
    assert conversation.losses == ["temperature", "top_k"]


def test_a_schema_is_written_beside_the_effort_and_json_of_any_shape_is_named() -> None:
    schema = OutputFormat(kind="json_schema", name="n", schema={"type": "object"})
    assert written(asking(output_format=schema, reasoning=ReasoningWish(effort="low")))["output_config"] == {
        "effort": "low",
        "format": {"type": "json_schema", "schema": {"type": "object"}},
    }
    conversation = asking(caller="openai_chat", output_format=OutputFormat(kind="json_object"))
    assert "output_config" not in written(conversation)
    assert conversation.losses == ["response_format"]


def test_what_messages_has_no_field_for_is_named_in_the_callers_words() -> None:
    conversation = asking(
        caller="gemini",
        seed=0,
        presence_penalty=0.5,
        frequency_penalty=0.0,
        stop=["END"],
        turns=[Turn("user", [Image(url="https://example.com/a.png", detail="low")])],
    )
    assert written(conversation)["stop_sequences"] == ["END"]
    assert conversation.losses == ["image.detail", "generationConfig.seed", "generationConfig.presencePenalty"]


def test_half_a_surrogate_pair_passes() -> None:
    assert messages(Turn("user", [Text("\ud83d")]))[0]["content"] == [{"type": "text", "text": "\ud83d"}]


def test_a_request_that_was_written_reads_as_the_same_conversation() -> None:
    conversation = Conversation(
        caller="anthropic_messages",
        model="m",
        turns=[
            Turn("system", [Text("Be brief.")]),
            Turn("user", [Text("Hi"), Image(media_type="image/png", data="iVBOR")]),
            Turn(
                "assistant",
                [
                    Reasoning(wire="anthropic_messages", text="Hm", signature="c2ln"),
                    ToolUse(call_id="a", name="f", arguments='{"é":"\\u0000"}'),
                    ToolUse(call_id="b", name="f", arguments="{}"),
                ],
            ),
            Turn("user", [ToolResult(call_id="a", content=[Text("A")]), ToolResult(call_id="b", is_error=True)]),
        ],
        tools=[Tool(name="f", description="d", parameters={"type": "object"})],
        tool_choice=ToolChoice("auto"),
        has_parallel_tools=False,
        max_output_tokens=99,
        stop=["END"],
        reasoning=ReasoningWish(effort="high", is_shown=True),
        output_format=OutputFormat(kind="json_schema", schema={"type": "object"}, is_strict=True),
        includes_usage=True,
    )
    body = written(conversation)
    assert CALLER.read_request(body, "m", is_stream=False) == conversation
