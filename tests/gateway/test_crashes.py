"""Processes that end, asked or not: no call is lost, and somebody else goes on."""

import datetime as dt
import http.client
import os
import random
import signal
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from open_stream import OpenStream
from parallel_calls import CHAT, chat, through_both_workers
from processes import is_alive
from running_gateway import Answer, RunningGateway
from simulated_server import SimulatedServer

from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.pending import resolve_pending
from tollhouse.lake.run import run_steps
from tollhouse.settings import load_settings

STREAMS = 100
UNARY, OPEN_STREAMS = 150, 20
# Streams that end within the drain, and streams that do not.
SHORT, LONG = "events=12; event_ms=50", "events=2000; event_ms=100"
MESSAGES = "/v1/messages"


@pytest.fixture
def pair(tmp_path: Path, simulated: SimulatedServer) -> Generator[RunningGateway]:
    with RunningGateway(tmp_path, simulated.url, workers=2, drain_seconds=3) as running:
        running.await_effect(lambda: len(running.workers()) == 2, "two workers")
        through_both_workers(running, lambda: chat(running))
        yield running


def test_sigterm_under_a_hundred_streams_loses_no_row(pair: RunningGateway) -> None:
    wires = [(CHAT, "gpt-5.5", b"data: [DONE]"), (MESSAGES, "claude-sonnet-5", b"message_stop")]
    cases = [(wires[number % 2], SHORT if number % 4 < 2 else LONG) for number in range(STREAMS)]
    streams = [OpenStream(pair, wire[0], wire[1], behaviour) for wire, behaviour in cases]
    workers = pair.workers()
    with ThreadPoolExecutor(STREAMS) as pool:
        bodies = [pool.submit(stream.read) for stream in streams]
        for stream in streams:
            assert stream.first.wait(30)
        assert pair.stop() == 0
        got = [body.result() for body in bodies]

    assert not any(is_alive(pid) for pid in [*workers, pair.process.pid])
    rows = [row for row in pair.rows() if row.get("is_stream")]
    ends = Counter((row["outcome"], row.get("error_code")) for row in rows)
    assert len(pair.records("ADMIT")) == len(pair.rows())
    assert ends == {("completed", None): STREAMS // 2, ("cut", "shutting_down"): STREAMS // 2}
    for (wire, behaviour), body in zip(cases, got, strict=True):
        if behaviour == SHORT:
            assert wire[2] in body
        else:
            assert wire[2] not in body
            assert b"shutting down" in body
            assert (b"event: error" in body) == (wire[0] == MESSAGES)


def test_a_killed_worker_is_replaced_and_no_call_that_reached_a_provider_is_missing(
    pair: RunningGateway, simulated: SimulatedServer
) -> None:
    kill_under_load(pair, simulated, kills=1)


@pytest.mark.proof
def test_twenty_kills_lose_no_call(pair: RunningGateway, simulated: SimulatedServer) -> None:
    kill_under_load(pair, simulated, kills=20)


def kill_under_load(pair: RunningGateway, simulated: SimulatedServer, *, kills: int) -> None:
    mark = f"gpt-{uuid4()}"
    for number in range(kills):
        _kill_once(pair, simulated, f"{mark}-{number}")
    assert pair.stop() == 0
    reached = {call["model"] for call in simulated.ledger() if (call["model"] or "").startswith(mark)}
    assert len(reached) > kills * OPEN_STREAMS
    states = _states_in_the_lake(pair, mark)
    assert set(states) >= reached
    assert set(states.values()) == {"final", "in_doubt"}


def _kill_once(pair: RunningGateway, simulated: SimulatedServer, mark: str) -> None:
    """One worker dies while streams are open and calls come; both slots are in use again afterwards."""
    slots = {path.name for path in (pair.folder / "spool").glob("slot-*")}
    before = pair.workers()
    streams = [OpenStream(pair, CHAT, f"{mark}-stream-{n}", "events=40; event_ms=50") for n in range(OPEN_STREAMS)]
    with ThreadPoolExecutor(OPEN_STREAMS + 16) as pool:
        reading = [pool.submit(stream.read) for stream in streams]
        for stream in streams:
            assert stream.first.wait(30)
        calls = [pool.submit(_try_chat, pair, f"{mark}-{n}") for n in range(UNARY)]
        calls[UNARY // 3].result()
        os.kill(random.Random(mark).choice(before), signal.SIGKILL)
        served = [call.result() for call in calls]
        for stream in reading:
            stream.result()
    assert served.count(200) > UNARY // 2
    pair.await_effect(lambda: len(pair.workers()) == 2 and pair.workers() != before, "a new worker")
    through_both_workers(pair, lambda: chat(pair, f"{mark}-after"))
    assert {path.name for path in (pair.folder / "spool").glob("slot-*")} == slots


def _try_chat(pair: RunningGateway, model: str) -> int:
    """The status; 0 where the connection broke."""
    try:
        return chat(pair, model, simulated="first_byte_ms=20").status
    except (OSError, http.client.HTTPException):
        return 0


def _states_in_the_lake(pair: RunningGateway, mark: str) -> dict[str, str]:
    """The state of each marked call by its model, once a later run has given up waiting for the open ones."""
    as_of = dt.datetime.now(dt.UTC)
    with Lakehouse(load_settings(str(pair.settings_file))) as lake:
        list(run_steps(lake, as_of))
        resolve_pending(lake, as_of + dt.timedelta(hours=2))
        invocations = lake.relation("silver.invocations")
        query = f"SELECT requested_model, invocation_state FROM {invocations} WHERE starts_with(requested_model, ?)"
        return dict(lake.connection.execute(query, [mark]).fetchall())


def test_a_worker_that_dies_while_the_settings_are_invalid_leaves_the_other_one_serving(pair: RunningGateway) -> None:
    valid = pair.settings_file.read_text()
    before = pair.workers()
    pair.settings_file.write_text("gateway: {providers: 7}\n")
    os.kill(before[0], signal.SIGKILL)
    log = pair.folder / "gateway.log"
    pair.await_effect(lambda: "a worker cannot start" in log.read_text(), "the parent says why nobody comes")
    assert chat(pair).status == 200

    pair.settings_file.write_text(valid)
    pair.await_effect(lambda: before[0] not in pair.workers() and len(pair.workers()) == 2, "a new worker")
    answers: list[Answer] = through_both_workers(pair, lambda: chat(pair))
    assert {answer.status for answer in answers} == {200}
