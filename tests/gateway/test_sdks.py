"""The official SDKs through the gateway: results as when they go direct, and rows that say what they assembled."""

import json
from collections.abc import Callable, Collection
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types
from official_clients import Clients, clients, masked, plain, row_of
from running_gateway import RunningGateway
from sdk_requests import BOTH, CHATS, GEMINIS, MESSAGE_TOOLS, MESSAGES, RESPONSE_TOOLS, RESPONSES
from simulated_server import SimulatedServer

Ask = Callable[[Clients], Any]


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "prefixed"])
def both(request: pytest.FixtureRequest, gateway: RunningGateway, simulated: SimulatedServer) -> Any:
    """SDKs that go direct, and the same through the gateway."""
    with (
        clients(simulated.url, "k") as direct,
        clients(gateway.url, gateway.key, is_prefixed=request.param) as through,
    ):
        yield direct, through


def assert_as_direct(both: tuple[Clients, Clients], ask: Ask) -> Any:
    """The same answer both ways; the one of the gateway."""
    direct, through = both
    answer = ask(through)
    assert masked(plain(answer)) == masked(plain(ask(direct)))
    return answer


def test_a_chat_completion_is_as_direct_and_in_the_row(both: tuple[Clients, Clients], gateway: RunningGateway) -> None:
    for name, request in CHATS.items():
        answer = assert_as_direct(both, lambda one, r=request: one.openai.chat.completions.create(model="gpt-5.5", **r))
        row = row_of(gateway, both[1].request_id)
        assert without_nulls(json.loads(row["response_body"])) == without_nulls(answer.to_dict()), name


def test_a_chat_stream_is_as_direct_and_in_the_row(both: tuple[Clients, Clients], gateway: RunningGateway) -> None:
    for name, request in CHATS.items():
        for options in ({}, {"stream_options": {"include_usage": True}}):
            more = request | options

            def stream(one: Clients, more: dict[str, Any] = more) -> Any:
                with one.openai.chat.completions.stream(model="gpt-5.5", **more) as opened:
                    return opened.get_final_completion()

            answer = assert_as_direct(both, stream)
            row = row_of(gateway, both[1].request_id)
            # A client that did not ask for usage gets none, while the row has it; indexes are the stream's own.
            left_out = {"index", "parsed", "parsed_arguments"} | (set() if options else {"usage"})
            logged = without_nulls(json.loads(row["response_body"]), left_out)
            assert logged == without_nulls(answer.to_dict(), left_out), name
            assert row["attempts"][0]["usage"] == json.loads(row["response_body"])["usage"]
            assert (answer.usage is not None) == bool(options)


def test_a_response_is_as_direct_and_in_the_row(both: tuple[Clients, Clients], gateway: RunningGateway) -> None:
    for name, request in RESPONSES.items():
        answer = assert_as_direct(both, lambda one, r=request: one.openai.responses.create(model="gpt-5.5", **r))
        row = row_of(gateway, both[1].request_id)
        assert without_nulls(json.loads(row["response_body"])) == without_nulls(answer.to_dict()), name


def test_a_response_stream_is_as_direct_and_in_the_row(both: tuple[Clients, Clients], gateway: RunningGateway) -> None:
    for name, request in RESPONSES.items():

        def stream(one: Clients, request: dict[str, Any] = request) -> Any:
            with one.openai.responses.stream(model="gpt-5.5", **request) as opened:
                return opened.get_final_response()

        answer = assert_as_direct(both, stream)
        row = row_of(gateway, both[1].request_id)
        left_out = {"parsed", "parsed_arguments"}
        logged = without_nulls(json.loads(row["response_body"]), left_out)
        assert logged == without_nulls(answer.to_dict(), left_out), name


def test_a_message_is_as_direct_and_in_the_row(both: tuple[Clients, Clients], gateway: RunningGateway) -> None:
    for name, request in MESSAGES.items():
        answer = assert_as_direct(
            both, lambda one, r=request: one.anthropic.messages.create(model="claude-opus-5", max_tokens=4000, **r)
        )
        row = row_of(gateway, both[1].request_id)
        assert without_nulls(json.loads(row["response_body"])) == without_nulls(answer.to_dict()), name


def test_a_message_stream_is_as_direct_and_in_the_row(both: tuple[Clients, Clients], gateway: RunningGateway) -> None:
    for name, request in MESSAGES.items():

        def stream(one: Clients, request: dict[str, Any] = request) -> Any:
            with one.anthropic.messages.stream(model="claude-opus-5", max_tokens=4000, **request) as opened:
                return opened.get_final_message()

        answer = assert_as_direct(both, stream)
        row = row_of(gateway, both[1].request_id)
        left_out = {"parsed_output"}
        logged = without_nulls(json.loads(row["response_body"]), left_out)
        assert logged == without_nulls(answer.to_dict(), left_out), name


def test_content_is_as_direct_and_in_the_row(both: tuple[Clients, Clients], gateway: RunningGateway) -> None:
    for name, request in GEMINIS.items():
        answer = assert_as_direct(
            both, lambda one, r=request: one.gemini.models.generate_content(model="gemini-3.1-pro", **r)
        )
        row = row_of(gateway, both[1].request_id)
        logged = types.GenerateContentResponse.model_validate_json(row["response_body"])
        assert without_http(logged) == without_http(answer), name


def test_a_content_stream_is_as_direct_and_in_the_row(both: tuple[Clients, Clients], gateway: RunningGateway) -> None:
    for name, request in GEMINIS.items():
        chunks = assert_as_direct(
            both, lambda one, r=request: list(one.gemini.models.generate_content_stream(model="gemini-3.1-pro", **r))
        )
        row = row_of(gateway, both[1].request_id)
        logged = types.GenerateContentResponse.model_validate_json(row["response_body"])
        assert logged.candidates, name
        parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts or []]
        assert texts(logged.candidates[0].content.parts) == texts(parts), name
        assert logged.function_calls == ([call for chunk in chunks for call in chunk.function_calls or []] or None)
        assert logged.usage_metadata == chunks[-1].usage_metadata
        assert logged.response_id == chunks[-1].response_id
        assert logged.candidates[0].finish_reason == chunks[-1].candidates[0].finish_reason


def test_a_gemini_stream_as_an_array_is_as_direct(gateway: RunningGateway, simulated: SimulatedServer) -> None:
    path = "/v1beta/models/gemini-3.1-pro:streamGenerateContent"
    body = {"contents": [{"role": "user", "parts": [{"text": "Why?"}]}]}
    through = gateway.call(path, body, headers={"x-request-id": "gemini-array-of-official-clients"})
    with clients(simulated.url, "k") as direct:
        chunks = list(direct.gemini.models.generate_content_stream(model="gemini-3.1-pro", contents="Why?"))
    texts_through = [event["candidates"][0]["content"]["parts"][0]["text"] for event in through.json]
    assert "".join(texts_through) == "".join(chunk.text for chunk in chunks)
    logged = json.loads(row_of(gateway, "gemini-array-of-official-clients")["response_body"])
    assert logged["candidates"][0]["content"]["parts"][0]["text"] == "".join(texts_through)


@pytest.mark.parametrize(
    ("ask", "api_type"),
    [
        (
            lambda one: one.openai.embeddings.create(model="text-embedding-3-small", input=["a", "b"]),
            "openai/v1/embeddings",
        ),
        (
            lambda one: one.anthropic.messages.count_tokens(
                model="claude-opus-5", messages=[{"role": "user", "content": "Why?"}], tools=MESSAGE_TOOLS
            ),
            "anthropic/v1/messages/count_tokens",
        ),
        (
            lambda one: one.gemini.models.count_tokens(model="gemini-3.1-pro", contents="Why?"),
            "gemini/v1/countTokens",
        ),
        (
            lambda one: one.gemini.models.embed_content(model="gemini-embedding-001", contents=["a", "b"]),
            "gemini/v1/embedContent",
        ),
    ],
    ids=["embeddings", "counted message", "counted contents", "embedded contents"],
)
def test_what_is_not_generated_is_as_direct(
    both: tuple[Clients, Clients], gateway: RunningGateway, ask: Ask, api_type: str
) -> None:
    assert_as_direct(both, ask)
    row = row_of(gateway, both[1].request_id)
    assert (row["api_type"], row["outcome"], row["status_code"]) == (api_type, "completed", 200)


def test_a_stored_response_is_fetched_listed_and_deleted_as_direct(both: tuple[Clients, Clients]) -> None:
    def ask(one: Clients) -> Any:
        made = one.openai.responses.create(model="gpt-5.5", input="Why?")
        after = one.openai.responses.create(model="gpt-5.5", input="And then?", previous_response_id=made.id)
        found = one.openai.responses.retrieve(made.id)
        items = list(one.openai.responses.input_items.list(made.id))
        one.openai.responses.delete(made.id)
        with pytest.raises(openai.NotFoundError):
            one.openai.responses.retrieve(made.id)
        return [made, after, found, *items]

    assert_as_direct(both, ask)


def test_the_lists_of_models_are_read_by_every_sdk(both: tuple[Clients, Clients]) -> None:
    through = both[1]
    assert {type(one) for one in through.openai.models.list()} <= {openai.types.Model}
    assert {type(one) for one in through.anthropic.models.list()} <= {anthropic.types.ModelInfo}
    assert {type(one) for one in through.gemini.models.list()} <= {types.Model}


@pytest.mark.parametrize("prefix", ["/ai-gateway/mlflow/v1", "/ai-gateway/cursor/v1"])
def test_other_programs_chat_paths_are_as_direct(
    gateway: RunningGateway, simulated: SimulatedServer, prefix: str
) -> None:
    with clients(simulated.url, "k") as direct, clients(gateway.url, gateway.key, openai_at=prefix) as through:
        assert_as_direct(
            (direct, through),
            lambda one: one.openai.chat.completions.create(model="gpt-5.5", **CHATS["tools"]),
        )
        row = row_of(gateway, through.request_id)
    assert row["api_type"] == f"{prefix.removeprefix('/ai-gateway/')}/chat/completions"


def test_the_codex_path_is_as_direct(gateway: RunningGateway, simulated: SimulatedServer) -> None:
    with (
        clients(simulated.url, "k") as direct,
        clients(gateway.url, gateway.key, openai_at="/ai-gateway/codex/v1") as through,
    ):
        assert_as_direct(
            (direct, through), lambda one: one.openai.responses.create(model="gpt-5.5", **RESPONSES["tools"])
        )
        assert row_of(gateway, through.request_id)["api_type"] == "codex/v1/responses"


def test_cursors_responses_body_on_its_chat_path_is_answered_in_chunks(gateway: RunningGateway) -> None:
    with clients(gateway.url, gateway.key, openai_at="/ai-gateway/cursor/v1") as through:
        chunks = list(
            through.openai.chat.completions.create(
                model="resp-5.5",
                messages=openai.omit,
                stream=True,
                extra_body={"input": [{"role": "user", "content": BOTH}], "tools": RESPONSE_TOOLS},
            )
        )
        row = row_of(gateway, through.request_id)
    names = [
        call.function.name
        for chunk in chunks
        for choice in chunk.choices
        for call in choice.delta.tool_calls or []
        if call.function and call.function.name
    ]
    assert names == ["find", "look"]
    assert chunks[-1].object == "chat.completion.chunk"
    assert (row["outcome"], row["api_type"]) == ("completed", "cursor/v1/chat/completions")
    assert row["attempts"][0]["usage_format"] == "openai_responses"


def test_errors_of_the_gateway_are_the_sdks_own(gateway: RunningGateway) -> None:
    with clients(gateway.url, "th_wrong") as refused, clients(gateway.url, gateway.key) as known:
        with pytest.raises(openai.AuthenticationError):
            refused.openai.chat.completions.create(model="gpt-5.5", **CHATS["text"])
        with pytest.raises(anthropic.AuthenticationError):
            refused.anthropic.messages.create(model="claude-opus-5", max_tokens=9, **MESSAGES["text"])
        with pytest.raises(genai.errors.ClientError, match="401"):
            refused.gemini.models.generate_content(model="gemini-3.1-pro", contents="Why?")
        with pytest.raises(openai.NotFoundError, match="no endpoint serves"):
            known.openai.responses.create(model="unheard-of", input="Why?")


def without_nulls(value: Any, left_out: Collection[str] = ()) -> Any:
    """Members that are null say what absent ones say; the SDKs fill in many."""
    if isinstance(value, dict):
        kept = {name: without_nulls(member, left_out) for name, member in value.items() if name not in left_out}
        return {name: member for name, member in kept.items() if member is not None}
    return [without_nulls(member, left_out) for member in value] if isinstance(value, list) else value


def without_http(answer: types.GenerateContentResponse) -> Any:
    """What the answer says, without the SDK's note of its response's headers."""
    return answer.model_dump(exclude={"sdk_http_response", "parsed", "automatic_function_calling_history"})


def texts(parts: list[types.Part]) -> tuple[str, str]:
    """The thoughts and the text of the parts."""
    thoughts = "".join(part.text or "" for part in parts if part.thought)
    return thoughts, "".join(part.text or "" for part in parts if not part.thought)
