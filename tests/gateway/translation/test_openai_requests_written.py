"""What OpenAI's providers are sent."""

from typing import Any

import msgspec
import pytest
from whole_requests import PNG, SCHEMA

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
from tollhouse.gateway.translation.registry import PROVIDERS
from tollhouse.gateway.wires import GenerativeWire

OPENAI: tuple[GenerativeWire, ...] = ("openai_chat", "openai_responses")
HI = Turn("user", [Text("Hi")])
IMAGE = Image(media_type="image/png", data="iVBORw0KGgo=")
PDF = Document(media_type="application/pdf", data="JVBERi0=", filename="a.pdf")
NOTES = Document(media_type="text/plain", data="bm90ZXM=", filename="a.txt")
USE = ToolUse(call_id="c1", name="add", arguments='{ "a":1,\n"a":2 }')
ADD = Tool(name="add", description="d", parameters=SCHEMA)


def asked(*turns: Turn, **members: Any) -> Conversation:
    return Conversation(caller="anthropic_messages", model="m", turns=list(turns) or [HI], **members)


def body(wire: GenerativeWire, conversation: Conversation) -> dict[str, Any]:
    return msgspec.json.decode(PROVIDERS[wire].write_request(conversation, "gpt"))


def test_a_question_needs_little() -> None:
    assert body("openai_chat", asked()) == {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}]}
    assert body("openai_responses", asked()) == {
        "model": "gpt",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
        "store": False,
    }


def test_a_streamed_chat_request_asks_for_the_usage() -> None:
    assert body("openai_chat", asked(is_stream=True))["stream_options"] == {"include_usage": True}
    assert "stream_options" not in body("openai_responses", asked(is_stream=True))


def test_limits() -> None:
    conversation = asked(max_output_tokens=10, temperature=0.5, top_p=0.9, seed=7, stop=["END"], presence_penalty=0.1)

    written = body("openai_chat", conversation)

    assert (
        written
        | {
            "max_completion_tokens": 10,
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 7,
            "stop": ["END"],
            "presence_penalty": 0.1,
        }
        == written
    )
    assert conversation.losses == []


def test_responses_is_asked_for_no_less_than_it_gives() -> None:
    assert body("openai_responses", asked(max_output_tokens=1))["max_output_tokens"] == 16


def test_what_responses_has_no_place_for_is_named() -> None:
    conversation = asked(seed=7, presence_penalty=0.1, frequency_penalty=0.2, top_k=4)

    body("openai_responses", conversation)

    assert conversation.losses == ["seed", "presence_penalty", "frequency_penalty", "top_k"]


def test_a_stop_that_responses_cannot_obey_is_refused() -> None:
    with pytest.raises(UntranslatableError, match="stop_sequences"):
        body("openai_responses", asked(stop=["END"]))


@pytest.mark.parametrize(
    ("wish", "effort"),
    [
        (ReasoningWish(effort="xhigh"), "xhigh"),
        (ReasoningWish(effort="low", budget_tokens=30_000), "low"),
        (ReasoningWish(budget_tokens=0), "none"),
        (ReasoningWish(budget_tokens=1_024), "low"),
        (ReasoningWish(budget_tokens=8_192), "medium"),
        (ReasoningWish(budget_tokens=30_000), "high"),
        (ReasoningWish(budget_tokens=-1), None),
    ],
)
def test_how_much_to_reason(wish: ReasoningWish, effort: str | None) -> None:
    assert body("openai_chat", asked(reasoning=wish)).get("reasoning_effort") == effort
    assert body("openai_responses", asked(reasoning=wish)).get("reasoning", {}).get("effort") == effort


def test_reasoning_that_would_be_read_is_a_summary_in_responses_and_lost_in_chat() -> None:
    conversation = asked(reasoning=ReasoningWish(effort="low", is_shown=True))

    assert body("openai_responses", conversation)["reasoning"] == {"effort": "low", "summary": "auto"}
    assert conversation.losses == []
    body("openai_chat", conversation)
    assert conversation.losses == ["thinking.display"]


def test_sealed_reasoning_is_asked_for_where_there_will_be_reasoning() -> None:
    sealed = ["reasoning.encrypted_content"]

    assert body("openai_responses", asked(reasoning=ReasoningWish(effort="low")))["include"] == sealed
    assert "include" not in body("openai_responses", asked())


def test_tools() -> None:
    tools = [ADD, Tool(name="now", is_strict=True)]

    assert body("openai_chat", asked(tools=tools))["tools"] == [
        {"type": "function", "function": {"name": "add", "description": "d", "parameters": SCHEMA}},
        {"type": "function", "function": {"name": "now", "strict": True}},
    ]
    assert body("openai_responses", asked(tools=tools))["tools"] == [
        {"type": "function", "name": "add", "parameters": SCHEMA, "strict": False, "description": "d"},
        {"type": "function", "name": "now", "parameters": {"type": "object", "properties": {}}, "strict": True},
    ]


@pytest.mark.parametrize("mode", ["auto", "none", "required"])
def test_choices(mode: Any) -> None:
    for wire in OPENAI:
        assert body(wire, asked(tools=[ADD], tool_choice=ToolChoice(mode)))["tool_choice"] == mode


def test_the_choice_of_one_tool() -> None:
    conversation = asked(tools=[ADD], tool_choice=ToolChoice("tool", "add"), has_parallel_tools=False)

    assert body("openai_chat", conversation)["tool_choice"] == {"type": "function", "function": {"name": "add"}}
    assert body("openai_responses", conversation)["tool_choice"] == {"type": "function", "name": "add"}
    assert body("openai_chat", conversation)["parallel_tool_calls"] is False


@pytest.mark.parametrize("wire", OPENAI)
def test_choices_without_tools_are_not_sent(wire: GenerativeWire) -> None:
    written = body(wire, asked(tool_choice=ToolChoice("none"), has_parallel_tools=True))

    assert not written.keys() & {"tools", "tool_choice", "parallel_tool_calls"}


def test_formats_of_the_answer() -> None:
    anything = OutputFormat(kind="json_object")
    wanted = OutputFormat(kind="json_schema", schema=SCHEMA, is_strict=True)
    schema = {"name": "answer", "schema": SCHEMA, "strict": True}

    assert body("openai_chat", asked(output_format=anything))["response_format"] == {"type": "json_object"}
    assert body("openai_responses", asked(output_format=anything))["text"] == {"format": {"type": "json_object"}}
    assert body("openai_chat", asked(output_format=wanted))["response_format"] == {
        "type": "json_schema",
        "json_schema": schema,
    }
    assert body("openai_responses", asked(output_format=wanted))["text"] == {
        "format": {"type": "json_schema", **schema}
    }


@pytest.mark.parametrize("wire", OPENAI)
def test_arguments_stay_as_the_model_wrote_them(wire: GenerativeWire) -> None:
    written = PROVIDERS[wire].write_request(asked(HI, Turn("assistant", [USE])), "gpt")

    assert msgspec.json.encode(USE.arguments) in written


def test_chat_answers_calls_first_and_shows_pictures_of_results_afterwards() -> None:
    results = [ToolResult(call_id="c1", content=[Text("2"), IMAGE], is_error=True), ToolResult(call_id="c2")]
    conversation = asked(HI, Turn("assistant", [USE]), Turn("user", [Text("Look:"), *results]))

    assert body("openai_chat", conversation)["messages"][2:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "2"},
        {"role": "tool", "tool_call_id": "c2", "content": ""},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look:"},
                {"type": "text", "text": "What tool call c1 gave besides text:"},
                {"type": "image_url", "image_url": {"url": PNG}},
            ],
        },
    ]
    assert conversation.losses == ["messages[].content[].is_error"]


def test_responses_takes_pictures_and_files_in_results() -> None:
    result = ToolResult(call_id="c1", content=[Text("2"), IMAGE, PDF, NOTES, Document(url="https://e.com/a.pdf")])

    (*_, item) = body("openai_responses", asked(HI, Turn("user", [result])))["input"]

    assert item == {
        "type": "function_call_output",
        "call_id": "c1",
        "output": [
            {"type": "input_text", "text": "2"},
            {"type": "input_image", "image_url": PNG, "detail": "auto"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
            {"type": "input_text", "text": "notes"},
            {"type": "input_file", "file_url": "https://e.com/a.pdf"},
        ],
    }


def test_chat_takes_files_that_the_request_holds() -> None:
    (message,) = body("openai_chat", asked(Turn("user", [PDF, NOTES, Document(media_type="text/csv", data="?")])))[
        "messages"
    ]

    assert message["content"] == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
        {"type": "text", "text": "notes"},
        {"type": "file", "file": {"filename": "document", "file_data": "data:text/csv;base64,?"}},
    ]


def test_chat_refuses_files_elsewhere() -> None:
    with pytest.raises(UntranslatableError, match=r"messages\[\]\.content\[\]\.source\.url"):
        body("openai_chat", asked(Turn("user", [Document(url="https://e.com/a.pdf")])))


@pytest.mark.parametrize("wire", OPENAI)
@pytest.mark.parametrize("role", ["system", "assistant"])
def test_only_the_user_shows_pictures(wire: GenerativeWire, role: Any) -> None:
    with pytest.raises(UntranslatableError):
        body(wire, asked(Turn(role, [IMAGE]), HI))


def test_system_text_stays_where_it_stood_and_comes_first_as_instructions() -> None:
    turns = [Turn("system", [Text("A"), Text("B")]), HI, Turn("system", [Text("C")])]

    assert [message["role"] for message in body("openai_chat", asked(*turns))["messages"]] == [
        "system",
        "user",
        "system",
    ]
    written = body("openai_responses", asked(*turns))
    assert written["instructions"] == "A\n\nB"
    assert [item["role"] for item in written["input"]] == ["user", "system"]


def test_system_text_alone_is_still_asked() -> None:
    written = body("openai_responses", asked(Turn("system", [Text("A")])))

    assert "instructions" not in written
    assert written["input"][0]["role"] == "system"


def test_only_its_own_reasoning_goes_back_to_responses() -> None:
    own = Reasoning(wire="openai_responses", text="Hm", signature="sealed")
    foreign = Reasoning(wire="anthropic_messages", text="Hm", signature="sealed")
    conversation = asked(HI, Turn("assistant", [own, Text("Yes")]))
    with_foreign = asked(HI, Turn("assistant", [foreign, Text("Yes")]))

    assert body("openai_responses", conversation)["input"][1] == {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "Hm"}],
        "encrypted_content": "sealed",
    }
    assert len(body("openai_responses", with_foreign)["input"]) == 2
    assert with_foreign.losses == ["messages[].content[].type=thinking"]
    body("openai_chat", conversation)
    assert conversation.losses == ["messages[].content[].type=thinking"]


def test_a_schema_that_is_nested_too_deeply_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5_000):
        schema = {"items": schema}

    with pytest.raises(UntranslatableError, match="nested too deeply"):
        PROVIDERS["openai_chat"].write_request(asked(tools=[Tool(name="a", parameters=schema)]), "gpt")


def test_half_a_surrogate_pair_passes() -> None:
    assert rb"\ud83c" in PROVIDERS["openai_chat"].write_request(asked(Turn("user", [Text("\ud83c")])), "gpt")
