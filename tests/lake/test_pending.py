import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from lake.small_lake import NOON, SmallLake, admit, outcome

from tollhouse.spool.writer import SpoolWriter

SCRIPT = Path(__file__).with_name("left_open.py")
STATES = "SELECT request_id, invocation_state FROM {silver.invocations} ORDER BY request_id"


@pytest.fixture
def abandoned(lake: SmallLake) -> SmallLake:
    """A lake whose gateway was killed with two open calls, a month before their deadlines, and never came back."""
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[1])}
    command = [sys.executable, str(SCRIPT), str(lake.root / "spool")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        assert process.stdout.readline() == "written\n"
        process.kill()
    return lake


def test_the_next_run_lists_the_open_calls_of_a_killed_gateway_in_doubt(abandoned: SmallLake) -> None:
    with abandoned.start("run", "--as-of", (NOON + timedelta(minutes=1)).isoformat()) as process:
        shown, _ = process.communicate()

    assert process.returncode == 0, shown
    assert "2 calls are newly in doubt" in shown
    assert abandoned.rows(STATES) == [("request-1", "in_doubt"), ("request-2", "in_doubt"), ("request-3", "final")]
    assert abandoned.rows("SELECT is_recovered, declared_records FROM {bronze.source_objects}") == [(True, 4)]
    assert abandoned.rows("SELECT bool_and(is_balanced) FROM {gold.reconciliation}") == [(True,)]


def test_a_call_in_doubt_is_unpriced_until_its_outcome_comes_after_all(abandoned: SmallLake) -> None:
    abandoned.run(NOON + timedelta(minutes=1))
    costs = "SELECT pricing_status, cost_usd IS NULL, count(*) FROM {gold.costs} GROUP BY ALL ORDER BY ALL"
    assert abandoned.rows(costs) == [("priced", False, 1), ("unpriced", True, 2)]

    abandoned.write([outcome(1, NOON + timedelta(seconds=1))])
    abandoned.run(NOON + timedelta(minutes=2))

    assert abandoned.rows(STATES) == [("request-1", "final"), ("request-2", "in_doubt"), ("request-3", "final")]
    assert abandoned.rows(costs) == [("priced", False, 2), ("unpriced", True, 1)]
    assert abandoned.rows("SELECT sum(calls), sum(open_calls) FROM {gold.endpoint_health_hourly}") == [(3, 1)]


def test_a_gateway_that_lives_keeps_its_calls_pending_until_their_deadline(lake: SmallLake) -> None:
    moment = NOON
    with SpoolWriter(lake.root / "spool", clock=lambda: moment, segment_seconds=1) as writer:
        writer.append(admit(1, minutes=10))
        moment += timedelta(seconds=5)
        writer.tend()
        lake.run(NOON + timedelta(minutes=10))
        assert lake.rows(STATES) == [("request-1", "pending")]

        lake.run(NOON + timedelta(minutes=10, seconds=1))
        assert lake.rows(STATES) == [("request-1", "in_doubt")]


def test_a_call_without_a_deadline_is_in_doubt_after_an_hour(lake: SmallLake) -> None:
    call = admit(1)
    call.deadline = None
    lake.write([call])
    lake.run(NOON + timedelta(minutes=60))
    assert lake.rows(STATES) == [("request-1", "pending")]

    lake.run(NOON + timedelta(minutes=61))
    assert lake.rows(STATES) == [("request-1", "in_doubt")]


def test_an_admit_that_is_read_again_does_not_take_the_doubt_away(lake: SmallLake) -> None:
    lake.write([admit(1)])
    lake.run(NOON + timedelta(hours=1))
    lake.write([admit(1)])
    lake.run(NOON + timedelta(hours=1))

    assert lake.rows(STATES) == [("request-1", "in_doubt")]
    assert lake.rows("SELECT bool_and(is_balanced) FROM {gold.reconciliation}") == [(True,)]
