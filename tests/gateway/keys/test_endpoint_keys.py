"""Endpoints that differ in one key: where their calls go, how long they may take, what is logged of them."""

import asyncio
import socket
from collections.abc import Generator
from typing import Any

import pytest
from cut_streams import StreamingClient
from gateway.keys.changed_gateway import row_of, served
from gateway_cases import body_of
from parallel_calls import CHAT, chat
from running_gateway import RunningGateway, providers
from simulated_server import SimulatedServer

CALLS = 20
HUGE = 86_400_000
ONCE = {"retries": {"attempts": 0}}
# A wait between tries that is most likely hours, and one that is nothing.
HOURS, NOTHING = {"base_ms": HUGE, "max_ms": HUGE}, {"base_ms": 1, "max_ms": HUGE}


@pytest.fixture(scope="module")
def unanswered() -> Generator[str]:
    """A URL to which no connection comes about: so many wait already that the system drops every further one."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        for each in waiting:
            each.close()


def weighted(first: float, second: float) -> dict[str, Any]:
    destinations = ({"provider": "openai", "weight": first}, {"provider": "second", "weight": second})
    return served(*destinations, affinity="none")


@pytest.fixture(scope="module")
def varied(
    tmp_path_factory: pytest.TempPathFactory, simulated: SimulatedServer, unanswered: str
) -> Generator[RunningGateway]:
    known = providers(simulated.url)
    known["broken"] = {**known["openai"], "base_url": f"{simulated.behaving('status=503')}/v1"}
    known["second"] = {**known["openai"], "base_url": f"{simulated.behaving('header=x-second:yes')}/v1"}
    known["unanswered"] = {**known["openai"], "base_url": unanswered}
    known["groq"] = {**known["openai"], "prices_as": "groq"}
    rescued = served("broken", fallbacks=[{"provider": "second"}], **ONCE)
    endpoints = {
        "plain": served(),
        "aliased": served(models=["other-*"]),
        "tagged": served(tags={"stage": "test"}),
        "renamed": served({"provider": "openai", "model": "gpt-5.5", "name": "mine"}),
        "broken": served("broken"),
        "rescued": served("broken", fallbacks=[{"provider": "groq", "model": "gpt-5.5", "name": "rescue"}]),
        "mostly-first": weighted(1_000_000, 1e-9),
        "mostly-second": weighted(1e-9, 1_000_000),
        "sessions": served("openai", "second"),
        "no-sessions": served("openai", "second", affinity="none"),
        "untried": served(**ONCE),
        "tried-at-once": served(retries=NOTHING, timeouts={"total_ms": 2000}),
        "tried-in-hours": served(retries=HOURS, timeouts={"total_ms": 2000}),
        "patient": served(retries={"base_ms": 1}),
        "impatient": served(retries={"base_ms": 1, "max_ms": 10}),
        "hasty": served(timeouts={"total_ms": 150}, **ONCE),
        "quick-connect": served("unanswered", timeouts={"connect_ms": 100, "total_ms": 1000}, **ONCE),
        "slow-connect": served("unanswered", timeouts={"connect_ms": HUGE, "total_ms": 1000}, **ONCE),
        "quick-word": served(timeouts={"first_token_ms": 100}, **ONCE),
        "never-idle": served(timeouts={"idle_ms": 100}, **ONCE),
        "cooled-late": rescued,
        "cooled-soon": {**rescued, "cooldown": {"failures": 1}},
        "cooled-briefly": {**rescued, "cooldown": {"failures": 1, "seconds": 0.1}},
        "cooled-never": {**rescued, "cooldown": {"failures": 1, "seconds": 0}},
        "drained": served(disconnect="drain"),
        "silent": served(payloads={"mode": "off"}),
        "unlogged": served(payloads={"mode": "sampled", "sampling_fraction": 0}),
        "logged": served(payloads={"mode": "sampled", "sampling_fraction": 1}),
        "brief": served(payloads={"max_bytes": 10}),
        "translated": served("anthropic"),
        "silent-translated": served("anthropic", payloads={"mode": "off"}),
        "brief-translated": served("anthropic", payloads={"max_bytes": 10}),
    }
    folder = tmp_path_factory.mktemp("varied")
    with RunningGateway(folder, simulated.url, providers=known, endpoints=endpoints) as running:
        yield running


def tries(gateway: RunningGateway, model: str, **how: Any) -> int:
    """How many calls to providers became of one call."""
    return len(row_of(gateway, model, **how)["attempts"])


def goes_second(gateway: RunningGateway, model: str) -> bool:
    """Whether the second destination has the call."""
    return "x-second" in chat(gateway, model).headers


@pytest.mark.changes("gateway.endpoints.<name>.models")
def test_models_are_what_clients_ask_an_endpoint_for(varied: RunningGateway) -> None:
    assert (chat(varied, "aliased").status, chat(varied, "other-1").status) == (404, 200)


@pytest.mark.changes("gateway.endpoints.<name>.tags")
def test_tags_go_into_the_rows(varied: RunningGateway) -> None:
    assert row_of(varied, "tagged")["endpoint_tags"] == {"stage": "test"}
    assert "endpoint_tags" not in row_of(varied, "plain")


@pytest.mark.changes("gateway.endpoints.<name>.destinations[].provider")
def test_a_call_goes_where_the_destinations_provider_is(varied: RunningGateway) -> None:
    assert (chat(varied, "plain").status, chat(varied, "broken").status) == (200, 503)


@pytest.mark.changes("gateway.endpoints.<name>.destinations[].model", "gateway.endpoints.<name>.destinations[].name")
def test_a_destination_has_a_model_and_a_name_of_its_own(varied: RunningGateway) -> None:
    plain, renamed = (row_of(varied, model)["attempts"][0] for model in ("plain", "renamed"))
    assert (plain["destination_model"], renamed["destination_model"]) == ("plain", "gpt-5.5")
    assert renamed["destination_name"] == "mine" != plain["destination_name"]


@pytest.mark.changes("gateway.endpoints.<name>.destinations[].weight")
def test_the_weightier_destination_has_the_calls(varied: RunningGateway) -> None:
    for model, is_second in (("mostly-first", False), ("mostly-second", True)):
        assert {goes_second(varied, model) for _ in range(CALLS)} == {is_second}


@pytest.mark.changes("gateway.endpoints.<name>.affinity")
def test_calls_of_one_session_keep_their_destination(varied: RunningGateway) -> None:
    assert len({goes_second(varied, "sessions") for _ in range(CALLS)}) == 1
    before = goes_second(varied, "no-sessions")
    varied.await_effect(lambda: goes_second(varied, "no-sessions") != before, "a call for the other destination")


@pytest.mark.changes(
    "gateway.endpoints.<name>.fallbacks[].provider",
    "gateway.endpoints.<name>.fallbacks[].model",
    "gateway.endpoints.<name>.fallbacks[].name",
)
def test_a_failing_call_goes_on_to_the_fallback(varied: RunningGateway) -> None:
    last = row_of(varied, "rescued")["attempts"][-1]
    assert (last["action"], last["status_code"]) == ("FALLBACK", 200)
    assert (last["provider"], last["destination_model"], last["destination_name"]) == ("groq", "gpt-5.5", "rescue")


@pytest.mark.changes("gateway.endpoints.<name>.retries.attempts")
def test_attempts_are_how_often_a_destination_is_tried_again(varied: RunningGateway) -> None:
    assert [tries(varied, model, simulated="status=503") for model in ("plain", "untried")] == [2, 1]


@pytest.mark.changes("gateway.endpoints.<name>.retries.base_ms")
def test_the_wait_before_a_retry_grows_with_its_base(varied: RunningGateway) -> None:
    models = ("tried-at-once", "tried-in-hours")
    assert [tries(varied, model, simulated="status=503") for model in models] == [2, 1]


@pytest.mark.changes("gateway.endpoints.<name>.retries.max_ms")
def test_a_provider_that_asks_for_a_longer_wait_is_not_tried_again(varied: RunningGateway) -> None:
    busy = "status=429; header=retry-after-ms:50"
    assert [tries(varied, model, simulated=busy) for model in ("patient", "impatient")] == [2, 1]


@pytest.mark.changes("gateway.endpoints.<name>.timeouts.total_ms")
def test_a_call_ends_after_the_total(varied: RunningGateway) -> None:
    slow = "first_byte_ms=500"
    assert [chat(varied, model, simulated=slow).status for model in ("plain", "hasty")] == [200, 504]


@pytest.mark.changes("gateway.endpoints.<name>.timeouts.connect_ms")
def test_a_connection_stands_in_time_or_not_at_all(varied: RunningGateway) -> None:
    answers = [chat(varied, model) for model in ("quick-connect", "slow-connect")]
    assert [answer.json["error"]["code"] for answer in answers] == ["upstream_unreachable", "upstream_timeout"]


@pytest.mark.changes("gateway.endpoints.<name>.timeouts.first_token_ms")
def test_a_stream_begins_in_time_or_not_at_all(varied: RunningGateway) -> None:
    slow = "first_content_ms=500"
    outcomes = [row_of(varied, model, simulated=slow, stream=True)["outcome"] for model in ("plain", "quick-word")]
    assert outcomes == ["completed", "cut"]


@pytest.mark.changes("gateway.endpoints.<name>.timeouts.idle_ms")
def test_a_stream_goes_on_in_time_or_is_cut(varied: RunningGateway) -> None:
    slow = "events=2; event_ms=300"
    outcomes = [row_of(varied, model, simulated=slow, stream=True)["outcome"] for model in ("plain", "never-idle")]
    assert outcomes == ["completed", "cut"]


@pytest.mark.changes("gateway.endpoints.<name>.cooldown.failures")
def test_a_destination_is_left_out_after_so_many_failures(varied: RunningGateway) -> None:
    assert [[tries(varied, model) for _ in range(4)] for model in ("cooled-soon", "cooled-late")] == [
        [2, 1, 1, 1],
        [2, 2, 2, 1],
    ]


@pytest.mark.changes("gateway.endpoints.<name>.cooldown.seconds")
def test_a_destination_is_left_out_for_so_long(varied: RunningGateway) -> None:
    assert [tries(varied, "cooled-never") for _ in range(4)] == [2, 2, 2, 2]
    assert tries(varied, "cooled-briefly") == 2
    varied.await_effect(lambda: tries(varied, "cooled-briefly") == 2, "the destination is tried again")


@pytest.mark.changes("gateway.endpoints.<name>.disconnect")
def test_a_client_that_leaves_ends_the_providers_answer_or_does_not(
    varied: RunningGateway, simulated: SimulatedServer
) -> None:
    assert left(varied, simulated, "plain", "events=2000; event_ms=20") == "client_left"
    assert left(varied, simulated, "drained", "events=20; event_ms=20") == "completed"


def left(gateway: RunningGateway, simulated: SimulatedServer, model: str, behaviour: str) -> str:
    """How the provider's answer ends once the client has left in the middle of it."""
    client = StreamingClient(gateway.url, gateway.key)
    body = body_of("openai_chat", model, is_stream=True)
    asyncio.run(client.call(CHAT, body, {"x-simulated": behaviour}, 1))
    return simulated.last()["finish"]


@pytest.mark.changes("gateway.endpoints.<name>.payloads.mode")
def test_an_endpoint_may_log_no_bodies(varied: RunningGateway) -> None:
    assert "request_body" in row_of(varied, "plain")
    assert "request_body" not in row_of(varied, "silent")


@pytest.mark.parametrize("is_stream", [False, True])
def test_what_went_to_a_provider_is_logged_as_the_clients_bodies_are(varied: RunningGateway, is_stream: bool) -> None:
    bodies = {"upstream_request_body", "upstream_response_body"}
    assert bodies <= row_of(varied, "translated", stream=is_stream)["attempts"][0].keys()
    for model in ("silent-translated", "brief-translated"):
        assert not bodies & row_of(varied, model, stream=is_stream)["attempts"][0].keys()


@pytest.mark.changes("gateway.endpoints.<name>.payloads.sampling_fraction")
def test_an_endpoint_may_log_the_bodies_of_few_calls(varied: RunningGateway) -> None:
    assert row_of(varied, "unlogged")["payload_state"] == "sampled_out"
    assert "payload_state" not in row_of(varied, "logged")


@pytest.mark.changes("gateway.endpoints.<name>.payloads.max_bytes")
def test_an_endpoint_may_log_small_bodies_only(varied: RunningGateway) -> None:
    assert row_of(varied, "brief")["payload_state"] == "oversize"
    assert "payload_state" not in row_of(varied, "plain")
