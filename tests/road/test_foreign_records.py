"""Another gateway's bad records, through the whole road in one lake."""

import pytest
from road.foreign_cases import CASES, Case
from road.roads import Road, Row, make_road

QUERY = """
    SELECT i.*, r.object_path, r.position, date_format(i.event_time, 'yyyy-MM-dd HH:mm:ss.SSSSSS') AS time,
      p.prompt_text, length(p.prompt_text) AS prompt_characters, p.response, c.pricing_status, c.cost_usd
    FROM silver.invocations i JOIN bronze.raw_records r ON r.ingest_sequence = i.ingest_sequence
    LEFT JOIN silver.payloads p ON p.invocation_id = i.invocation_id
    LEFT JOIN gold.costs c ON c.invocation_id = i.invocation_id
    ORDER BY r.ingest_sequence
"""


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    road = make_road(tmp_path_factory.mktemp("foreign"))
    for number, case in enumerate(CASES):
        road.drop(f"{number:02}.jsonl", case.content)
    road.run()
    return road


@pytest.fixture(scope="module")
def found(road: Road) -> dict[str, list[Row]]:
    return {
        "rows": road.ask(QUERY),
        "refused": road.ask("SELECT object_path, reason FROM bronze.rejected_records ORDER BY position"),
        "unmapped": road.ask(
            "SELECT b.object_path, x.reason FROM silver.rejected_records x "
            "JOIN bronze.raw_records b ON b.ingest_sequence = x.ingest_sequence ORDER BY x.ingest_sequence"
        ),
        "objects": road.ask("SELECT object_path, framed_records, rejected_records FROM bronze.source_objects"),
    }
