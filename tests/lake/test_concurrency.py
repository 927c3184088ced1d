import threading
from datetime import timedelta

import pytest
from lake.small_lake import AS_OF, NOON, SmallLake, identity, outcome, payload

from tollhouse.errors import ConcurrentWriteError
from tollhouse.lake.embedded.committing import commit_files
from tollhouse.lake.engine import Commit
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.lookups import refresh_matches
from tollhouse.lake.maintenance import compact
from tollhouse.lake.run import STEPS, run_steps

# Who commits first decides the numbers, and how many commits there are; never the rows.
NUMBERS = ("change_sequence", "batch", "ingest_sequence")


def test_runs_a_sensors_run_and_a_compaction_at_once_give_the_lake_of_one_run(
    traffic: SmallLake, finished: SmallLake, tmp_path
) -> None:
    lake = traffic.copy(tmp_path / "lake")
    as_of = ["--as-of", AS_OF.isoformat()]
    commands = [["run", *as_of], ["run", *as_of], ["run", "--job", "ingest", *as_of], ["maintain", "compact"]]
    processes = [lake.start(*command) for command in commands]
    shown = [process.communicate()[0] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0, 0], shown
    lake.run()
    assert lake.contents(without=NUMBERS) == finished.contents(without=NUMBERS)


def test_a_commit_on_an_old_snapshot_is_refused_and_leaves_the_table_alone(copied: SmallLake) -> None:
    with copied.open() as lake:
        contract = lake.contract("silver.invocations")
        mark = Commit({"silver.invocations/bronze.raw_records": 10_000}, {})
        first, second = lake.delta("silver.invocations"), lake.delta("silver.invocations")
        version = commit_files(first, contract, mark)
        with pytest.raises(ConcurrentWriteError):
            commit_files(second, contract, mark)

        assert lake.state("silver.invocations").version == version


def test_the_loser_of_a_lock_waits_and_then_finds_nothing_left_to_do(lake: SmallLake) -> None:
    lake.write([outcome(1)])
    reports = []
    with lake.open() as winner, winner.lock("bronze"):
        loser = threading.Thread(target=lambda: reports.extend(lake.run()))
        loser.start()
        loser.join(0.5)
        assert loser.is_alive()
    loser.join()

    assert reports[0].written.rows == 1
    before = lake.versions()
    assert lake.run()[0].written.rows == 0
    assert lake.versions() == before


def step(lake: Lakehouse, *names: str) -> None:
    for found in STEPS:
        if found.name in names:
            found.act(lake, AS_OF)


def test_a_call_that_comes_between_the_matches_and_the_costs_of_another_run_is_priced(lake: SmallLake) -> None:
    """Run A matches the models, run B brings a call of a new model, run A computes the costs."""
    lake.write([outcome(1)])
    with lake.open() as one, lake.open() as other:
        step(one, "bronze", "silver.invocations", "silver.price_matches")
        lake.write([outcome(2, served_by={"destination_model": "gpt-4o-mini"})])
        step(other, "bronze", "silver.invocations")
        step(one, "gold.costs")
        list(run_steps(other, AS_OF))

    assert lake.rows("SELECT pricing_status, count(*) FROM {gold.costs} GROUP BY 1") == [("priced", 2)]


def test_a_foreign_call_and_its_principal_that_come_between_two_steps_of_another_run_find_each_other(
    lake: SmallLake,
) -> None:
    """Run A reads the principals, run B brings one and his call, run A reads the calls."""
    lake.write([outcome(1)])
    with lake.open() as one, lake.open() as other:
        step(one, "bronze", "silver.principals")
        lake.write([identity("ada@example.com", team="research")])
        lake.log("a.jsonl", [payload(2)])
        with lake.open() as configured:
            step(configured, "bronze")
        step(one, "silver.invocations")
        list(run_steps(other, AS_OF))

    assert lake.rows("SELECT team FROM {silver.invocations} WHERE log_source = 'proxy'") == [("research",)]


def test_a_reconciliation_that_comes_before_the_costs_is_made_again_after_them(lake: SmallLake) -> None:
    lake.write([outcome(1)])
    with lake.open() as one:
        step(one, "bronze", "silver.invocations", "gold.reconciliation")
        list(run_steps(one, AS_OF))

    assert lake.rows("SELECT priced_attempts FROM {gold.reconciliation}") == [(1,)]


def test_a_compaction_between_two_runs_is_no_news_to_the_next(lake: SmallLake) -> None:
    for number in range(3):
        lake.write([outcome(number, NOON + timedelta(minutes=number))])
        lake.run()
    rows = lake.contents()
    with lake.open() as opened:
        compact(opened)
        assert refresh_matches(opened).rows == 0
    lake.run()

    assert lake.contents() == rows
