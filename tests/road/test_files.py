"""Files that change, come again, or may not be read; tables are asked after the whole road."""

import gzip
from datetime import timedelta
from pathlib import Path

import pytest
from road.asked import CALLS, REFUSED
from road.calls import line
from road.roads import AS_OF, Road, make_road, settle

from tollhouse.lake.bronze.objects import ingest_path
from tollhouse.lake.lakehouse import Lakehouse

NEXT_WEEK = AS_OF + timedelta(days=7)


@pytest.fixture
def road(tmp_path: Path) -> Road:
    return make_road(tmp_path)


def _ingest(road: Road, path: Path) -> tuple[int, int]:
    """``tollhouse ingest``: at once, however young the file is; returns rows and rejects."""
    with Lakehouse(road.settings) as lake:
        written = ingest_path(lake, path, "litellm", None, AS_OF)
    return written.rows, written.rejected


def test_the_same_call_again_next_week_is_the_same_row(road: Road) -> None:
    road.drop("a.jsonl", line("again", completion_tokens=19, total_tokens=29))
    road.run()
    road.drop("b.jsonl", line("again"))
    road.run(NEXT_WEEK)
    (row,) = road.ask(CALLS)
    assert (row["output_tokens"], str(row["ingest_date"])) == (20, "2026-03-09")
    assert [row["duplicate_records"] for row in road.ask("SELECT * FROM gold.reconciliation ORDER BY ingest_date")] == [
        1,
        0,
    ]
    road.assert_sound(NEXT_WEEK)


def test_a_growing_file_is_read_on_from_where_it_ended(road: Road) -> None:
    path = road.drop("a.jsonl", line("one") + line("two")[:100], is_settled=False)
    assert road.run()[0].written.rows == 0
    assert _ingest(road, path) == (1, 0)
    before = road.versions()
    assert _ingest(road, path) == (0, 0)
    assert road.versions() == before
    path.write_bytes(line("one") + line("two") + line("three"))
    settle(path)
    road.run()
    assert [row["request_id"] for row in road.ask(CALLS)] == ["one", "two", "three"]
    assert [
        row["position"] for row in road.ask("SELECT position FROM bronze.raw_records ORDER BY ingest_sequence")
    ] == [0, 1, 2]
    assert road.totals()["object_bytes"] == path.stat().st_size
    road.assert_sound()


def test_a_rewritten_file_is_read_anew_and_its_records_supersede(road: Road) -> None:
    road.drop("a.jsonl", line("one") + line("two"))
    road.run()
    road.drop("a.jsonl", line("zero") + line("two", completion_tokens=7, total_tokens=17))
    road.run()
    assert {row["request_id"]: row["output_tokens"] for row in road.ask(CALLS)} == {"one": 20, "two": 7, "zero": 20}
    assert road.totals()["duplicate_records"] == 1
    road.assert_sound()
    road.drop("a.jsonl", (road.logs / "a.jsonl").read_bytes() + line("three"))
    road.run()
    newest = road.ask("SELECT position FROM bronze.raw_records ORDER BY ingest_sequence DESC LIMIT 1")
    assert newest == [{"position": 2}]
    road.assert_sound()


def test_damaged_gzip_is_read_up_to_the_damage(road: Road) -> None:
    packed = gzip.compress(line("one") * 3)
    road.drop("a.jsonl.gz", packed[: len(packed) - 8])
    road.run()
    assert [row["reason"] for row in road.ask(REFUSED)] == ["gzip is torn: the file ends inside it"]
    assert len(road.ask(CALLS)) == 1
    road.assert_sound()
