"""The official clients talk to the callers' halves: they read what is written, and their requests are understood."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx2
import pytest
from google import genai
from google.genai import errors, types
from messages_and_gemini import ANSWER_ID, asking

from tollhouse.gateway.translation.answer import (
    AnswerEvent,
    Failed,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    TokenUsage,
    ToolUseDelta,
    ToolUseStarted,
)
from tollhouse.gateway.translation.anthropic_messages.halves import CALLER as MESSAGES
from tollhouse.gateway.translation.conversation import (
    Conversation,
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
from tollhouse.gateway.translation.gemini.halves import CALLER as GEMINI
from tollhouse.gateway.translation.gemini.halves import PROVIDER as GEMINI_PROVIDER
from tollhouse.gateway.translation.halves import CallerHalf

ANSWER: list[AnswerEvent] = [
    Started(response_id="chatcmpl-1", model="gpt-x"),
    ReasoningDelta(wire="openai_chat", text="Hm, "),
    ReasoningDelta(wire="openai_chat", text="weather."),
    TextDelta("Let me "),
    TextDelta("look: ☔"),
    ToolUseStarted(index=0, call_id="call_1", name="weather"),
    ToolUseStarted(index=1, call_id="call_2", name="weather"),
    ToolUseDelta(1, '{"city":'),
    ToolUseDelta(0, '{"city":"Zü'),
    ToolUseDelta(0, 'rich"}'),
    ToolUseDelta(1, '"Oslo"}'),
    ToolUseStarted(index=2, call_id="call_3", name="now"),
    Finished(reason="tool_use"),
    TokenUsage(input=120, cache_read=100, output=30, reasoning=10),
]
WEATHER: anthropic.types.ToolParam = {
    "name": "weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Wire:
    """What a client is connected to: it keeps the conversation that was asked, and answers with ``events``."""

    def __init__(self, caller: CallerHalf, events: list[AnswerEvent]) -> None:
        self.caller, self.events = caller, events
        self.asked: Conversation = asking()

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        is_stream = bool(body.get("stream")) or ":streamGenerateContent" in request.url.path
        self.asked = self.caller.read_request(body, "any-model", is_stream=is_stream)
        style = "sse" if request.url.params.get("alt") == "sse" or self.caller is MESSAGES else "json_array"
        writer = self.caller.new_writer(self.asked, ANSWER_ID, 1_700_000_000, style)
        if is_stream:
            pieces = [raw for event in self.events for raw in writer.write([event])] + writer.finish()
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=iter(pieces))
        writer.write(self.events)
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=writer.body())


@pytest.fixture
def connect() -> Iterator[Callable[[Wire], httpx2.Client]]:
    clients: list[httpx2.Client] = []

    def client(wire: Wire) -> httpx2.Client:
        clients.append(httpx2.Client(transport=httpx2.MockTransport(wire.answer)))
        return clients[-1]

    yield client
    for opened in clients:
        opened.close()


Connect = Callable[[Wire], httpx2.Client]


def claude(client: httpx2.Client) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="k", base_url="http://gateway.test", http_client=client, max_retries=0)


def gemini(client: httpx2.Client) -> genai.Client:
    options = types.HttpOptions(base_url="http://gateway.test", httpx_client=client)
    return genai.Client(api_key="k", http_options=options)


def check_message(message: anthropic.types.Message) -> None:
    assert [block.model_dump(exclude_none=True) for block in message.content] == [
        {"type": "thinking", "thinking": "Hm, weather.", "signature": ""},
        {"type": "text", "text": "Let me look: ☔"},
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Zürich"}},
        {"type": "tool_use", "id": "call_2", "name": "weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "call_3", "name": "now", "input": {}},
    ]
    assert (message.id, message.model, message.stop_reason) == (f"msg_{ANSWER_ID}", "gpt-x", "tool_use")
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (20, 100)
    assert message.usage.output_tokens == 30
    assert message.usage.output_tokens_details is not None
    assert message.usage.output_tokens_details.thinking_tokens == 10


def test_the_anthropic_client_reads_a_whole_answer(connect: Connect) -> None:
    wire = Wire(MESSAGES, ANSWER)
    message = claude(connect(wire)).messages.create(
        model="m",
        max_tokens=500,
        system="Be brief.",
        tools=[WEATHER],
        thinking={"type": "adaptive", "display": "summarized"},
        messages=[{"role": "user", "content": "How is the weather?"}],
    )
    check_message(message)
    assert wire.asked.turns == [Turn("system", [Text("Be brief.")]), Turn("user", [Text("How is the weather?")])]
    assert wire.asked.reasoning == ReasoningWish(is_shown=True)
    assert wire.asked.losses == []


def test_the_anthropic_client_reads_a_stream(connect: Connect) -> None:
    client = claude(connect(Wire(MESSAGES, ANSWER)))
    with client.messages.stream(model="m", max_tokens=500, messages=[{"role": "user", "content": "Hi"}]) as stream:
        assert "".join(stream.text_stream) == "Let me look: ☔"
        check_message(stream.get_final_message())


def test_the_anthropic_clients_next_turn_is_understood(connect: Connect) -> None:
    wire = Wire(MESSAGES, ANSWER)
    client = claude(connect(wire))
    first = client.messages.create(model="m", max_tokens=500, messages=[{"role": "user", "content": "Hi"}])
    results: list[Any] = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "fine"}
        for block in first.content
        if block.type == "tool_use"
    ]
    client.messages.create(
        model="m",
        max_tokens=500,
        messages=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": results},
        ],
    )
    calls = [part for part in wire.asked.turns[1].parts if isinstance(part, ToolUse)]
    answered = [part.call_id for part in wire.asked.turns[2].parts if isinstance(part, ToolResult)]
    assert [call.call_id for call in calls] == answered == ["call_1", "call_2", "call_3"]
    assert [call.arguments for call in calls] == ['{"city":"Zürich"}', '{"city":"Oslo"}', "{}"]


def test_the_anthropic_client_raises_an_error_that_comes_in_the_middle(connect: Connect) -> None:
    wire = Wire(MESSAGES, [Started(), TextDelta("x"), Failed(status=529, message="Overloaded")])
    client = claude(connect(wire))
    with (
        client.messages.stream(model="m", max_tokens=5, messages=[{"role": "user", "content": "Hi"}]) as stream,
        pytest.raises(anthropic.APIStatusError, match="Overloaded"),
    ):
        stream.until_done()


def check_response(response: types.GenerateContentResponse, parts: list[types.Part]) -> None:
    assert response.model_version == "gpt-x"
    assert response.response_id == ANSWER_ID
    assert response.candidates is not None
    assert response.candidates[0].finish_reason == types.FinishReason.STOP
    usage = response.usage_metadata
    assert usage is not None
    assert (usage.prompt_token_count, usage.cached_content_token_count) == (120, 100)
    assert (usage.candidates_token_count, usage.thoughts_token_count, usage.total_token_count) == (20, 10, 150)
    assert "".join(part.text for part in parts if part.text and part.thought) == "Hm, weather."
    assert "".join(part.text for part in parts if part.text and not part.thought) == "Let me look: ☔"
    calls = [part.function_call for part in parts if part.function_call is not None]
    assert [(call.id, call.name, call.args) for call in calls] == [
        ("call_1", "weather", {"city": "Zürich"}),
        ("call_2", "weather", {"city": "Oslo"}),
        ("call_3", "now", {}),
    ]


CONFIG = types.GenerateContentConfig(
    system_instruction="Be brief.",
    thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW),
    tools=[
        types.Tool(
            function_declarations=[
                types.FunctionDeclaration(
                    name="weather",
                    parameters=types.Schema(
                        type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}
                    ),
                ),
                types.FunctionDeclaration(name="now", parameters_json_schema={"type": "object"}),
            ]
        )
    ],
    tool_config=types.ToolConfig(
        function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
    ),
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    temperature=0.5,
    max_output_tokens=500,
    stop_sequences=["END"],
)


def test_the_google_client_reads_a_whole_answer(connect: Connect) -> None:
    wire = Wire(GEMINI, ANSWER)
    response = gemini(connect(wire)).models.generate_content(
        model="m",
        contents=["How is it here?", types.Part.from_bytes(data=b"png", mime_type="image/png")],
        config=CONFIG,
    )
    check_response(response, response.parts or [])
    assert wire.asked.turns == [
        Turn("system", [Text("Be brief.")]),
        Turn("user", [Text("How is it here?"), Image(media_type="image/png", data="cG5n")]),
    ]
    assert wire.asked.tools == [
        Tool(name="weather", parameters={"type": "object", "properties": {"city": {"type": "string"}}}),
        Tool(name="now", parameters={"type": "object"}),
    ]
    assert wire.asked.tool_choice == ToolChoice("required")
    assert wire.asked.reasoning == ReasoningWish(effort="low", is_shown=True)
    assert (wire.asked.temperature, wire.asked.max_output_tokens, wire.asked.stop) == (0.5, 500, ["END"])
    assert wire.asked.losses == []


def test_the_google_client_reads_a_stream(connect: Connect) -> None:
    client = gemini(connect(Wire(GEMINI, ANSWER)))
    chunks = list(client.models.generate_content_stream(model="m", contents="Hi", config=CONFIG))
    assert len(chunks) > 3
    check_response(chunks[-1], [part for chunk in chunks for part in chunk.parts or []])


def test_the_google_clients_next_turn_is_understood(connect: Connect) -> None:
    wire = Wire(GEMINI, ANSWER)
    chat = gemini(connect(wire)).chats.create(model="m", config=CONFIG)
    first = chat.send_message("Hi")
    chat.send_message(
        [
            types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": "ok"}))
            for call in first.function_calls or []
        ]
    )
    results = wire.asked.turns[-1].parts
    assert [part for part in wire.asked.turns[2].parts if isinstance(part, Reasoning)] == [
        Reasoning(wire="gemini", text="Hm, weather.")
    ]
    assert [part.call_id for part in results if isinstance(part, ToolResult)] == ["call_1", "call_2", "call_3"]


def test_the_google_client_raises_an_error_that_comes_in_the_middle(connect: Connect) -> None:
    wire = Wire(GEMINI, [Started(), TextDelta("x"), Failed(status=503, message="Overloaded")])
    stream = gemini(connect(wire)).models.generate_content_stream(model="m", contents="Hi")
    assert next(stream).text == "x"
    with pytest.raises(errors.ServerError, match="Overloaded"):
        next(stream)


def test_googles_own_types_know_every_field_that_is_written() -> None:
    turns = [
        Turn("system", [Text("Be brief.")]),
        Turn("user", [Text("Hi"), Image(url="https://example.com/a.png")]),
        Turn("assistant", [ToolUse(call_id="a", name="f", arguments="{}")]),
        Turn("user", [ToolResult(call_id="a", content=[Text("A"), Image(media_type="image/png", data="cG5n")])]),
    ]
    conversation = asking(
        turns=turns,
        tools=[Tool(name="f", parameters={"type": "object"})],
        tool_choice=ToolChoice("tool", "f"),
        max_output_tokens=5,
        seed=1,
        stop=["END"],
        reasoning=ReasoningWish(effort="high", is_shown=True),
        output_format=OutputFormat(kind="json_schema", schema={"type": "object"}),
    )
    request = json.loads(GEMINI_PROVIDER.write_request(conversation, "gemini-3-flash"))
    for content in [*request["contents"], request["systemInstruction"]]:
        types.Content.model_validate(content)
    for tool in request["tools"]:
        types.Tool.model_validate(tool)
    types.ToolConfig.model_validate(request["toolConfig"])
    types.GenerateContentConfig.model_validate(request["generationConfig"])
