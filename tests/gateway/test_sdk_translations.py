"""Calls translated in all twelve directions: the caller's SDK reads the answer as it reads its own provider's."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from google.genai import types
from official_clients import Clients, clients, row_of
from running_gateway import RunningGateway, endpoints, providers
from sdk_requests import CHATS, GEMINIS, MESSAGES, RESPONSES
from simulated_server import SimulatedServer

MODELS = {
    "openai_chat": "chat-5.5",
    "openai_responses": "resp-5.5",
    "anthropic_messages": "claude-opus-5",
    "gemini": "gemini-3.1-pro",
}
REQUESTS = {"openai_chat": CHATS, "openai_responses": RESPONSES, "anthropic_messages": MESSAGES, "gemini": GEMINIS}
DIRECTIONS = [(caller, provider) for caller in MODELS for provider in MODELS if caller != provider]
CASES = ["text", "tools", "tool results", "image"]


class Said(NamedTuple):
    """What an SDK read of an answer; calls as (name, arguments)."""

    text: str
    calls: list[tuple[str, Any]]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer) -> Iterator[RunningGateway]:
    """One whose providers speak one protocol each, so that every direction is a translation."""
    known = providers(simulated.url)
    known["chat"] = {**known["openai"], "protocols": ["openai_chat"]}
    served = {**endpoints(), "chat": {"models": ["chat-*"], "destinations": [{"provider": "chat"}]}}
    with RunningGateway(
        tmp_path_factory.mktemp("translating"), simulated.url, providers=known, endpoints=served
    ) as running:
        yield running


@pytest.fixture(scope="module")
def through(gateway: RunningGateway) -> Iterator[Clients]:
    with clients(gateway.url, gateway.key) as made:
        yield made


@pytest.fixture(scope="module")
def direct(simulated: SimulatedServer) -> Iterator[Clients]:
    with clients(simulated.url, "k") as made:
        yield made


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS)
def test_an_answer_is_read_as_the_callers_own(
    gateway: RunningGateway, through: Clients, direct: Clients, caller: str, provider: str
) -> None:
    for case in CASES:
        request = REQUESTS[caller][case]
        answer = ASK[caller](through, MODELS[provider], request)
        # Gemini wraps a tool's result, so the simulated model reads another text there and says another.
        assert answer == ASK[caller](direct, MODELS[caller], request) or (case == "tool results" and answer.text), case
        row = row_of(gateway, through.request_id)
        assert LOGGED[caller](json.loads(row["response_body"])) == answer, case
        assert row["attempts"][0]["usage_format"] == provider
        assert json.loads(row["attempts"][0]["upstream_request_body"])
        assert answer.text or [name for name, _ in answer.calls] == ["find", "look"]


@pytest.mark.parametrize(("caller", "provider"), DIRECTIONS)
def test_a_stream_is_read_as_the_callers_own(
    gateway: RunningGateway, through: Clients, caller: str, provider: str
) -> None:
    for case in CASES:
        request = REQUESTS[caller][case]
        answer = STREAM[caller](through, MODELS[provider], request)
        row = row_of(gateway, through.request_id)
        assert LOGGED[caller](json.loads(row["response_body"])) == answer, case
        assert answer == ASK[caller](through, MODELS[provider], request), case
        assert row["is_stream"]
        assert (row["outcome"], row["attempts"][0]["usage_format"]) == ("completed", provider)


@pytest.mark.parametrize(
    ("caller", "provider"),
    [pair for pair in DIRECTIONS if "openai_chat" not in pair],
)
def test_reasoning_is_asked_for_and_read(gateway: RunningGateway, through: Clients, caller: str, provider: str) -> None:
    request = REQUESTS[caller]["reasoning"]
    assert ASK[caller](through, MODELS[provider], request).text
    body = json.loads(row_of(gateway, through.request_id)["response_body"])
    assert THOUGHTS[caller](body)
    assert STREAM[caller](through, MODELS[provider], request).text
    assert THOUGHTS[caller](json.loads(row_of(gateway, through.request_id)["response_body"])) == THOUGHTS[caller](body)


def chat(one: Clients, model: str, request: dict[str, Any]) -> Said:
    return said_in_chat(one.openai.chat.completions.create(model=model, **request).to_dict())


def chat_stream(one: Clients, model: str, request: dict[str, Any]) -> Said:
    with one.openai.chat.completions.stream(model=model, **request) as stream:
        return said_in_chat(stream.get_final_completion().to_dict())


def said_in_chat(body: Any) -> Said:
    message = body["choices"][0]["message"]
    calls = [call["function"] for call in message.get("tool_calls") or []]
    return Said(message.get("content") or "", [(call["name"], json.loads(call["arguments"])) for call in calls])


def response(one: Clients, model: str, request: dict[str, Any]) -> Said:
    return said_in_response(one.openai.responses.create(model=model, **request).to_dict())


def response_stream(one: Clients, model: str, request: dict[str, Any]) -> Said:
    with one.openai.responses.stream(model=model, **request) as stream:
        return said_in_response(stream.get_final_response().to_dict())


def said_in_response(body: Any) -> Said:
    parts = [part for item in body["output"] if item["type"] == "message" for part in item["content"]]
    calls = [item for item in body["output"] if item["type"] == "function_call"]
    return Said(
        "".join(part["text"] for part in parts), [(call["name"], json.loads(call["arguments"])) for call in calls]
    )


def message(one: Clients, model: str, request: dict[str, Any]) -> Said:
    return said_in_message(one.anthropic.messages.create(model=model, max_tokens=4000, **request).to_dict())


def message_stream(one: Clients, model: str, request: dict[str, Any]) -> Said:
    with one.anthropic.messages.stream(model=model, max_tokens=4000, **request) as stream:
        return said_in_message(stream.get_final_message().to_dict())


def said_in_message(body: Any) -> Said:
    text = "".join(block["text"] for block in body["content"] if block["type"] == "text")
    return Said(text, [(block["name"], block["input"]) for block in body["content"] if block["type"] == "tool_use"])


def content(one: Clients, model: str, request: dict[str, Any]) -> Said:
    return said_in_parts(one.gemini.models.generate_content(model=model, **request).candidates[0].content.parts)


def content_stream(one: Clients, model: str, request: dict[str, Any]) -> Said:
    chunks = list(one.gemini.models.generate_content_stream(model=model, **request))
    assert chunks[-1].candidates[0].finish_reason == "STOP"
    return said_in_parts([part for chunk in chunks for part in chunk.candidates[0].content.parts or []])


def said_in_parts(parts: list[types.Part]) -> Said:
    text = "".join(part.text or "" for part in parts if not part.thought)
    return Said(text, [(part.function_call.name, part.function_call.args) for part in parts if part.function_call])


def said_in_content(body: Any) -> Said:
    return said_in_parts(types.GenerateContentResponse.model_validate(body).candidates[0].content.parts)


ASK = {"openai_chat": chat, "openai_responses": response, "anthropic_messages": message, "gemini": content}
STREAM = {
    "openai_chat": chat_stream,
    "openai_responses": response_stream,
    "anthropic_messages": message_stream,
    "gemini": content_stream,
}
LOGGED = {
    "openai_chat": said_in_chat,
    "openai_responses": said_in_response,
    "anthropic_messages": said_in_message,
    "gemini": said_in_content,
}
THOUGHTS = {
    "openai_responses": lambda body: "".join(
        part["text"] for item in body["output"] if item["type"] == "reasoning" for part in item["summary"]
    ),
    "anthropic_messages": lambda body: "".join(
        block["thinking"] for block in body["content"] if block["type"] == "thinking"
    ),
    "gemini": lambda body: "".join(
        part["text"] for part in body["candidates"][0]["content"]["parts"] if part.get("thought")
    ),
}
