"""The official OpenAI client against Responses, kept and background ones among them."""

import json
from collections.abc import Iterator

import openai
import pytest
from bare_http import OPENAI, RESPONSES, sent
from simulated_server import SimulatedServer

FIND = {
    "type": "function",
    "name": "find",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
PATCH = {"type": "custom", "name": "apply_patch"}


@pytest.fixture
def client(simulated: SimulatedServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{simulated.url}/v1", api_key="k", max_retries=0) as client:
        yield client


def test_the_stream_is_the_unary_answer_event_by_event(client: openai.OpenAI, simulated: SimulatedServer) -> None:
    reasoning = {"effort": "high", "summary": "auto"}
    include = ["reasoning.encrypted_content"]
    whole = client.responses.create(model="o5", input="Why?", reasoning=reasoning, include=include)
    with client.responses.stream(model="o5", input="Why?", reasoning=reasoning, include=include) as stream:
        events = list(stream)
        last = stream.get_final_response()

    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [item.type for item in whole.output] == ["reasoning", "message"]
    assert last.output_text == whole.output_text
    assert last.output[0].summary == whole.output[0].summary
    assert whole.output[0].encrypted_content
    assert last.usage == whole.usage
    assert whole.usage.model_dump(exclude_none=True) == simulated.ledger()[0]["usage"]
    assert whole.usage.output_tokens_details.reasoning_tokens == 40


def test_the_order_of_events(simulated: SimulatedServer) -> None:
    answer = sent(simulated.url, "/v1/responses", OPENAI | {"x-simulated": "events=2"}, RESPONSES | {"stream": True})
    types = [json.loads(event)["type"] for event in answer.events()]

    assert types == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


def test_parallel_calls_and_a_free_text_tool_stream_as_in_the_whole(client: openai.OpenAI) -> None:
    asked = {"model": "o5", "input": "find and apply_patch", "tools": [FIND, PATCH]}
    whole = client.responses.create(**asked)
    with client.responses.stream(**asked) as stream:
        last = stream.get_final_response()

    assert [item.type for item in whole.output] == ["function_call", "custom_tool_call"]
    assert json.loads(whole.output[0].arguments)["city"]
    assert last.output[0].arguments == whole.output[0].arguments
    assert last.output[1].input == whole.output[1].input


def test_a_kept_response_is_continued_and_its_tokens_count(client: openai.OpenAI) -> None:
    first = client.responses.create(model="o5", input="a" * 400)
    second = client.responses.create(model="o5", input="b" * 400, previous_response_id=first.id)

    assert second.previous_response_id == first.id
    assert second.usage.input_tokens == first.usage.total_tokens + 103


def test_a_kept_call_has_to_be_answered(client: openai.OpenAI) -> None:
    first = client.responses.create(model="o5", input="find", tools=[FIND])
    call = first.output[0].call_id
    with pytest.raises(openai.BadRequestError, match=f"No tool output found for function call {call}"):
        client.responses.create(model="o5", input="And?", previous_response_id=first.id)
    result = {"type": "function_call_output", "call_id": call, "output": "twelve"}
    second = client.responses.create(model="o5", input=[result], previous_response_id=first.id, tools=[FIND])

    assert second.output_text
    with pytest.raises(openai.BadRequestError, match="No tool call found"):
        client.responses.create(model="o5", input=[result])


def test_a_kept_response_is_got_listed_and_deleted(client: openai.OpenAI) -> None:
    made = client.responses.create(model="o5", input=[{"role": "user", "content": text} for text in ("one", "two")])

    assert client.responses.retrieve(made.id).output_text == made.output_text
    assert [item.content[0].text for item in client.responses.input_items.list(made.id, limit=1)] == ["two", "one"]
    assert client.responses.input_items.list(made.id, order="asc").data[0].content[0].text == "one"
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_what_is_not_to_be_kept_is_not(client: openai.OpenAI) -> None:
    made = client.responses.create(model="o5", input="Why?", store=False)

    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="o5", input="And?", previous_response_id=made.id)
    assert caught.value.code == "previous_response_not_found"


def test_a_background_response_is_ready_later_or_cancelled(client: openai.OpenAI) -> None:
    asked = {"model": "o5", "input": "Why?", "background": True}
    quick = client.responses.create(**asked, extra_headers={"x-simulated": "background_ms=0"})
    slow = client.responses.create(**asked, extra_headers={"x-simulated": "background_ms=600000"})

    assert (quick.status, quick.usage) == ("queued", None)
    assert client.responses.retrieve(quick.id).status == "completed"
    assert client.responses.retrieve(slow.id).status == "in_progress"
    assert client.responses.cancel(slow.id).status == "cancelled"
    assert client.responses.retrieve(slow.id).status == "cancelled"
    assert client.responses.cancel(quick.id).status == "completed"


def test_only_a_background_response_can_be_cancelled(client: openai.OpenAI) -> None:
    made = client.responses.create(model="o5", input="Why?")

    with pytest.raises(openai.BadRequestError, match="synchronous"):
        client.responses.cancel(made.id)


def test_a_background_stream_is_replayed_from_any_event(client: openai.OpenAI) -> None:
    events = list(client.responses.create(model="o5", input="Why?", background=True, stream=True))
    again = list(client.responses.retrieve(events[0].response.id, stream=True, starting_after=3))

    assert [event.type for event in events[:3]] == ["response.created", "response.queued", "response.in_progress"]
    assert again == events[4:]


def test_a_limit_makes_the_response_incomplete(client: openai.OpenAI) -> None:
    made = client.responses.create(model="o5", input="Why?", max_output_tokens=5)
    with client.responses.stream(model="o5", input="Why?", max_output_tokens=5) as stream:
        types = [event.type for event in stream]

    assert (made.status, made.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert made.usage.output_tokens == 5
    assert types[-1] == "response.incomplete"


def test_an_image_and_instructions_count(client: openai.OpenAI) -> None:
    content = [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": "https://example.com/a.png"},
    ]
    made = client.responses.create(model="o5", instructions="Be kind", input=[{"role": "user", "content": content}])

    assert made.output_text.startswith("I can see 1 image. ")
    assert made.usage.input_tokens == 2 + 3 + 1 + 258
    assert made.instructions == "Be kind"


def test_azure_has_responses_under_its_v1_path(simulated: SimulatedServer) -> None:
    with openai.OpenAI(base_url=f"{simulated.url}/openai/v1", api_key="k") as client:
        assert client.responses.create(model="o5", input="Why?").output_text
    assert simulated.last()["wire"] == "openai_responses"
