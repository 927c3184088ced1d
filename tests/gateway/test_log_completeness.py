"""What is in the log and the lake is what was called: no call, token or byte more or less."""

import datetime as dt
import hashlib
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from gateway_cases import MODELS, body_of, path_of
from parallel_calls import all_at_once, chat
from running_gateway import Answer, RunningGateway, endpoints
from simulated_server import SimulatedServer

from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.run import run_steps
from tollhouse.settings import load_settings

WIRES = ["openai_chat", "openai_responses", "anthropic_messages", "gemini"]
# A model of each of these endpoints is served by a provider of another family.
FOREIGN = {"to-claude-1": "anthropic", "to-gpt-1": "openai", "to-gemini-1": "gemini"}


class Sent(NamedTuple):
    """A call and its answer."""

    path: str
    body: bytes
    answer: Answer

    @property
    def number(self) -> str:
        return self.answer.headers["x-tollhouse-invocation-id"]


def mixture() -> list[tuple[str, bytes]]:
    """60 calls: each protocol whole and streamed, native and translated, and embeddings."""
    cases = [(wire, model, is_stream) for wire in WIRES for model in _models(wire) for is_stream in (False, True)]
    cases += [("embeddings", MODELS["embeddings"], False)] * 2
    made = [
        (path_of(wire, model, is_stream=is_stream), json.dumps(body_of(wire, model, is_stream=is_stream)).encode())
        for wire, model, is_stream in cases
    ]
    return (made * 2)[:60]


def _models(wire: str) -> list[str]:
    return [MODELS[wire], *FOREIGN]


class Logged(NamedTuple):
    """The mixture as it was sent, as the log has it, and the lake of that log."""

    sent: list[Sent]
    rows: dict[str, dict[str, Any]]
    lake: Lakehouse
    ledger: list[dict[str, Any]]

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        for table in ("silver.invocations", "silver.payloads", "silver.principals"):
            query = query.replace(f"{{{table}}}", self.lake.relation(table))
        return self.lake.connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Generator[Logged]:
    folder = tmp_path_factory.mktemp("completeness")
    serving = {name: {"destinations": [{"provider": provider}]} for name, provider in FOREIGN.items()}
    with SimulatedServer() as simulated:
        with RunningGateway(folder, simulated.url, endpoints={**endpoints(), **serving}) as gateway:
            sent = all_at_once(lambda case: Sent(*case, gateway.call(*case)), mixture(), 8)
            assert {one.answer.status for one in sent} == {200}
            assert gateway.stop() == 0
            rows = {row["invocation_id"]: row for row in gateway.rows()}
        ledger = simulated.ledger()
    with Lakehouse(load_settings(str(gateway.settings_file))) as lake:
        list(run_steps(lake, dt.datetime.now(dt.UTC)))
        yield Logged(sent, rows, lake, ledger)


def test_there_are_as_many_rows_as_calls(logged: Logged) -> None:
    numbers = {one.number for one in logged.sent}
    assert len(numbers) == len(logged.sent) == len(logged.ledger)
    assert set(logged.rows) == numbers
    found = logged.ask("SELECT invocation_id FROM {silver.invocations} WHERE invocation_state = 'final'")
    assert sorted(found) == sorted((number,) for number in numbers)


def test_the_lakes_tokens_are_those_that_the_providers_counted(logged: Logged) -> None:
    tokens = [call["tokens"] for call in logged.ledger if call["tokens"]]
    counted = (sum(one["input"] for one in tokens), sum(one["output"] for one in tokens))
    assert logged.ask("SELECT sum(input_tokens), sum(output_tokens) FROM {silver.invocations}") == [counted]
    assert logged.ask("SELECT DISTINCT usage_source FROM {silver.invocations}") == [("provider",)]


def test_a_rows_size_and_digest_are_those_of_the_body_that_was_sent(logged: Logged) -> None:
    for one in logged.sent:
        row = logged.rows[one.number]
        assert row["request_sha256"] == hashlib.sha256(one.body).hexdigest()
        assert row["request_bytes"] == len(one.body)
        assert row["response_bytes"] == len(one.answer.body), one.path


def test_the_payloads_are_the_bodies_that_went_both_ways(logged: Logged) -> None:
    found = logged.ask("SELECT invocation_id, request, response FROM {silver.payloads}")
    payloads = {number: (request, response) for number, request, response in found}
    assert set(payloads) == {one.number for one in logged.sent}
    for one in logged.sent:
        request, response = payloads[one.number]
        assert json.loads(request) == json.loads(one.body)
        if one.answer.headers["content-type"].startswith("application/json"):
            assert json.loads(response) == one.answer.json
        else:
            assert response


def test_who_called_is_in_the_lake(logged: Logged) -> None:
    owners = "SELECT DISTINCT requester, team, cost_center FROM {silver.invocations}"
    assert logged.ask(owners) == [("tester", "quality", "CC-1")]
    known = logged.ask("SELECT DISTINCT principal, teams FROM {silver.principals} WHERE principal = 'tester'")
    assert known == [("tester", ["quality"])]


@pytest.mark.parametrize("durability", ["strict", "interval", "os"])
def test_a_hundred_calls_at_once_are_a_hundred_rows_with_any_durability(
    tmp_path: Path, simulated: SimulatedServer, durability: str
) -> None:
    with RunningGateway(tmp_path, simulated.url, spool={"durability": durability}) as gateway:
        answers = all_at_once(lambda _: chat(gateway, simulated="first_byte_ms=100"), range(100), 100)
        assert gateway.stop() == 0
        rows = gateway.rows()
    assert {answer.status for answer in answers} == {200}
    assert {row["invocation_id"] for row in rows} == {answer.headers["x-tollhouse-invocation-id"] for answer in answers}
    assert len(rows) == len(gateway.records("ADMIT")) == 100
