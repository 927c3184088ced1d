"""Our own bad records, through the whole road in one lake."""

import pytest
from road.asked import CALLS, UNMAPPED
from road.calls import own_id
from road.own_cases import FORGED, WRITTEN, Case
from road.roads import Road, Row, make_road

CASES = [*WRITTEN, *FORGED]


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    road = make_road(tmp_path_factory.mktemp("own"))
    road.append(*[record for case in WRITTEN for record in case.records])
    road.forge(2, *[record for case in FORGED for record in case.records if isinstance(record, bytes)])
    road.run()
    return road


@pytest.fixture(scope="module")
def calls(road: Road) -> dict[str, Row]:
    return {row["invocation_id"]: row for row in road.ask(CALLS)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_record_becomes_what_the_page_says(case: Case, calls: dict[str, Row]) -> None:
    for number, expected in case.rows.items():
        row = calls[own_id(number)]
        assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("case", [case for case in CASES if case.unmapped], ids=lambda case: case.name)
def test_a_record_that_cannot_be_mapped_says_why(case: Case, road: Road) -> None:
    reasons = [row["reason"] for row in road.ask(UNMAPPED)]
    assert [reason for reason in case.unmapped if reason not in reasons] == []


def test_every_record_is_explained_and_a_second_run_changes_nothing(road: Road) -> None:
    totals = road.totals()
    assert totals["bronze_records"] == sum(len(case.records) for case in CASES)
    assert totals["invocations"] == sum(len(case.rows) for case in CASES)
    assert totals["silver_rejected"] == sum(len(case.unmapped) for case in CASES)
    assert totals["paired_records"] + totals["duplicate_records"] == sum(case.repeats for case in CASES)
    assert totals["records_with_issues"] == 4
    road.assert_sound()
