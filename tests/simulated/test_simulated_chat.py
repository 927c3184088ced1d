"""The official OpenAI client against chat completions, Azure's among them."""

import base64
import json
from collections.abc import Iterator

import openai
import pytest
from bare_http import CHAT, OPENAI, sent
from openai.types.chat import ChatCompletion
from simulated_server import SimulatedServer

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 7}},
            "required": ["city", "days"],
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def client(simulated: SimulatedServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{simulated.url}/v1", api_key="k", max_retries=0) as client:
        yield client


def ask(client: openai.OpenAI, content: object = "Why?", **more: object) -> ChatCompletion:
    return client.chat.completions.create(model="gpt-5.5", messages=[{"role": "user", "content": content}], **more)


def test_the_same_question_has_the_same_answer_under_another_id(client: openai.OpenAI) -> None:
    first, second = ask(client), ask(client)

    assert first.choices[0].message.content == second.choices[0].message.content
    assert first.id != second.id
    assert ask(client, "Why not?").choices[0].message.content != first.choices[0].message.content


def test_another_seed_gives_another_answer(client: openai.OpenAI) -> None:
    with (
        SimulatedServer("--seed", "2") as other,
        openai.OpenAI(base_url=f"{other.url}/v1", api_key="k") as second,
    ):
        assert ask(second).choices[0].message.content != ask(client).choices[0].message.content


def test_tokens_are_a_quarter_of_the_bytes_and_three_for_each_turn(client: openai.OpenAI) -> None:
    answer = ask(client, "é" * 10)

    assert answer.usage.prompt_tokens == 5 + 3
    assert answer.usage.completion_tokens == -(-len(answer.choices[0].message.content.encode()) // 4)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_stream_says_what_the_unary_answer_says(client: openai.OpenAI, simulated: SimulatedServer) -> None:
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])

    assert text == ask(client).choices[0].message.content
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].choices == []
    assert chunks[-1].usage.model_dump(exclude_none=True) == simulated.ledger()[0]["usage"]


def test_a_stream_has_usage_only_where_it_was_asked_for(client: openai.OpenAI, simulated: SimulatedServer) -> None:
    chunks = list(ask(client, stream=True))
    call = simulated.last()

    assert all(chunk.choices for chunk in chunks)
    assert "usage" not in chunks[0].model_fields_set
    assert call["usage"] is None
    assert call["tokens"]["output"] > 0


def test_a_tool_that_the_text_names_is_called_with_fitting_arguments(client: openai.OpenAI) -> None:
    answer = ask(client, "Please use get_weather.", tools=[WEATHER, CLOCK])
    (call,) = answer.choices[0].message.tool_calls
    arguments = json.loads(call.function.arguments)

    assert answer.choices[0].finish_reason == "tool_calls"
    assert call.function.name == "get_weather"
    assert isinstance(arguments["city"], str)
    assert 1 <= arguments["days"] <= 7


@pytest.mark.parametrize(
    ("content", "more", "called"),
    [
        ("Good morning.", {}, []),
        ("Use a tool.", {}, ["get_weather"]),
        ("Use a tool.", {"tool_choice": "none"}, []),
        ("Good morning.", {"tool_choice": "required"}, ["get_weather"]),
        ("Good morning.", {"tool_choice": {"type": "function", "function": {"name": "get_time"}}}, ["get_time"]),
        ("get_weather and get_time", {}, ["get_weather", "get_time"]),
        ("get_weather and get_time", {"parallel_tool_calls": False}, ["get_weather"]),
    ],
)
def test_which_tools_are_called(client: openai.OpenAI, content: str, more: dict, called: list[str]) -> None:
    calls = ask(client, content, tools=[WEATHER, CLOCK], **more).choices[0].message.tool_calls or []

    assert [call.function.name for call in calls] == called


def test_parallel_calls_stream_with_their_own_index_and_id(client: openai.OpenAI) -> None:
    headers = {"x-simulated": "tools=3"}
    whole = ask(client, tools=[WEATHER, CLOCK], extra_headers=headers).choices[0].message.tool_calls
    deltas = [
        delta
        for chunk in ask(client, tools=[WEATHER, CLOCK], extra_headers=headers, stream=True)
        for delta in chunk.choices[0].delta.tool_calls or []
    ]
    arguments = {index: "".join(d.function.arguments for d in deltas if d.index == index) for index in range(3)}

    assert [call.function.arguments for call in whole] == list(arguments.values())
    assert len({delta.id for delta in deltas if delta.id}) == 3
    assert [delta.function.name for delta in deltas if delta.id] == ["get_weather", "get_time", "get_weather"]


def test_after_a_tools_result_comes_text(client: openai.OpenAI) -> None:
    question = {"role": "user", "content": "Use get_time."}
    asked = client.chat.completions.create(model="m", messages=[question], tools=[CLOCK]).choices[0].message
    result = {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "noon"}
    answer = client.chat.completions.create(model="m", messages=[question, asked, result], tools=[CLOCK])

    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.content


def test_a_call_without_its_result_is_refused(client: openai.OpenAI) -> None:
    call = {"id": "call_9", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
    messages = [{"role": "assistant", "tool_calls": [call]}, {"role": "user", "content": "And now?"}]

    with pytest.raises(openai.BadRequestError, match="did not have response messages: call_9"):
        client.chat.completions.create(model="m", messages=messages)


def test_a_result_without_its_call_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="must be a response to"):
        client.chat.completions.create(model="m", messages=[{"role": "tool", "tool_call_id": "x", "content": "noon"}])


def test_an_image_counts_and_is_acknowledged(client: openai.OpenAI) -> None:
    url = "data:image/png;base64," + base64.b64encode(b"picture" * 99).decode()
    answer = ask(client, [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}])

    assert answer.choices[0].message.content.startswith("I can see 1 image. ")
    assert answer.usage.prompt_tokens == 3 + 3 + 258


def test_reasoning_is_counted_within_the_completion(client: openai.OpenAI) -> None:
    answer = ask(client, reasoning_effort="high")

    assert answer.usage.completion_tokens_details.reasoning_tokens == 40
    assert answer.usage.completion_tokens == 40 + ask(client).usage.completion_tokens


def test_a_limit_cuts_the_answer_off(client: openai.OpenAI) -> None:
    answer = ask(client, max_tokens=7)

    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 7


def test_a_stop_sequence_ends_the_answer_before_it(client: openai.OpenAI) -> None:
    whole = ask(client).choices[0].message.content

    assert ask(client, stop=" ").choices[0].message.content == whole.split(" ")[0]


def test_structured_output_fits_its_schema(client: openai.OpenAI) -> None:
    schema = {"type": "object", "properties": {"mood": {"enum": ["good", "bad"]}}, "required": ["mood"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "mood", "schema": schema}}

    assert json.loads(ask(client, response_format=wanted).choices[0].message.content)["mood"] in {"good", "bad"}


def test_several_choices_are_several_answers_and_cost_together(client: openai.OpenAI) -> None:
    answer = ask(client, n=2)
    texts = [choice.message.content for choice in answer.choices]
    streamed = ["", ""]
    for chunk in ask(client, n=2, stream=True):
        streamed[chunk.choices[0].index] += chunk.choices[0].delta.content or ""

    assert texts[0] != texts[1]
    assert streamed == texts
    assert answer.usage.completion_tokens == sum(-(-len(text.encode()) // 4) for text in texts)


def test_a_long_conversation_is_read_from_the_cache_up_to_its_last_turn(client: openai.OpenAI) -> None:
    turns = [("user", "x" * 4000), ("assistant", "y" * 400), ("user", "And?")]
    messages = [{"role": role, "content": content} for role, content in turns]
    usage = client.chat.completions.create(model="m", messages=messages).usage

    assert usage.prompt_tokens == 1000 + 100 + 1 + 9
    assert usage.prompt_tokens_details.cached_tokens == 1024


def test_a_model_that_nobody_has_is_404(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "Hi"}])

    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"{", "could not parse"),
        (b'{"model": "m", "messages": [], "x": NaN}', "could not parse"),
        (b'{"model": "m", "x": ' + b"[" * 100_000, "could not parse"),
        (b'{"messages": []}', "model"),
        (b'{"model": "m", "messages": []}', "empty array"),
        (b'{"model": "m", "messages": [{"role": "king", "content": "Hi"}]}', "king"),
        (b'{"model": 5, "messages": []}', "Expected `str`"),
        (b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": [{"type": "x"}]}', "no function"),
    ],
)
def test_a_body_that_cannot_be_used_is_400(simulated: SimulatedServer, body: bytes, complaint: str) -> None:
    answer = sent(simulated.url, "/v1/chat/completions", OPENAI, body)

    assert answer.status == 400
    assert complaint in answer.json()["error"]["message"]


def test_lone_surrogates_and_big_integers_are_read(simulated: SimulatedServer) -> None:
    body = b'{"model": "m", "messages": [{"role": "user", "content": "a \\ud83d b"}], "seed": 123456789012345678901234}'
    answer = sent(simulated.url, "/v1/chat/completions", OPENAI, body)

    assert answer.status == 200
    assert answer.json()["usage"]["prompt_tokens"] == 2 + 3


def test_azure_answers_a_deployment_with_its_filters(simulated: SimulatedServer) -> None:
    with openai.AzureOpenAI(azure_endpoint=simulated.url, api_key="k", api_version="2025-04-01-preview") as client:
        messages = [{"role": "user", "content": "Why?"}]
        answer = client.chat.completions.create(model="my-deployment", messages=messages)
        first, *rest = client.chat.completions.create(model="my-deployment", messages=messages, stream=True)

    assert (answer.model, answer.choices[0].finish_reason) == ("my-deployment", "stop")
    assert first.choices == []
    assert first.model_extra["prompt_filter_results"]
    assert rest[-1].choices[0].finish_reason == "stop"
    assert simulated.last()["path"] == "/openai/deployments/my-deployment/chat/completions"


def test_azure_wants_an_api_version_and_has_the_v1_paths_without(simulated: SimulatedServer) -> None:
    key = {"api-key": "k"}

    assert sent(simulated.url, "/openai/deployments/d/chat/completions", key, CHAT).status == 404
    assert sent(simulated.url, "/openai/v1/chat/completions", key, CHAT).status == 200
    assert sent(simulated.url, "/openai/deployments/d/chat/completions?api-version=1", key, CHAT).status == 200


def test_models_are_listed_and_shown(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()][:2] == ["gpt-5.5", "gpt-5.5-mini"]
    assert client.models.retrieve("my-own").id == "my-own"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")
