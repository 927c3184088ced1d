"""What a failing destination means for a call: another one, the same one again, or a defined end."""

import asyncio
from collections.abc import Generator
from datetime import datetime
from typing import Any

import pytest
from cut_streams import StreamingClient, text_of
from gateway_cases import MODELS, PATHS, PROVIDERS, Bench, Spoken, body_of, path_of, stream_events, usage_source
from running_gateway import RunningGateway, providers
from simulated_server import SimulatedServer
from upstream_scenarios import CLOSED_PORT_URL

FIRST = "header=x-first:yes; text=FIRST%20FIRST; events=4"
# The name of a fault, how the first destination behaves, and what its attempt says.
FAULTS = {
    "busy": ("status=429; retry_after=90", 429, None),
    "broken": ("status=500", 500, None),
    "overloaded": ("status=529", 529, None),
    "gone": ("", None, "upstream_unreachable"),
    "silent": ("hang=head", None, "upstream_timeout"),
    "wordless": ("first_content_ms=600000; pings=1", 200, "upstream_timeout"),
    "refusing": ("error_event=after:0", 200, None),
    "resetting": ("reset=after:0", None, "upstream_cut"),
    "empty": ("cut=after:0", 200, "upstream_cut"),
}
ONLY_STREAMS = {"silent", "wordless", "refusing", "empty"}
WIRES = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")
PLAIN = {"retries": {"attempts": 0}, "cooldown": {"seconds": 0}}
# What comes before the first content, and must come at once from the last destination.
PRELUDES = {
    "openai_chat": '"role":"assistant"',
    "openai_responses": "response.created",
    "anthropic_messages": "message_start",
}


def _base(url: str, wire: str) -> str:
    return f"{url}/v1beta" if wire == "gemini" else f"{url}/v1"


def _first(simulated: SimulatedServer, wire: str, fault: str, behaviour: str) -> dict[str, Any]:
    url = CLOSED_PORT_URL if fault == "gone" else simulated.behaving(f"{FIRST}; {behaviour}")
    return {**providers("")[PROVIDERS[wire]], "base_url": _base(url, wire)}


def _destination(wire: str, provider: str) -> dict[str, Any]:
    return {"provider": provider, "model": MODELS[wire]}


def gateway_changes(simulated: SimulatedServer) -> dict[str, Any]:
    """An endpoint for each fault and protocol, whose second destination is well, and some of chat's for the rest."""
    behaviours = {**{name: fault[0] for name, fault in FAULTS.items()}, "late": "reset=after:2"}
    firsts: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for wire in WIRES:
        for fault, behaviour in behaviours.items():
            name = f"{fault}-{wire}".replace("_", "-")
            firsts[name] = _first(simulated, wire, fault, behaviour)
            found[name] = {
                "destinations": [_destination(wire, name)],
                "fallbacks": [{**_destination(wire, PROVIDERS[wire]), "name": "second"}],
                "timeouts": {"first_token_ms": 500},
                **PLAIN,
            }
        found[f"last-{wire}".replace("_", "-")] = {"destinations": [_destination(wire, PROVIDERS[wire])], **PLAIN}
    chat = [_destination("openai_chat", "openai")]
    patient = {"attempts": 1, "base_ms": 1, "max_ms": 1000}
    found["again"] = {"destinations": chat, "retries": patient, "cooldown": {"seconds": 0}}
    found["drained"] = {"destinations": chat, "disconnect": "drain", **PLAIN}
    found["cooled"] = {
        **found["broken-openai-chat"],
        "cooldown": {"failures": 1, "seconds": 600},
    }
    return {"providers": {**providers(simulated.url), **firsts}, "endpoints": found}


@pytest.fixture(scope="module")
def upstream() -> Generator[SimulatedServer]:
    with SimulatedServer() as server:
        yield server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, upstream: SimulatedServer) -> Generator[RunningGateway]:
    with RunningGateway(tmp_path_factory.mktemp("fallbacks"), upstream.url, **gateway_changes(upstream)) as gateway:
        yield gateway


@pytest.fixture
def bench(running: RunningGateway, upstream: SimulatedServer) -> Bench:
    upstream.clear()
    return Bench(running, upstream)


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("wire", WIRES)
def test_the_second_destination_answers_and_nothing_of_the_first_shows(
    bench: Bench, wire: str, fault: str, *, is_stream: bool
) -> None:
    if fault in ONLY_STREAMS and not is_stream:
        pytest.skip("a fault of streams")

    answer = bench.ask(Spoken.of(wire), model=f"{fault}-{wire}".replace("_", "-"), stream=is_stream)

    row = bench.row()
    _, status, code = FAULTS[fault]
    first, second = row["attempts"]
    assert answer.status == 200
    assert b"FIRST" not in answer.body
    assert not {"x-first", "retry-after"} & set(answer.headers)
    assert (row["outcome"], row["status_code"], second["status_code"]) == ("completed", 200, 200)
    assert (first["action"], second["action"]) == ("INITIAL_ATTEMPT", "FALLBACK")
    assert (first["attempt_number"], second["attempt_number"], second["destination_name"]) == (1, 2, "second")
    assert first.get("status_code") == status or fault == "resetting"
    assert first["error_code"] == code if code else first["error_code"]
    assert second["usage"] == bench.simulated.ledger()[-1]["usage"]
    assert len(bench.simulated.ledger()) == (1 if fault == "gone" else 2)
    if is_stream:
        assert text_of(wire, answer.body)
        assert answer.body.count(b"event: message_start") <= 1
        assert answer.body.count(b"event: response.created") <= 1


@pytest.mark.parametrize("wire", WIRES)
def test_after_the_first_content_there_is_no_fallback(bench: Bench, wire: str) -> None:
    answer = bench.ask(Spoken.of(wire), model=f"late-{wire}".replace("_", "-"), stream=True)

    row = bench.row()
    last = stream_events(answer.body)[-1]
    assert "error" in last or last["type"] == "error"
    assert "FIRST".startswith(text_of(wire, answer.body)[:5])
    assert (row["outcome"], row["error_code"], len(row["attempts"])) == ("cut", "upstream_cut", 1)
    assert len(bench.simulated.ledger()) == 1


@pytest.mark.parametrize("wire", PRELUDES)
def test_on_the_last_destination_events_without_content_pass_at_once(
    bench: Bench, running: RunningGateway, wire: str
) -> None:
    bench.simulated.behave("first_content_ms=600000; pings=1")
    model = f"last-{wire}".replace("_", "-")
    headers = bench.headers(wire)

    client = StreamingClient(running.url, running.key)
    got = asyncio.run(client.call(PATHS[wire], body_of(wire, model, is_stream=True), headers, 1))

    row = bench.row()
    assert got.status == 200
    assert got.body
    assert not text_of(wire, got.body)
    assert (row["outcome"], row["status_code"]) == ("cancelled", 499)


def _start(attempt: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(attempt["start_time"])


def test_a_retry_waits_as_long_as_the_provider_asks(bench: Bench) -> None:
    bench.simulated.behave("status=429; retry_after=1")

    answer = bench.ask(Spoken.of("openai_chat"), model="again")

    first, second = bench.row()["attempts"]
    assert answer.status == 200
    assert (first["status_code"], second["status_code"], second["action"]) == (429, 200, "RETRY")
    assert (_start(second) - _start(first)).total_seconds() >= 1


def test_a_provider_that_asks_for_longer_than_the_bound_is_not_tried_again(bench: Bench) -> None:
    bench.simulated.behave("status=429; retry_after=2")

    answer = bench.ask(Spoken.of("openai_chat"), model="again")

    row = bench.row()
    assert (answer.status, answer.headers["retry-after"]) == (429, "2")
    assert [attempt["status_code"] for attempt in row["attempts"]] == [429]
    assert len(bench.simulated.ledger()) == 1


def test_a_provider_that_says_the_request_is_wrong_is_not_tried_again(bench: Bench) -> None:
    bench.simulated.behave("status=400")

    assert bench.ask(Spoken.of("openai_chat"), model="again").status == 400
    assert len(bench.row()["attempts"]) == 1


def test_a_destination_that_has_failed_is_left_out_for_a_while(bench: Bench) -> None:
    bench.ask(Spoken.of("openai_chat"), model="cooled")
    assert len(bench.row()["attempts"]) == 2
    bench.simulated.clear()

    bench.ask(Spoken.of("openai_chat"), model="cooled")

    attempts = bench.row()["attempts"]
    assert [attempt["destination_name"] for attempt in attempts] == ["second"]
    assert len(bench.simulated.ledger()) == 1


def test_a_drained_provider_gives_its_usage_though_the_client_has_left(bench: Bench, running: RunningGateway) -> None:
    bench.simulated.behave("events=20; event_ms=20")
    headers = bench.headers("openai_chat")
    client = StreamingClient(running.url, running.key)
    path = path_of("openai_chat", "drained")

    asyncio.run(client.call(path, body_of("openai_chat", "drained", is_stream=True), headers, 1))

    row = bench.row()
    assert (row["outcome"], row["status_code"], usage_source(row)) == ("cancelled", 499, "provider")
    assert row["attempts"][0]["usage"] == bench.simulated.last()["usage"]
