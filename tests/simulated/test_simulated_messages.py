"""The official Anthropic client against Messages."""

from collections.abc import Iterator

import anthropic
import pytest
from bare_http import ANTHROPIC, MESSAGES, sent
from simulated_server import SimulatedServer

USER = [{"role": "user", "content": "Why does the build wait?"}]
FIND = {
    "name": "find",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
LOOK = {"name": "look", "input_schema": {"type": "object", "properties": {}}}


@pytest.fixture
def client(simulated: SimulatedServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=simulated.url, api_key="k", max_retries=0) as client:
        yield client


def ask(client: anthropic.Anthropic, messages: object = USER, **more: object) -> anthropic.types.Message:
    return client.messages.create(model="claude-opus-5", max_tokens=4000, messages=messages, **more)


def streamed(client: anthropic.Anthropic, messages: object = USER, **more: object) -> anthropic.types.Message:
    with client.messages.stream(model="claude-opus-5", max_tokens=4000, messages=messages, **more) as stream:
        return stream.get_final_message()


def blocks(message: anthropic.types.Message) -> list[dict[str, object]]:
    return [block.model_dump(exclude={"id"}, exclude_none=True) for block in message.content]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"tools": [FIND, LOOK], "tool_choice": {"type": "any"}},
        {"tools": [FIND, LOOK], "extra_headers": {"x-simulated": "tools=3; words=4; thinking"}},
        {"stop_sequences": ["the"]},
    ],
    ids=["text", "thinking", "tool", "all", "stop sequence"],
)
def test_a_stream_assembles_to_the_unary_answer(client: anthropic.Anthropic, more: dict[str, object]) -> None:
    whole, assembled = ask(client, **more), streamed(client, **more)

    assert blocks(assembled) == blocks(whole)
    assert (assembled.stop_reason, assembled.stop_sequence) == (whole.stop_reason, whole.stop_sequence)
    assert assembled.usage == whole.usage


def test_thinking_is_signed_and_counted_within_the_output(client: anthropic.Anthropic) -> None:
    thought = ask(client, thinking={"type": "adaptive"})

    assert [block.type for block in thought.content] == ["thinking", "text"]
    assert thought.content[0].signature
    assert thought.usage.output_tokens_details.thinking_tokens == 40
    assert thought.usage.output_tokens == 40 + ask(client).usage.output_tokens


def test_parallel_tool_uses_have_ids_of_their_own(client: anthropic.Anthropic) -> None:
    first, second = ask(client, [{"role": "user", "content": "find and look"}], tools=[FIND, LOOK]).content

    assert (first.name, second.name) == ("find", "look")
    assert first.id != second.id
    assert isinstance(first.input["city"], str)


def test_a_result_is_answered_with_text_and_a_missing_one_refused(client: anthropic.Anthropic) -> None:
    asked = [{"role": "user", "content": "find it"}]
    use = ask(client, asked, tools=[FIND]).content[0]
    result = {"type": "tool_result", "tool_use_id": use.id, "content": [{"type": "text", "text": "there"}]}
    turns = [*asked, {"role": "assistant", "content": [use]}]

    assert ask(client, [*turns, {"role": "user", "content": [result]}], tools=[FIND]).stop_reason == "end_turn"
    with pytest.raises(anthropic.BadRequestError, match="without `tool_result` blocks"):
        ask(client, [*turns, {"role": "user", "content": "And?"}], tools=[FIND])
    with pytest.raises(anthropic.BadRequestError, match="unexpected `tool_use_id`"):
        ask(client, [{"role": "user", "content": [result]}], tools=[FIND])


def cached(text: str, **ttl: str) -> dict[str, object]:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral", **ttl}}


def test_a_marked_prompt_is_written_to_the_cache_and_read_in_the_next_turn(client: anthropic.Anthropic) -> None:
    first = ask(client, system=[cached("s" * 400)]).usage
    later = [*USER, {"role": "assistant", "content": "Because."}, {"role": "user", "content": "And?"}]
    second = ask(client, later, system=[cached("s" * 400)]).usage

    assert (first.cache_creation_input_tokens, first.cache_read_input_tokens) == (100, 0)
    assert first.input_tokens == 6 + 3
    assert (second.cache_creation_input_tokens, second.cache_read_input_tokens) == (0, 100)


def test_a_second_mark_reads_up_to_the_first_and_writes_the_rest_for_an_hour(client: anthropic.Anthropic) -> None:
    usage = ask(client, [{"role": "user", "content": [cached("u" * 40, ttl="1h")]}], system=[cached("s" * 400)]).usage

    assert usage.cache_read_input_tokens == 100
    assert usage.cache_creation.ephemeral_1h_input_tokens == 13
    assert usage.cache_creation.ephemeral_5m_input_tokens == 0
    assert usage.input_tokens == 0


def test_the_start_counts_one_token_and_the_delta_all(simulated: SimulatedServer) -> None:
    with anthropic.Anthropic(base_url=simulated.url, api_key="k") as client:
        events = list(ask(client, stream=True))
    start, delta = events[0].message.usage, next(event.usage for event in events if event.type == "message_delta")

    assert start.output_tokens == 1
    assert delta.output_tokens == simulated.last()["tokens"]["output"]
    assert (delta.input_tokens, start.input_tokens) == (9, 9)


def test_a_ping_comes_after_the_start(simulated: SimulatedServer) -> None:
    answer = sent(simulated.url, "/v1/messages", ANTHROPIC, MESSAGES | {"stream": True})

    assert [event.split('"')[3] for event in answer.events()[:3]] == ["message_start", "ping", "content_block_start"]
    assert '"message_stop"' in answer.events()[-1]


def test_tokens_are_counted_as_they_are_charged(client: anthropic.Anthropic) -> None:
    asked = {"messages": USER, "system": "Be kind.", "tools": [FIND]}
    counted = client.messages.count_tokens(model="claude-opus-5", **asked).input_tokens

    assert counted == ask(client, **asked).usage.input_tokens


def test_an_image_counts_and_is_acknowledged(client: anthropic.Anthropic) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    answer = ask(client, [{"role": "user", "content": [image, image]}])

    assert answer.content[0].text.startswith("I can see 2 images. ")
    assert answer.usage.input_tokens == 2 * 258 + 3


def test_models_are_anthropics_where_its_version_is_named(client: anthropic.Anthropic) -> None:
    assert next(iter(client.models.list())).display_name == "Claude Opus 5"
    assert client.models.retrieve("claude-x").type == "model"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("no-such-model")


@pytest.mark.parametrize(
    ("headers", "body", "complaint"),
    [
        ({"x-api-key": "k"}, MESSAGES, "anthropic-version: header is required"),
        (ANTHROPIC, {**MESSAGES, "max_tokens": None}, "max_tokens: Field required"),
        (ANTHROPIC, {**MESSAGES, "messages": []}, "at least one message"),
        (ANTHROPIC, {**MESSAGES, "messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
    ],
)
def test_what_anthropic_refuses_is_refused(
    simulated: SimulatedServer, headers: dict[str, str], body: object, complaint: str
) -> None:
    answer = sent(simulated.url, "/v1/messages", headers, body)

    assert (answer.status, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert complaint in answer.json()["error"]["message"]
