import datetime as dt
from pathlib import Path

import msgspec
import pytest

from tollhouse.demo.late import refresh_records
from tollhouse.demo.ledger import Ledger
from tollhouse.demo.spooling import write_spool
from tollhouse.errors import SpoolError
from tollhouse.spool.records import CallOutcome

END = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
HOUR = END + dt.timedelta(hours=1)


def at(record: CallOutcome) -> dt.datetime:
    return dt.datetime.fromisoformat(record.event_time)


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Ledger:
    return write_spool(tmp_path_factory.mktemp("spool"), end=END, calls=3_000, days=10)


@pytest.fixture(scope="module")
def refresh(history) -> list[CallOutcome]:
    drawn = refresh_records(history, end=END, seed=5, workers=3, fresh=800, late=145, repeated=50, resolved=3)
    return [record for _, record in drawn]


def test_a_refresh_is_new_calls_late_ones_repeats_and_resolved_ones(history, refresh) -> None:
    repeats = {msgspec.json.encode(record) for record in history.sample}
    again = [record for record in refresh if msgspec.json.encode(record) in repeats]
    resolved = [record for record in refresh if record.invocation_id in history.in_doubt]
    rest = [record for record in refresh if record not in again and record not in resolved]

    assert (len(refresh), len(again), len(resolved)) == (998, 50, 3)
    assert sum(END <= at(record) < HOUR for record in rest) == 800
    assert sum(END - dt.timedelta(days=7) <= at(record) < END for record in rest) == 145


def test_a_resolved_call_says_what_its_admit_said(history, refresh) -> None:
    resolved = next(record for record in refresh if record.invocation_id in history.in_doubt)
    admit = history.open_calls[resolved.invocation_id]

    assert (resolved.requester, resolved.event_time, resolved.team) == (admit.requester, admit.event_time, admit.team)
    assert resolved.outcome == "failed"


def test_new_calls_come_from_the_same_company(history, refresh) -> None:
    assert {record.team for record in refresh if record.team} == set(history.calls_by_team) - {"unattributed"}


def test_a_history_without_enough_open_calls_is_refused(tmp_path: Path) -> None:
    history = write_spool(tmp_path, end=END, calls=30, days=1)

    with pytest.raises(SpoolError, match="50 calls are to be resolved"):
        list(refresh_records(history, end=END, seed=5, workers=3))
