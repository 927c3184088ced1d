"""Providers that differ in one key: what arrives at them."""

import hashlib
from collections.abc import Generator
from typing import Any

import pytest
from gateway.keys.changed_gateway import row_of, served
from parallel_calls import chat
from running_gateway import RunningGateway, providers
from simulated_server import SimulatedServer

SECRETS = {name: f"sk-{name}-0123456789abcdefghijklmnop" for name in ("one", "two", "three", "four")}
VERSION = "2026-10-21"


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer) -> Generator[RunningGateway]:
    plain = providers(simulated.url)["openai"]
    azure = {**plain, "kind": "azure_openai", "base_url": simulated.url}
    known = {
        "plain": plain,
        "messages": {**plain, "kind": "anthropic"},
        "responses": {**plain, "protocols": ["openai_responses"]},
        "azure": azure,
        "dated-azure": {**azure, "api_version": VERSION},
        "broken": {**plain, "base_url": f"{simulated.behaving('status=503')}/v1"},
        "marked": {**plain, "headers": {"x-marked": "yes"}},
        "priced": {**plain, "prices_as": "groq"},
        "first-variable": {**plain, "credential": {"env": "TOLLHOUSE_TEST_ONE"}},
        "second-variable": {**plain, "credential": {"env": "TOLLHOUSE_TEST_TWO"}},
        "first-file": {**plain, "credential": {"file": "three"}},
        "second-file": {**plain, "credential": {"file": "four"}},
    }
    folder = tmp_path_factory.mktemp("providers")
    for name, secret in SECRETS.items():
        (folder / name).write_text(secret)
    variables = {f"TOLLHOUSE_TEST_{name.upper()}": SECRETS[name] for name in ("one", "two")}
    endpoints = {name: served(name) for name in known}
    with RunningGateway(folder, simulated.url, variables, providers=known, endpoints=endpoints) as running:
        yield running


@pytest.fixture
def arrived(varied: RunningGateway, simulated: SimulatedServer) -> Any:
    """What the provider of that name sees of a call."""

    def arrive(name: str) -> dict[str, Any]:
        assert chat(varied, name).status == 200
        return simulated.last()

    return arrive


def headers(call: dict[str, Any]) -> dict[str, str]:
    return dict(call["request_headers"])


@pytest.mark.changes("gateway.providers.<name>.kind")
def test_a_kind_has_its_own_path_and_place_for_the_credential(arrived: Any) -> None:
    plain, messages = arrived("plain"), arrived("messages")
    assert (plain["path"], messages["path"]) == ("/v1/chat/completions", "/v1/messages")
    assert ("authorization" in headers(plain), "x-api-key" in headers(plain)) == (True, False)
    assert ("authorization" in headers(messages), "x-api-key" in headers(messages)) == (False, True)


@pytest.mark.changes("gateway.providers.<name>.base_url")
def test_a_provider_is_where_its_url_says(varied: RunningGateway) -> None:
    assert (chat(varied, "plain").status, chat(varied, "broken").status) == (200, 503)


@pytest.mark.changes("gateway.providers.<name>.protocols")
def test_a_call_in_a_protocol_that_the_provider_does_not_speak_is_translated(arrived: Any) -> None:
    assert (arrived("plain")["path"], arrived("responses")["path"]) == ("/v1/chat/completions", "/v1/responses")


@pytest.mark.changes("gateway.providers.<name>.api_version")
def test_a_version_puts_azures_deployment_into_the_path(arrived: Any) -> None:
    seen = [(call["path"], call["query"]) for call in map(arrived, ("azure", "dated-azure"))]
    dated = "/openai/deployments/dated-azure/chat/completions"
    assert seen == [("/openai/v1/chat/completions", ""), (dated, f"api-version={VERSION}")]


@pytest.mark.changes("gateway.providers.<name>.headers")
def test_headers_go_to_the_provider(arrived: Any) -> None:
    assert [headers(arrived(name)).get("x-marked") for name in ("plain", "marked")] == [None, "yes"]


@pytest.mark.changes("gateway.providers.<name>.prices_as")
def test_a_providers_prices_may_be_anothers(varied: RunningGateway) -> None:
    assert [row_of(varied, model)["attempts"][0]["provider"] for model in ("plain", "priced")] == ["openai", "groq"]


@pytest.mark.parametrize(
    ("names", "secrets"),
    [
        pytest.param(("first-variable", "second-variable"), ("one", "two"), id="env"),
        pytest.param(("first-file", "second-file"), ("three", "four"), id="file"),
    ],
)
@pytest.mark.changes("gateway.providers.<name>.credential.env", "gateway.providers.<name>.credential.file")
def test_a_credential_comes_from_where_its_source_says(
    arrived: Any, names: tuple[str, str], secrets: tuple[str, str]
) -> None:
    digests = [f"Bearer sha256:{hashlib.sha256(SECRETS[name].encode()).hexdigest()}" for name in secrets]
    assert [headers(arrived(name))["authorization"] for name in names] == digests
