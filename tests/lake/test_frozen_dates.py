from datetime import timedelta
from pathlib import Path

import pytest
from lake.small_lake import AS_OF, NOON, SmallLake, outcome, payload

from tollhouse.lake.evolution import stale_dates
from tollhouse.lake.maintenance import close_dates
from tollhouse.lake.rebuild import rebuild, reprice

GOLD = ("gold.costs", "gold.usage_hourly", "gold.cost_attribution_daily", "gold.endpoint_health_hourly")
SILVER, REJECTS = "silver.invocations", "silver.rejected_records"
OLD = NOON - timedelta(days=40)


@pytest.fixture(scope="module")
def closed_once(empty: SmallLake, tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    lake = empty.copy(tmp_path_factory.mktemp("closed_once") / "lake").configure(retention={"silver_days": 10})
    lake.write([outcome(1, OLD), outcome(2)])
    lake.log("a.jsonl", [payload(1, startTime=0)])
    lake.run()
    with lake.open() as opened:
        assert close_dates(opened, AS_OF)["silver.invocations"] == 1
    return lake


@pytest.fixture
def closed(closed_once: SmallLake, tmp_path: Path) -> SmallLake:
    """A lake that closed all before the last ten days, with a call of each side, and one of 1970."""
    return closed_once.copy(tmp_path / "closed")


def test_closing_dates_removes_silver_and_leaves_gold(closed: SmallLake) -> None:
    days = "SELECT event_date::VARCHAR FROM {%s} ORDER BY 1"
    open_days = [("1970-01-01",), (str(NOON.date()),)]

    assert closed.rows(days % "silver.invocations") == open_days
    assert closed.rows(days % "gold.costs") == [open_days[0], (str(OLD.date()),), open_days[1]]


def test_a_late_record_for_a_closed_date_is_rejected_with_the_reason_and_gold_stays(closed: SmallLake) -> None:
    before = closed.contents()
    closed.write([outcome(3, OLD)])
    closed.run(AS_OF + timedelta(days=1))

    assert closed.rows("SELECT table_name, reason FROM {silver.rejected_records}") == [
        ("silver.invocations", "its date is closed: silver.invocations keeps nothing before 2026-11-10")
    ]
    after = closed.contents()
    assert {name: after[name] for name in GOLD} == {name: before[name] for name in GOLD}
    assert closed.rows("SELECT bool_and(is_balanced) FROM {gold.reconciliation}") == [(True,)]


def test_the_body_of_a_late_record_for_a_closed_date_is_not_kept(closed: SmallLake) -> None:
    closed.write([outcome(3, OLD)])
    closed.run()

    assert closed.rows("SELECT count(*) FROM {silver.payloads} WHERE event_date = DATE '2026-10-09'") == [(0,)]


def test_1970_is_never_closed(closed: SmallLake) -> None:
    closed.log("b.jsonl", [payload(2, startTime=0)])
    closed.run()  # reads the copy's folder of logs: a.jsonl again, and b.jsonl

    assert closed.rows("SELECT count(*) FROM {silver.invocations} WHERE event_date = DATE '1970-01-01'") == [(2,)]
    assert closed.rows("SELECT count(*) FROM {silver.rejected_records}") == [(0,)]


def test_a_date_once_closed_stays_closed_when_the_retention_grows(closed: SmallLake) -> None:
    closed.configure(retention={"silver_days": 400})
    with closed.open() as opened:
        close_dates(opened, AS_OF)
    closed.write([outcome(3, OLD)])
    closed.run()

    assert closed.rows("SELECT count(*) FROM {silver.rejected_records}") == [(1,)]


def test_a_rebuild_and_a_reprice_leave_gold_as_it_was_on_closed_dates(closed: SmallLake) -> None:
    closed.write([outcome(3, OLD)])
    closed.run(AS_OF + timedelta(days=1))
    rows = closed.contents(without=["change_sequence"])
    with closed.open() as lake:
        list(reprice(lake, None, None))
        list(rebuild(lake, "silver.invocations", None, None, AS_OF))
    closed.run(AS_OF + timedelta(days=1))

    after = closed.contents(without=["change_sequence"])
    assert {name: after[name] for name in (*GOLD, SILVER, REJECTS)} == {
        name: rows[name] for name in (*GOLD, SILVER, REJECTS)
    }


def test_a_changed_model_does_not_take_closed_dates_from_gold(closed: SmallLake) -> None:
    query = closed.own_project() / "models" / "gold" / "costs.sql"
    query.write_text(query.read_text() + "\n-- changed\n")
    closed.write([outcome(4)])
    closed.run()
    rows = closed.contents(without=["change_sequence"])
    with closed.open() as lake:
        list(rebuild(lake, "gold.costs", None, None, AS_OF))

        assert stale_dates(lake, "gold.costs") == []
    assert closed.contents(without=["change_sequence"])["gold.costs"] == rows["gold.costs"]
