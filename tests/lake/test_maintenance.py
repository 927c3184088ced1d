from datetime import timedelta
from pathlib import Path

import deltalake
import polars as pl
import pytest
from lake.small_lake import AS_OF, END, NOON, SmallLake, outcome

from tollhouse.errors import LakeError
from tollhouse.lake.maintenance import compact, daily, delete_segments, vacuum


@pytest.fixture(scope="module")
def three_runs(empty: SmallLake, tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    lake = empty.copy(tmp_path_factory.mktemp("three_runs") / "lake")
    for number in range(3):
        lake.write([outcome(number, NOON + timedelta(minutes=number))])
        lake.run()
    return lake


@pytest.fixture
def fragmented(three_runs: SmallLake, tmp_path: Path) -> SmallLake:
    """A lake of three runs: three small files in each table that a call reaches."""
    return three_runs.copy(tmp_path / "fragmented")


def test_compaction_joins_files_and_changes_no_row(fragmented: SmallLake) -> None:
    rows = fragmented.contents()
    with fragmented.open() as lake:
        done = {found.table: (found.files_before, found.files_after) for found in compact(lake)}

    assert (done["bronze.raw_records"], done["silver.invocations"]) == ((3, 1), (3, 1))
    assert fragmented.contents() == rows
    assert pl.read_delta(str(fragmented.root / "lake" / "silver" / "invocations")).height == 3


def test_a_compaction_says_that_it_changes_no_data(fragmented: SmallLake) -> None:
    with fragmented.open() as lake:
        compact(lake, "silver.invocations")
    log = fragmented.root / "lake" / "silver" / "invocations" / "_delta_log"
    newest = max(log.glob("*.json")).read_text()

    assert '"dataChange":false' in newest
    assert '"dataChange":true' not in newest
    assert "dirty_dates" not in newest


def test_a_merge_after_a_compaction_replaces_the_row(fragmented: SmallLake) -> None:
    with fragmented.open() as lake:
        compact(lake)
    fragmented.write([outcome(1, NOON + timedelta(minutes=1), error_code="late")])
    fragmented.run()

    codes = "SELECT error_code FROM {silver.invocations} ORDER BY invocation_id"
    assert fragmented.rows(codes) == [(None,), ("late",), (None,)]


@pytest.mark.parametrize("hours", [0, 1, 167])
def test_a_vacuum_that_could_delete_files_in_use_is_refused(fragmented: SmallLake, hours: int) -> None:
    with fragmented.open() as lake, pytest.raises(LakeError, match=f"a retention of {hours} hours is too short"):
        vacuum(lake, retention_hours=hours)


def test_a_vacuum_keeps_what_a_recent_version_needs(fragmented: SmallLake) -> None:
    with fragmented.open() as lake:
        compact(lake)
        deleted = vacuum(lake)
        versions = range(lake.state("silver.invocations").version + 1)
    path = str(fragmented.root / "lake" / "silver" / "invocations")

    assert set(deleted.values()) == {0}
    assert {deltalake.DeltaTable(path, version=v).to_pyarrow_table().num_rows for v in versions} == {0, 1, 2, 3}


def test_segments_are_deleted_after_their_commit_and_the_retention_only(lake: SmallLake) -> None:
    lake.write([outcome(1)])
    late = END + timedelta(hours=73)
    with lake.open() as opened:
        assert delete_segments(opened, late) == 0  # not in bronze yet
    lake.run()
    lake.write([outcome(2)])
    with lake.open() as opened:
        assert delete_segments(opened, END + timedelta(hours=71)) == 0
        assert delete_segments(opened, late) == 1
    assert len(list(lake.root.glob("spool/slot-0/0*.jsonl"))) == 1

    lake.run(late)
    assert lake.rows("SELECT count(*), count(DISTINCT record_key) FROM {bronze.raw_records}") == [(2, 2)]
    assert lake.rows("SELECT bool_and(is_balanced), sum(gap_records) FROM {gold.reconciliation}") == [(True, 0)]


def test_the_daily_maintenance_changes_no_row(fragmented: SmallLake) -> None:
    rows = fragmented.contents()
    with fragmented.open() as lake:
        done = daily(lake, AS_OF + timedelta(days=1))

    assert list(done) == ["closed", "compacted", "vacuumed", "segments_deleted"]
    fragmented.run(AS_OF + timedelta(days=1))
    assert fragmented.contents() == rows
