"""The official client reads what OpenAI's callers are written, and assembles the answer that was given."""

from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from translated_answers import answer, calls, conversation, read, whole, written

from tollhouse.gateway.translation.answer import AnswerEvent, Failed, ReasoningDelta, TextDelta
from tollhouse.gateway.translation.free_text import free_text_tool
from tollhouse.gateway.translation.openai_chat.halves import CALLER as CHAT
from tollhouse.gateway.translation.openai_responses.halves import CALLER as RESPONSES

QUESTION: list[Any] = [{"role": "user", "content": "Hi"}]
CALLED = [("call_0", "add", '{"a": 1, "b": 2}'), ("call_1", "now", "{}"), ("call_2", "add", '{"a": "é"}')]
LONG = answer(
    ReasoningDelta(wire="anthropic_messages", text="Hm"),
    ReasoningDelta(wire="anthropic_messages", signature="sealed"),
    ReasoningDelta(wire="anthropic_messages", text="Yes", signature="sealed too"),
    TextDelta("Let me "),
    TextDelta("look 🎉"),
    *calls(("add", ['{"a"', ': 1, "b": 2}']), ("now", []), ("add", ['{"a": ', '"é"}'])),
    reason="tool_use",
)
FAILED: list[AnswerEvent] = [TextDelta("Hi"), Failed(status=529, code="overloaded_error", message="Come back later")]


def client_of(body: bytes, content_type: str = "text/event-stream") -> openai.OpenAI:
    """A client whose server answers everything with ``body``."""

    def respond(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": content_type}, content=body)

    return openai.OpenAI(
        api_key="none", max_retries=0, http_client=httpx2.Client(transport=httpx2.MockTransport(respond))
    )


def streamed_chat(events: list[AnswerEvent]) -> Any:
    with (
        client_of(written("openai_chat", conversation(), events)) as client,
        client.chat.completions.stream(model="m", messages=QUESTION, stream_options={"include_usage": True}) as stream,
    ):
        return stream.get_final_completion()


def unary_chat(events: list[AnswerEvent]) -> Any:
    with client_of(whole("openai_chat", conversation(), events), "application/json") as client:
        return client.chat.completions.create(model="m", messages=QUESTION)


def streamed_response(events: list[AnswerEvent]) -> Any:
    asked = conversation("openai_responses")
    with (
        client_of(written("openai_responses", asked, events)) as client,
        client.responses.stream(model="m", input="Hi") as stream,
    ):
        return stream.get_final_response()


def unary_response(events: list[AnswerEvent]) -> Any:
    with client_of(whole("openai_responses", conversation("openai_responses"), events), "application/json") as client:
        return client.responses.create(model="m", input="Hi")


@pytest.mark.parametrize("ask", [streamed_chat, unary_chat])
def test_chat_completions(ask: Callable[[list[AnswerEvent]], Any]) -> None:
    completion = ask(LONG)

    (choice,) = completion.choices
    called = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Let me look 🎉"
    assert called == CALLED
    assert choice.message.reasoning_content == "HmYes"
    assert [detail["signature"] for detail in choice.message.reasoning_details] == ["sealed", "sealed too"]
    assert (completion.usage.prompt_tokens, completion.usage.prompt_tokens_details.cached_tokens) == (120, 100)


@pytest.mark.parametrize("ask", [streamed_response, unary_response])
def test_responses(ask: Callable[[list[AnswerEvent]], Any]) -> None:
    response = ask(LONG)

    assert [item.type for item in response.output] == ["reasoning", "reasoning", "message", *["function_call"] * 3]
    assert response.output_text == "Let me look 🎉"
    assert [(item.call_id, item.name, item.arguments) for item in response.output[3:]] == CALLED
    assert response.output[0].summary[0].text == "Hm"
    assert response.output[1].encrypted_content == "anthropic_messages:sealed too"
    assert (response.usage.input_tokens, response.usage.input_tokens_details.cached_tokens) == (120, 100)
    assert (response.status, response.model) == ("completed", "real")


def test_what_the_client_keeps_of_an_answer_is_the_next_chat_requests_history() -> None:
    message = streamed_chat(LONG).choices[0].message.model_dump(exclude_none=True)

    asked = CHAT.read_request({"messages": [*QUESTION, message]}, "m", is_stream=False)

    parts = asked.turns[1].parts
    assert [(part.text, part.signature) for part in parts[:2]] == [("Hm", "sealed"), ("Yes", "sealed too")]
    assert parts[2].text == "Let me look 🎉"
    assert [(part.call_id, part.name, part.arguments) for part in parts[3:]] == CALLED


def test_what_the_client_keeps_of_an_answer_is_the_next_responses_requests_input() -> None:
    output = [item.model_dump(exclude_none=True) for item in streamed_response(LONG).output]

    asked = RESPONSES.read_request({"input": [*QUESTION, *output]}, "m", is_stream=False)

    parts = asked.turns[1].parts
    assert [(part.wire, part.text, part.signature) for part in parts[:2]] == [
        ("anthropic_messages", "Hm", "sealed"),
        ("anthropic_messages", "Yes", "sealed too"),
    ]
    assert [(part.call_id, part.name, part.arguments) for part in parts[3:]] == CALLED


def test_an_error_inside_a_chat_stream_is_raised() -> None:
    with (
        client_of(written("openai_chat", conversation(), FAILED)) as client,
        pytest.raises(openai.APIError, match="Come back later"),
    ):
        list(client.chat.completions.create(model="m", messages=QUESTION, stream=True))


def test_an_error_inside_a_responses_stream_is_a_failed_response() -> None:
    with client_of(written("openai_responses", conversation("openai_responses"), FAILED)) as client:
        *_, last = client.responses.create(model="m", input="Hi", stream=True)

    assert (last.type, last.response.error.message) == ("response.failed", "Come back later")


def test_custom_calls_are_read_as_such() -> None:
    tools = [free_text_tool("patch", None, None)]
    events = answer(*calls(("patch", ['{"input":"*** Begin"}'])), reason="tool_use")
    chat = whole("openai_chat", conversation(tools=tools), events)
    responses = written("openai_responses", conversation("openai_responses", tools=tools), events)

    with client_of(chat, "application/json") as client:
        (call,) = client.chat.completions.create(model="m", messages=QUESTION).choices[0].message.tool_calls
    with client_of(responses) as client, client.responses.stream(model="m", input="Hi") as stream:
        (item,) = stream.get_final_response().output

    assert (call.type, call.custom.name, call.custom.input) == ("custom", "patch", "*** Begin")
    assert (item.type, item.name, item.input) == ("custom_tool_call", "patch", "*** Begin")


@pytest.mark.parametrize("wire", ["anthropic_messages", "gemini"])
def test_another_familys_stream_reaches_the_client_whole(wire: Any) -> None:
    told = read(wire, written(wire, conversation(wire), LONG))

    (choice,) = streamed_chat(told).choices
    response = streamed_response(told)

    assert choice.message.content == response.output_text == "Let me look 🎉"
    assert [call.function.name for call in choice.message.tool_calls] == ["add", "now", "add"]
    assert [item.name for item in response.output if item.type == "function_call"] == ["add", "now", "add"]
