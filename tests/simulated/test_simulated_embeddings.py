import math

import openai
import pytest
from bare_http import GEMINI, OPENAI, sent
from google import genai
from simulated_server import SimulatedServer


def test_floats_and_base64_are_the_same_vector(simulated: SimulatedServer) -> None:
    with openai.OpenAI(base_url=f"{simulated.url}/v1", api_key="k") as client:
        packed = client.embeddings.create(model="e", input=["one", "two", "one"])
        plain = client.embeddings.create(model="e", input="one", encoding_format="float")
    vectors = [item.embedding for item in packed.data]

    assert vectors[0] == vectors[2] != vectors[1]
    assert vectors[0] == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert math.hypot(*vectors[0]) == pytest.approx(1)
    assert packed.usage.prompt_tokens == packed.usage.total_tokens == 3
    assert [call["usage"]["prompt_tokens"] for call in simulated.ledger()] == [3, 1]


def test_a_list_of_numbers_is_one_input_of_that_many_tokens(simulated: SimulatedServer) -> None:
    one = sent(simulated.url, "/v1/embeddings", OPENAI, {"model": "e", "input": [5, 6, 7], "dimensions": 8}).json()
    two = sent(simulated.url, "/v1/embeddings", OPENAI, {"model": "e", "input": [[5], [6, 7]]}).json()

    assert (len(one["data"]), one["usage"]["prompt_tokens"], len(one["data"][0]["embedding"])) == (1, 3, 8)
    assert (len(two["data"]), two["usage"]["prompt_tokens"]) == (2, 3)


@pytest.mark.parametrize("body", [{"model": "e", "input": []}, {"model": "e", "input": "a", "dimensions": 9999}])
def test_what_cannot_be_embedded_is_400(simulated: SimulatedServer, body: object) -> None:
    assert sent(simulated.url, "/v1/embeddings", OPENAI, body).status == 400


def test_azure_embeds_by_deployment(simulated: SimulatedServer) -> None:
    with openai.AzureOpenAI(azure_endpoint=simulated.url, api_key="k", api_version="2025-04-01-preview") as client:
        assert client.embeddings.create(model="my-deployment", input="a").model == "my-deployment"


def test_gemini_embeds_one_and_many(simulated: SimulatedServer) -> None:
    with genai.Client(api_key="k", http_options={"base_url": simulated.url}) as client:
        many = client.models.embed_content(model="g", contents=["a", "b"], config={"output_dimensionality": 16})
    content = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 16}
    one = sent(simulated.url, "/v1beta/models/g:embedContent", GEMINI, content)

    assert [len(one.values) for one in many.embeddings] == [16, 16]
    assert many.embeddings[0].values == pytest.approx(one.json()["embedding"]["values"])
    assert simulated.last()["tokens"]["input"] == 1
