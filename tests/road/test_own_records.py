"""Our own bad records, through the whole road in one lake."""

from pathlib import Path

import pytest
from road.asked import CALLS, UNMAPPED
from road.calls import attempt, outcome, own_id
from road.own_cases import FORGED, WRITTEN, Case
from road.roads import Road, Row, make_road


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    road = make_road(tmp_path_factory.mktemp("own"))
    road.append(*[record for case in WRITTEN for record in case.records])
    road.run()
    return road


@pytest.fixture(scope="module")
def calls(road: Road) -> dict[str, Row]:
    return {row["invocation_id"]: row for row in road.ask(CALLS)}


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: case.name)
def test_a_bad_record_becomes_what_the_page_says(case: Case, calls: dict[str, Row]) -> None:
    for number, expected in case.rows.items():
        row = calls[own_id(number)]
        assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("case", [case for case in WRITTEN if case.unmapped], ids=lambda case: case.name)
def test_a_record_that_cannot_be_mapped_says_why(case: Case, road: Road) -> None:
    reasons = [row["reason"] for row in road.ask(UNMAPPED)]
    assert [reason for reason in case.unmapped if reason not in reasons] == []


def test_every_record_is_explained_and_a_second_run_changes_nothing(road: Road) -> None:
    totals = road.totals()
    assert totals["bronze_records"] == sum(len(case.records) for case in WRITTEN)
    assert totals["invocations"] == sum(len(case.rows) for case in WRITTEN)
    assert totals["silver_rejected"] == sum(len(case.unmapped) for case in WRITTEN)
    assert totals["paired_records"] + totals["duplicate_records"] == sum(case.repeats for case in WRITTEN)
    assert totals["records_with_issues"] == 4
    road.assert_sound()


@pytest.mark.parametrize("case", FORGED, ids=lambda case: case.name)
def test_a_line_that_our_writer_would_refuse_holds_up_nothing(case: Case, tmp_path: Path) -> None:
    road = make_road(tmp_path)
    road.append(outcome(1))
    road.forge(2, *[record for record in case.records if isinstance(record, bytes)])
    road.run()
    calls = {row["invocation_id"]: row for row in road.ask(CALLS)}
    assert own_id(1) in calls
    test_a_bad_record_becomes_what_the_page_says(case, calls)
    test_a_record_that_cannot_be_mapped_says_why(case, road)
    road.assert_sound()


def test_a_lone_surrogate_in_a_provider_s_usage_holds_up_nothing(tmp_path: Path) -> None:
    road = make_road(tmp_path)
    usage = rb'{"prompt_tokens": 10, "completion_tokens": 20, "note": "\ud83d"}'
    road.append(outcome(1), outcome(2, attempts=[attempt(usage)]))
    road.run()
    assert [row["total_tokens"] for row in road.ask(CALLS)] == [30, 30]
    road.assert_sound()
