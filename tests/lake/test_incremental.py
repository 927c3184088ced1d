from collections.abc import Callable
from datetime import timedelta

from lake.small_lake import AS_OF, NOON, SmallLake, admit, identity, outcome, payload, verdict

Lakes = Callable[[str], SmallLake]
# Several runs commit more often than one: the numbers that they give differ, the rows do not.
NUMBERS = ("change_sequence", "batch", "ingest_sequence")


def test_a_run_with_nothing_new_commits_nothing(copied: SmallLake) -> None:
    before, rows = copied.versions(), copied.contents()
    copied.run(AS_OF + timedelta(hours=1))

    assert (copied.versions(), copied.contents()) == (before, rows)


def test_each_record_of_each_source_is_accounted_for(finished: SmallLake) -> None:
    found = finished.rows("SELECT source, is_balanced, silver_rejected FROM {gold.reconciliation} ORDER BY source")

    assert found == [("proxy", True, 1), ("spool", True, 0)]


def test_each_call_is_in_silver_once(finished: SmallLake) -> None:
    ((calls, ids),) = finished.rows("SELECT count(*), count(DISTINCT invocation_id) FROM {silver.invocations}")

    assert (calls, ids) == (155, 155)


def test_a_log_that_comes_in_pieces_gives_the_lake_of_one_that_comes_at_once(make_lake: Lakes) -> None:
    pieces, whole = make_lake("pieces"), make_lake("whole")
    days = [NOON, NOON + timedelta(days=1)]
    records = [
        [admit(1), outcome(2), identity("ada@example.com", team="ops")],
        [outcome(1), outcome(3, days[1]), verdict(3, days[1])],
        [outcome(2), admit(4), verdict(4)],
        [outcome(4), outcome(5, NOON - timedelta(days=3))],
    ]
    for part in records:
        pieces.write(part)
        pieces.run()
        whole.write(part)
    whole.run()

    assert pieces.contents(without=NUMBERS) == whole.contents(without=NUMBERS)


def test_a_hit_learns_how_its_call_ended_when_the_end_comes_in_a_later_run(lake: SmallLake) -> None:
    lake.write([admit(1), verdict(1)])
    lake.run(NOON)
    lake.write([outcome(1)])
    lake.run()

    assert lake.rows("SELECT outcome FROM {gold.guardrail_hits}") == [("completed",)]


def test_the_end_of_a_call_speaks_for_it_whichever_comes_first(lake: SmallLake) -> None:
    for record in (admit(1), outcome(1), admit(1), outcome(2), admit(2)):
        lake.write([record])
        lake.run(NOON)

    assert lake.rows("SELECT DISTINCT invocation_state, input_tokens FROM {silver.invocations}") == [("final", 1000)]
    assert lake.rows("SELECT count(*), sum(cost_usd) > 0 FROM {gold.costs}") == [(2, True)]


def test_the_same_foreign_record_next_week_is_the_same_row(lake: SmallLake) -> None:
    lake.log("a.jsonl", [payload(1)])
    lake.run()
    lake.log("b.jsonl", [payload(1, completion_tokens=50, total_tokens=150)])
    lake.run(AS_OF + timedelta(days=7))

    assert lake.rows("SELECT count(*), max(output_tokens) FROM {silver.invocations}") == [(1, 50)]
    assert lake.rows("SELECT bool_and(is_balanced), sum(duplicate_records) FROM {gold.reconciliation}") == [(True, 1)]


def test_a_slice_at_a_time_gives_the_lake_of_one_slice(traffic: SmallLake, finished: SmallLake, tmp_path) -> None:
    sliced = traffic.copy(tmp_path / "sliced").configure(engine={"memory": "4GB", "batch_mib": 0})
    sliced.run()

    assert sliced.versions()["silver.invocations"] > finished.versions()["silver.invocations"]
    without = ("change_sequence",)
    assert sliced.contents(without=without) == finished.contents(without=without)


def test_a_file_that_grows_is_read_on_and_one_that_was_rewritten_is_read_anew(lake: SmallLake) -> None:
    versions = [[payload(1)], [payload(1), payload(2)], [payload(3), payload(2, completion_tokens=50)]]
    for number, records in enumerate(versions):
        lake.log("a.jsonl", records)
        lake.run(AS_OF + timedelta(hours=number))

    read = "SELECT read_from_byte > 0, framed_records FROM {bronze.source_objects} ORDER BY batch"
    assert lake.rows(read) == [(False, 1), (True, 1), (False, 2)]
    calls = "SELECT source_record_key, output_tokens FROM {silver.invocations} ORDER BY 1"
    assert lake.rows(calls) == [("chatcmpl-1", 10), ("chatcmpl-2", 50), ("chatcmpl-3", 10)]
    assert lake.rows("SELECT bool_and(is_balanced) FROM {gold.reconciliation}") == [(True,)]
