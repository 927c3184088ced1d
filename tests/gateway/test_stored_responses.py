import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tollhouse.errors import StorageError
from tollhouse.gateway.stored_responses import KEPT_SECONDS, Stored, StoredResponses, responses_path

AT_OPENAI = Stored("gpt", "openai", "gpt-5", is_billed=True)
IN_BACKGROUND = Stored("gpt", "openai", "gpt-5", is_billed=False)
CLAIM = """
import asyncio, sys
from pathlib import Path
from tollhouse.gateway.stored_responses import StoredResponses
async def main():
    responses = StoredResponses(Path(sys.argv[1]))
    sys.stdin.readline()
    won = await asyncio.gather(*(responses.claim_billing(f"resp_{n}", "ana") for n in range(100)))
    print(*(n for n, is_first in enumerate(won) if is_first))
    responses.close()
asyncio.run(main())
"""
REMEMBER_AND_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from tollhouse.gateway.stored_responses import Stored, StoredResponses
async def main():
    await StoredResponses(Path(sys.argv[1])).remember("resp_1", "ana", Stored("gpt", "openai", "gpt-5", True))
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
_T = TypeVar("_T")
Work = Callable[[StoredResponses], Awaitable[_T]]


class Calendar:
    """The time at which the test began, that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return responses_path(tmp_path)


@pytest.fixture
def ask(path: Path, calendar: Calendar) -> Callable[[Work[_T]], _T]:
    """Opens the table as a worker does, and does something with it."""

    def call(work: Work[_T]) -> _T:
        async def in_a_loop() -> _T:
            responses = StoredResponses(path, clock=calendar)
            try:
                return await work(responses)
            finally:
                responses.close()

        return asyncio.run(in_a_loop())

    return call


Ask = Callable[[Work[object]], object]


def test_a_response_is_its_principals_in_every_worker_and_nobody_elses(ask: Ask) -> None:
    ask(lambda responses: responses.remember("resp_1", "ana", AT_OPENAI))

    assert ask(lambda responses: responses.owner("resp_1", "ana")) == AT_OPENAI
    assert ask(lambda responses: responses.owner("resp_1", "bob")) is None
    assert ask(lambda responses: responses.owner("resp_2", "ana")) is None


def test_an_id_that_another_principal_gets_too_takes_nothing_away(ask: Ask) -> None:
    elsewhere = Stored("vllm", "vllm", "qwen", is_billed=True)
    ask(lambda responses: responses.remember("resp_1", "ana", AT_OPENAI))
    ask(lambda responses: responses.remember("resp_1", "eve", elsewhere))
    ask(lambda responses: responses.forget("resp_1", "eve"))

    assert ask(lambda responses: responses.owner("resp_1", "ana")) == AT_OPENAI
    assert ask(lambda responses: responses.owner("resp_1", "eve")) is None


def test_what_is_forgotten_is_nobodys(ask: Ask) -> None:
    ask(lambda responses: responses.remember("resp_1", "ana", AT_OPENAI))
    ask(lambda responses: responses.forget("resp_1", "ana"))
    ask(lambda responses: responses.forget("resp_1", "ana"))

    assert ask(lambda responses: responses.owner("resp_1", "ana")) is None


def test_a_background_response_is_billed_once(ask: Ask) -> None:
    ask(lambda responses: responses.remember("resp_1", "ana", IN_BACKGROUND))

    assert ask(lambda responses: responses.claim_billing("resp_1", "bob")) is False
    assert ask(lambda responses: responses.claim_billing("resp_1", "ana")) is True
    assert ask(lambda responses: responses.claim_billing("resp_1", "ana")) is False
    assert ask(lambda responses: responses.owner("resp_1", "ana")) == AT_OPENAI


def test_a_response_that_was_billed_when_it_was_made_is_not_billed_again(ask: Ask) -> None:
    ask(lambda responses: responses.remember("resp_1", "ana", AT_OPENAI))
    ask(lambda responses: responses.remember("resp_1", "ana", IN_BACKGROUND))

    assert ask(lambda responses: responses.claim_billing("resp_1", "ana")) is False


def test_the_same_id_at_another_destination_is_another_response(ask: Ask) -> None:
    elsewhere = Stored("vllm", "vllm", "qwen", is_billed=False)
    ask(lambda responses: responses.remember("resp_1", "ana", AT_OPENAI))
    ask(lambda responses: responses.remember("resp_1", "ana", elsewhere))

    assert ask(lambda responses: responses.owner("resp_1", "ana")) == elsewhere


def test_of_many_claims_in_two_processes_each_response_has_one_winner(ask: Ask, path: Path) -> None:
    async def remember(responses: StoredResponses) -> None:
        for number in range(100):
            await responses.remember(f"resp_{number}", "ana", IN_BACKGROUND)

    ask(remember)
    command = [sys.executable, "-c", CLAIM, str(path)]
    claiming = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in "ab"]
    for process in claiming:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    won = [int(number) for process in claiming for number in process.communicate(timeout=60)[0].split()]

    assert sorted(won) == list(range(100))


def test_a_sigkill_loses_nothing_that_was_remembered(ask: Ask, path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", REMEMBER_AND_DIE, str(path)], check=False)

    assert done.returncode == -signal.SIGKILL
    assert ask(lambda responses: responses.owner("resp_1", "ana")) == AT_OPENAI


def test_a_response_is_forgotten_after_thirty_days(ask: Ask, calendar: Calendar, path: Path) -> None:
    ask(lambda responses: responses.remember("resp_1", "ana", AT_OPENAI))
    calendar.now += KEPT_SECONDS
    assert ask(lambda responses: responses.owner("resp_1", "ana")) == AT_OPENAI
    calendar.now += 1
    assert ask(lambda responses: responses.owner("resp_1", "ana")) is None
    ask(lambda responses: responses.remember("resp_2", "ana", AT_OPENAI))

    table = sqlite3.connect(path)
    assert table.execute("SELECT response_id FROM responses").fetchall() == [("resp_2",)]
    table.close()


@pytest.mark.parametrize("odd", ["", "resp/ü", "resp_\ud800", "a\x00b", "x" * 10_000], ids=range(5))
def test_an_odd_id_is_like_any_other(ask: Ask, odd: str) -> None:
    assert ask(lambda responses: responses.owner(odd, "ana")) is None
    ask(lambda responses: responses.remember(odd, "ana", AT_OPENAI))
    assert ask(lambda responses: responses.owner(odd, "ana")) == AT_OPENAI


def test_many_calls_at_once_get_each_their_own_answer(ask: Ask) -> None:
    async def crowd(responses: StoredResponses) -> list[Stored | None]:
        stored = [Stored(f"d{number}", "openai", "gpt-5", is_billed=True) for number in range(1000)]
        await asyncio.gather(*(responses.remember(one.destination_name, "ana", one) for one in stored))
        found = await asyncio.gather(*(responses.owner(one.destination_name, "ana") for one in stored))
        assert found == stored
        return found

    ask(crowd)


def test_a_file_that_refuses_is_an_error_for_each_who_waits_and_not_for_the_next(ask: Ask, path: Path) -> None:
    async def locked_out(responses: StoredResponses) -> None:
        responses._table._connection.execute("PRAGMA busy_timeout = 10")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        said = await asyncio.gather(
            *(responses.remember(name, "ana", AT_OPENAI) for name in "ab"), return_exceptions=True
        )
        other.close()
        assert [str(error).partition("\n")[0] for error in said] == [f"cannot use {path}: database is locked"] * 2
        assert await responses.owner("a", "ana") is None

    ask(locked_out)


def test_who_no_longer_waits_disturbs_nobody(ask: Ask) -> None:
    async def impatient(responses: StoredResponses) -> None:
        leaving = asyncio.ensure_future(responses.remember("resp_1", "ana", AT_OPENAI))
        await asyncio.sleep(0)
        leaving.cancel()
        await responses.remember("resp_2", "ana", AT_OPENAI)
        assert await responses.owner("resp_2", "ana") == AT_OPENAI

    ask(impatient)


def test_a_closed_table_says_so_and_closing_twice_is_once(path: Path) -> None:
    responses = StoredResponses(path)
    responses.close()
    responses.close()

    with pytest.raises(StorageError, match=r"responses\.sqlite is closed"):
        asyncio.run(responses.remember("resp_1", "ana", AT_OPENAI))
