"""Every key of the configuration changes something that a caller, a provider or the log sees."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

import pytest
from parallel_calls import chat
from running_gateway import RunningGateway, providers
from simulated_server import SimulatedServer

from tollhouse.gateway.configuration.reference import keys

_T = TypeVar("_T", bound=Callable[..., Any])
_CHANGED: set[str] = set()
_ENDPOINT = "gateway.endpoints.<name>"
_PROVIDER = "gateway.providers.<name>"
# Keys that no test here changes yet. Each that gets its test leaves this set; none may come into it.
NOT_YET = {
    *(f"{_PROVIDER}.{key}" for key in ("credential.env", "credential.file", "api_version")),
    *(f"{_PROVIDER}.{key}" for key in ("kind", "protocols")),
    f"{_ENDPOINT}.destinations[].weight",
    *(f"{_ENDPOINT}.{key}" for key in ("affinity", "disconnect", "cooldown.failures", "cooldown.seconds")),
    *(f"{_ENDPOINT}.retries.{key}" for key in ("base_ms", "max_ms")),
    *(f"{_ENDPOINT}.timeouts.{key}" for key in ("connect_ms", "first_token_ms", "idle_ms")),
    *(f"gateway.{key}" for key in ("listen.host", "listen.port", "admin.host", "admin.port", "workers", "transport")),
    *(f"gateway.{key}" for key in ("drain_seconds", "trusted_proxies", "log_level", "payloads.sampling_fraction")),
    *(f"gateway.limits.{key}" for key in ("request_seconds", "event_bytes", "response_bytes", "decoded_ratio")),
    *(f"gateway.spool.{key}" for key in ("durability", "on_full", "wait_seconds")),
    *(f"gateway.identity.pepper.{key}" for key in ("env", "file")),
    *(f"gateway.tracing.{key}" for key in ("otlp_endpoint", "sampling_fraction", "service_name")),
}


def changes(key: str) -> Callable[[_T], _T]:
    """Says that the test shows what a change of ``key`` does."""

    def note(test: _T) -> _T:
        _CHANGED.add(key)
        return test

    return note


def served(**keys_of_it: Any) -> dict[str, Any]:
    return {"destinations": [{"provider": "openai"}], **keys_of_it}


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer) -> Generator[RunningGateway]:
    """Endpoints that differ in one key from ``plain``."""
    known = providers(simulated.url)
    known["marked"] = {**known["openai"], "headers": {"x-marked": "yes"}}
    known["broken"] = {**known["openai"], "base_url": f"{simulated.behaving('status=503')}/v1"}
    known["priced"] = {**known["openai"], "prices_as": "groq"}
    endpoints = {
        "plain": served(),
        "aliased": served(models=["other-*"]),
        "tagged": served(tags={"stage": "test"}),
        "renamed": {"destinations": [{"provider": "openai", "model": "gpt-5.5", "name": "mine"}]},
        "untried": served(retries={"attempts": 0}),
        "hasty": served(timeouts={"total_ms": 150}, retries={"attempts": 0}),
        "silent": served(payloads={"mode": "off"}),
        "unlogged": served(payloads={"mode": "sampled", "sampling_fraction": 0}),
        "brief": served(payloads={"max_bytes": 10}),
        "broken": {"destinations": [{"provider": "broken"}]},
        "rescued": {
            "destinations": [{"provider": "broken"}],
            "fallbacks": [{"provider": "priced", "model": "gpt-5.5", "name": "rescue"}],
        },
        "priced": {"destinations": [{"provider": "priced"}]},
        "marked": {"destinations": [{"provider": "marked"}]},
    }
    folder = tmp_path_factory.mktemp("varied")
    with RunningGateway(folder, simulated.url, providers=known, endpoints=endpoints) as running:
        yield running


def row_of(gateway: RunningGateway, model: str, **how: Any) -> dict[str, Any]:
    """The row of a call for this model."""
    answer = chat(gateway, model, **how)
    number = answer.headers["x-tollhouse-invocation-id"]
    return next(row for row in gateway.rows() if row["invocation_id"] == number)


@changes(f"{_ENDPOINT}.models")
def test_models_are_what_clients_ask_an_endpoint_for(varied: RunningGateway) -> None:
    assert (chat(varied, "aliased").status, chat(varied, "other-1").status) == (404, 200)


@changes(f"{_ENDPOINT}.tags")
def test_tags_go_into_the_rows(varied: RunningGateway) -> None:
    assert row_of(varied, "tagged")["endpoint_tags"] == {"stage": "test"}
    assert "endpoint_tags" not in row_of(varied, "plain")


@changes(f"{_ENDPOINT}.destinations[].model")
@changes(f"{_ENDPOINT}.destinations[].name")
def test_a_destination_has_a_model_and_a_name_of_its_own(varied: RunningGateway) -> None:
    plain, renamed = (row_of(varied, model)["attempts"][0] for model in ("plain", "renamed"))
    assert (plain["destination_model"], renamed["destination_model"]) == ("plain", "gpt-5.5")
    assert renamed["destination_name"] == "mine" != plain["destination_name"]


@changes(f"{_ENDPOINT}.retries.attempts")
def test_attempts_are_how_often_a_destination_is_tried_again(varied: RunningGateway) -> None:
    tries = [len(row_of(varied, model, simulated="status=503")["attempts"]) for model in ("plain", "untried")]
    assert tries == [2, 1]


@changes(f"{_ENDPOINT}.timeouts.total_ms")
def test_a_call_ends_after_the_total(varied: RunningGateway) -> None:
    assert chat(varied, "plain", simulated="first_byte_ms=500").status == 200
    assert chat(varied, "hasty", simulated="first_byte_ms=500").status == 504


@changes(f"{_ENDPOINT}.payloads.mode")
def test_an_endpoint_may_log_no_bodies(varied: RunningGateway) -> None:
    assert "request_body" in row_of(varied, "plain")
    assert "request_body" not in row_of(varied, "silent")


@changes(f"{_ENDPOINT}.payloads.sampling_fraction")
@changes(f"{_ENDPOINT}.payloads.max_bytes")
def test_an_endpoint_may_log_few_or_small_bodies(varied: RunningGateway) -> None:
    assert row_of(varied, "unlogged")["payload_state"] == "sampled_out"
    assert row_of(varied, "brief")["payload_state"] == "oversize"
    assert "payload_state" not in row_of(varied, "plain")


@changes(f"{_PROVIDER}.base_url")
@changes(f"{_ENDPOINT}.destinations[].provider")
def test_a_call_goes_where_the_destinations_provider_is(varied: RunningGateway) -> None:
    assert (chat(varied, "plain").status, chat(varied, "broken").status) == (200, 503)


@changes(f"{_ENDPOINT}.fallbacks[].provider")
@changes(f"{_ENDPOINT}.fallbacks[].model")
@changes(f"{_ENDPOINT}.fallbacks[].name")
def test_a_failing_call_goes_on_to_the_fallback(varied: RunningGateway) -> None:
    last = row_of(varied, "rescued")["attempts"][-1]
    assert (last["action"], last["status_code"]) == ("FALLBACK", 200)
    assert (last["provider"], last["destination_model"], last["destination_name"]) == ("groq", "gpt-5.5", "rescue")


@changes(f"{_PROVIDER}.prices_as")
def test_a_providers_prices_may_be_anothers(varied: RunningGateway) -> None:
    assert [row_of(varied, model)["attempts"][0]["provider"] for model in ("plain", "priced")] == ["openai", "groq"]


@changes(f"{_PROVIDER}.headers")
def test_headers_go_to_the_provider(varied: RunningGateway, simulated: SimulatedServer) -> None:
    sent: list[bool] = []
    for model in ("plain", "marked"):
        chat(varied, model)
        sent.append(["x-marked", "yes"] in simulated.last()["request_headers"])
    assert sent == [False, True]


def follow(gateway: RunningGateway, status: int, ask: Callable[[], int], **change: Any) -> None:
    """After a reload with ``change`` the call ends with ``status``; the key is taken out again."""
    assert ask() != status
    before = dict(gateway.document)
    gateway.write_settings(**change)
    gateway.await_effect(lambda: ask() == status, f"{status} by {change}")
    gateway.document = before
    gateway.write_settings()
    gateway.await_effect(lambda: ask() != status, "the settings from before")


@changes("gateway.limits.request_bytes")
def test_request_bytes_bound_a_body(varied: RunningGateway) -> None:
    follow(varied, 413, lambda: chat(varied, "plain", user="x" * 200).status, limits={"request_bytes": 100})


@changes("gateway.limits.header_bytes")
def test_header_bytes_bound_the_headers(varied: RunningGateway) -> None:
    follow(varied, 431, lambda: chat(varied, "plain").status, limits={"header_bytes": 50})


@pytest.mark.parametrize(
    "given",
    [
        {"groups": ["strangers"]},
        {"groups": ["*"], "endpoints": ["tagged"]},
        {"groups": ["*"], "models": ["other-*"]},
    ],
)
@changes("gateway.permissions[].groups")
@changes("gateway.permissions[].endpoints")
@changes("gateway.permissions[].models")
def test_permissions_say_who_may_use_what(varied: RunningGateway, given: dict[str, Any]) -> None:
    follow(varied, 403, lambda: chat(varied, "plain").status, permissions=[given])


@changes("gateway.payloads.mode")
def test_the_gateway_may_log_no_bodies(varied: RunningGateway) -> None:
    follow_payloads(varied, {"mode": "off"}, "off")


@changes("gateway.payloads.max_bytes")
def test_greater_bodies_are_not_logged(varied: RunningGateway) -> None:
    follow_payloads(varied, {"max_bytes": 10}, "oversize")


def follow_payloads(gateway: RunningGateway, payloads: dict[str, Any], state: str) -> None:
    follow(gateway, 1, lambda: int(row_of(gateway, "plain").get("payload_state") == state), payloads=payloads)


def test_every_key_has_a_test_or_stands_among_those_that_have_none_yet() -> None:
    assert set(keys()) == _CHANGED | NOT_YET
    assert not _CHANGED & NOT_YET
