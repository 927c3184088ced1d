"""Another gateway's bad records, each in a file of its own, through the whole road in one lake."""

import pytest
from road.asked import CALLS, REFUSED, UNMAPPED
from road.foreign_cases import CASES, Case
from road.roads import Road, Row, make_road


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    road = make_road(tmp_path_factory.mktemp("foreign"))
    for case in CASES:
        road.drop(_file(case), case.content)
    road.run()
    return road


def _file(case: Case) -> str:
    return f"{CASES.index(case):02}.jsonl"


def _of(case: Case, rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["object_path"].endswith(_file(case))]


@pytest.fixture(scope="module")
def calls(road: Road) -> list[Row]:
    return road.ask(CALLS)


@pytest.fixture(scope="module")
def refused(road: Road) -> list[Row]:
    return road.ask(REFUSED)


@pytest.fixture(scope="module")
def unmapped(road: Road) -> list[Row]:
    return road.ask(UNMAPPED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_record_becomes_what_the_page_says(
    case: Case, calls: list[Row], refused: list[Row], unmapped: list[Row]
) -> None:
    found = [{name: row[name] for name in want} for row, want in zip(_of(case, calls), case.rows, strict=True)]
    assert found == case.rows
    for rows, reasons in ((refused, case.refused), (unmapped, case.unmapped)):
        for row, reason in zip(_of(case, rows), reasons, strict=True):
            assert row["reason"].startswith(reason)


def test_bytes_that_are_no_text_are_kept_as_base64(refused: list[Row]) -> None:
    assert [row["is_base64"] for row in refused if row["reason"].startswith("not UTF-8")] == [True]


def test_every_record_is_explained_and_a_second_run_changes_nothing(road: Road, calls: list[Row]) -> None:
    totals = road.totals()
    assert totals["objects"] == len(CASES)
    assert totals["object_bytes"] == sum(len(case.content) for case in CASES)
    assert totals["bronze_rejected"] == sum(len(case.refused) for case in CASES)
    assert totals["silver_rejected"] == sum(len(case.unmapped) for case in CASES)
    assert totals["invocations"] == sum(len(case.rows) for case in CASES)
    assert totals["duplicate_records"] == sum(case.repeats for case in CASES)
    assert totals["records_with_issues"] == sum(bool(row["data_issues"]) for row in calls)
    assert totals["unpriced_attempts"] == sum(row["cost_usd"] is None for row in calls)
    road.assert_sound()
