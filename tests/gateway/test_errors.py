"""Every line of the table in docs/errors.md, through a running gateway."""

import json
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from errors_table import Expected, table
from gateway_cases import MODELS, PROVIDERS, Bench, Seen, Spoken, error_words, row_words, stream_events
from request_scenarios import SCENARIOS
from running_gateway import RunningGateway, providers
from simulated_server import SimulatedServer
from upstream_scenarios import CLOSED_PORT_URL

TABLE = table()
QUICK = {"first_token_ms": 600, "idle_ms": 600}
PLAIN = {"retries": {"attempts": 0}, "cooldown": {"seconds": 0}}


def endpoints() -> dict[str, Any]:
    """Endpoints by a model's prefix: without one, ``gone-`` (a closed port), ``hasty-`` and ``missing-``."""
    found: dict[str, Any] = {}
    for wire, model in MODELS.items():
        family = model.partition("-")[0]
        here = {"provider": PROVIDERS[wire], "model": model}
        for prefix, destination, more in (
            ("", here, {}),
            ("hasty-", here, {"timeouts": QUICK}),
            ("gone-", {**here, "provider": f"gone-{PROVIDERS[wire]}"}, {}),
            ("missing-", {**here, "model": "no-such-model"}, {}),
        ):
            name = f"{prefix}{wire}".replace("_", "-")
            found[name] = {"models": [f"{prefix}{family}-*"], "destinations": [destination], **PLAIN, **more}
    return found


@pytest.fixture(scope="module")
def upstream() -> Generator[SimulatedServer]:
    with SimulatedServer() as server:
        yield server


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, upstream: SimulatedServer) -> Generator[Bench]:
    gone = {f"gone-{name}": provider for name, provider in providers(CLOSED_PORT_URL).items()}
    gateway = RunningGateway(
        tmp_path_factory.mktemp("errors"),
        upstream.url,
        providers={**providers(upstream.url), **gone},
        endpoints=endpoints(),
        permissions=[{"groups": ["engineers"]}],
        limits={
            "request_bytes": 20_000_000,
            "request_seconds": 0.5,
            "response_bytes": 2_000_000,
        },
        payloads={"max_bytes": 1_000_000},
    )
    with gateway as running:
        made = Bench(running, upstream)
        made.keys = _keys(running)
        yield made
        rows = [row["request_id"] for row in running.records("OUTCOME")]
        assert sorted(set(rows)) == sorted(rows), "a call has more than one row"


def _keys(gateway: RunningGateway) -> dict[str, str]:
    keys = {name: gateway.make_key(name) for name in ("other", "revoked")}
    keys["stranger"] = gateway.make_key("stranger", group="guests")
    with gateway.store() as store:
        expiry = datetime.now(UTC) + timedelta(seconds=1)
        keys["expired"] = store.create_key("tester", expires_at=expiry).text
        store.revoke_key(keys["revoked"].split("_")[1])
    gateway.await_effect(lambda: datetime.now(UTC) > expiry, "the key's expiry")
    gateway.await_effect(lambda: _code_of(gateway, keys["expired"]) == "expired_api_key", "the key has expired")
    gateway.await_effect(lambda: _code_of(gateway, keys["revoked"]) == "revoked_api_key", "the key is revoked")
    gateway.await_effect(lambda: gateway.call("/v1/models", key=keys["stranger"]).status == 200, "the last key")
    return keys


def _code_of(gateway: RunningGateway, key: str) -> str | None:
    answer = gateway.call("/v1/models", key=key)
    return answer.json["error"]["code"] if answer.status == 401 else None


def test_every_case_of_the_table_has_a_scenario() -> None:
    assert {line.case for line in TABLE} - set(SCENARIOS) == set()


def test_every_scenario_has_a_line_in_the_table() -> None:
    assert set(SCENARIOS) - {line.case for line in TABLE} == set()


def test_no_line_of_the_table_is_there_twice() -> None:
    assert len({(line.case, line.protocol) for line in TABLE}) == len(TABLE)


@pytest.mark.parametrize("line", TABLE, ids=lambda line: f"{line.case}, {line.protocol}")
def test_a_case_is_as_the_table_says(bench: Bench, line: Expected) -> None:
    bench.simulated.clear()
    spoken = Spoken.of(line.protocol)

    seen = SCENARIOS[line.case](bench, spoken)

    row = bench.row()
    status = str(seen.answer.status) if seen.answer else "-"
    assert (status, body_words(spoken.caller, seen), row_words(row)) == (line.status, line.body, line.row)
    check_row(row, seen, spoken)
    check_ledger(row, bench)


def body_words(wire: str, seen: Seen) -> str:
    """What the client got, as the table says it."""
    if seen.answer is None:
        return "-"
    body = seen.answer.body
    if seen.provider_body is not None and body == seen.provider_body:
        return "unchanged"
    if not body.startswith((b"data:", b"event:", b"[")):
        return _whole_words(wire, body)
    events = stream_events(body)
    last = events[-1] if events else {}
    is_error = "error" in last or last.get("type") in ("error", "response.failed")
    return f"stream, then {error_words(wire, last)}" if is_error else "stream"


def _whole_words(wire: str, body: bytes) -> str:
    if not body:
        return "empty"
    try:
        answer = json.loads(body)
    except ValueError:
        return "not JSON"
    return error_words(wire, answer) if answer.get("error") else "answer"


def check_row(row: dict[str, Any], seen: Seen, spoken: Spoken) -> None:
    """The row agrees with what the client got."""
    if seen.answer is None:
        return
    assert row["invocation_id"] == seen.answer.headers["x-tollhouse-invocation-id"]
    assert row["response_bytes"] == len(seen.answer.body)
    assert row.get("response_content_type") == seen.answer.headers.get("content-type")
    is_stream = seen.answer.body.startswith((b"data:", b"event:", b"["))
    if row.get("payload_state", "logged") == "logged" and not is_stream:
        assert row.get("response_body", "") == seen.answer.body.decode()
    if row["outcome"] != "completed":
        assert row["error_message"]


def check_ledger(row: dict[str, Any], bench: Bench) -> None:
    """The provider had as many calls as the row has attempts that reached it, and counted the same usage."""
    attempts = row.get("attempts", [])
    reached = [attempt for attempt in attempts if attempt.get("error_code") != "upstream_unreachable"]
    calls = bench.simulated.ledger()
    assert len(calls) == len(reached)
    if reached and "usage" in reached[-1] and not reached[-1].get("is_usage_partial"):
        assert reached[-1]["usage"] == calls[-1]["usage"]
