"""The official Google client against generateContent and its relatives."""

import json
from collections.abc import Iterator

import pytest
from bare_http import CONTENTS, GEMINI, sent
from google import genai
from google.genai import errors, types
from simulated_server import SimulatedServer

FIND = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="find",
            parameters={"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
        ),
        types.FunctionDeclaration(name="look", parameters_json_schema={"type": "object", "properties": {}}),
    ]
)
QUIET = types.AutomaticFunctionCallingConfig(disable=True)


@pytest.fixture
def client(simulated: SimulatedServer) -> Iterator[genai.Client]:
    with genai.Client(api_key="k", http_options={"base_url": simulated.url}) as client:
        yield client


def ask(client: genai.Client, contents: object = "Why?", **config: object) -> types.GenerateContentResponse:
    return client.models.generate_content(model="gemini-3.1-pro", contents=contents, config=config or None)


def test_a_stream_says_what_the_unary_answer_says(client: genai.Client, simulated: SimulatedServer) -> None:
    whole = ask(client)
    chunks = list(client.models.generate_content_stream(model="gemini-3.1-pro", contents="Why?"))
    counts = [chunk.usage_metadata.candidates_token_count or 0 for chunk in chunks]

    assert "".join(chunk.text or "" for chunk in chunks) == whole.text
    assert chunks[-1].usage_metadata == whole.usage_metadata
    assert counts == sorted(counts)
    assert chunks[-1].candidates[0].finish_reason == "STOP"
    assert simulated.last()["usage"]["totalTokenCount"] == whole.usage_metadata.total_token_count


def test_thoughts_are_counted_beside_the_candidates(client: genai.Client) -> None:
    shown = ask(client, thinking_config={"include_thoughts": True})
    hidden = ask(client, thinking_config={"thinking_budget": 100})
    usage = shown.usage_metadata

    assert [bool(part.thought) for part in shown.candidates[0].content.parts] == [True, False]
    assert [bool(part.thought) for part in hidden.candidates[0].content.parts] == [False]
    assert shown.candidates[0].content.parts[1].thought_signature
    assert usage.thoughts_token_count == 40
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count + 40
    assert ask(client, thinking_config={"thinking_budget": 0}).usage_metadata.thoughts_token_count is None


def test_functions_are_called_in_parallel_and_answered(client: genai.Client) -> None:
    asked = types.Content(role="user", parts=[types.Part(text="find and look")])
    answer = ask(client, [asked], tools=[FIND], automatic_function_calling=QUIET)
    results = [
        types.Part(function_response=types.FunctionResponse(name=call.name, response={"found": "there"}))
        for call in answer.function_calls
    ]
    after = ask(client, [asked, answer.candidates[0].content, types.Content(role="user", parts=results)], tools=[FIND])

    assert [call.name for call in answer.function_calls] == ["find", "look"]
    assert isinstance(answer.function_calls[0].args["city"], str)
    assert after.text
    assert not after.function_calls


def test_the_calling_mode_forces_or_forbids(client: genai.Client) -> None:
    def called(mode: str, **more: object) -> list[str]:
        config = {"function_calling_config": {"mode": mode, **more}}
        answer = ask(client, "find", tools=[FIND], tool_config=config, automatic_function_calling=QUIET)
        return [call.name for call in answer.function_calls or []]

    assert called("NONE") == []
    assert called("ANY", allowed_function_names=["look"]) == ["look"]


def test_without_alt_sse_the_stream_is_one_json_array(simulated: SimulatedServer) -> None:
    path = "/v1beta/models/gemini-3.1-pro:streamGenerateContent"
    array = sent(simulated.url, path, GEMINI | {"x-simulated": "events=3"}, CONTENTS)
    events = sent(simulated.url, f"{path}?alt=sse", GEMINI | {"x-simulated": "events=3"}, CONTENTS)
    unnamed = [
        [{**chunk, "responseId": None} for chunk in chunks]
        for chunks in (array.json(), map(json.loads, events.events()))
    ]

    assert array.headers["content-type"] == "application/json"
    assert len(array.json()) == 4
    assert unnamed[0] == unnamed[1]


def test_structured_output_and_limits(client: genai.Client) -> None:
    schema = {"type": "OBJECT", "properties": {"days": {"type": "INTEGER"}}, "required": ["days"]}
    answer = ask(client, response_mime_type="application/json", response_schema=schema)

    assert isinstance(json.loads(answer.text)["days"], int)
    assert ask(client, max_output_tokens=4).candidates[0].finish_reason == "MAX_TOKENS"


def test_tokens_are_counted_as_they_are_charged(client: genai.Client) -> None:
    image = types.Part.from_bytes(data=b"picture", mime_type="image/png")
    answer = ask(client, ["What is it?", image])
    counted = client.models.count_tokens(model="gemini-3.1-pro", contents=["What is it?", image]).total_tokens

    assert answer.text.startswith("I can see 1 image. ")
    assert answer.usage_metadata.prompt_token_count == counted == 3 + 3 + 258


def test_models_are_listed_and_shown(client: genai.Client) -> None:
    assert client.models.get(model="gemini-x").name == "models/gemini-x"
    with pytest.raises(errors.ClientError, match="is not found"):
        ask_unknown(client)


def ask_unknown(client: genai.Client) -> None:
    client.models.generate_content(model="no-such-model", contents="Why?")


def test_the_beta_path_lists_models_in_googles_shape(simulated: SimulatedServer) -> None:
    answer = sent(simulated.url, "/v1beta/models", GEMINI, method="GET")

    assert answer.json()["models"][0]["name"] == "models/gemini-3.1-pro"


def test_no_contents_is_400(simulated: SimulatedServer) -> None:
    answer = sent(simulated.url, "/v1beta/models/m:generateContent", GEMINI, {"contents": []})

    assert (answer.status, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
