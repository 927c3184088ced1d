"""Every real record of LiteLLM at hand, through the whole road."""

from pathlib import Path

import pytest
from road.asked import CALLS
from road.roads import make_road

REAL = Path(__file__).parents[3] / "shared" / "data" / "gateway-logs" / "litellm"


@pytest.mark.skipif(not REAL.is_dir(), reason="the real records of ../shared/data are not here")
def test_every_real_record_of_litellm_lands_with_its_tokens_and_price(tmp_path: Path) -> None:
    road = make_road(tmp_path)
    for file in REAL.iterdir():
        road.drop(file.name, file.read_bytes())
    road.run()
    rows = road.ask(CALLS)
    assert len(rows) == len(list(REAL.iterdir()))
    for row in rows:
        assert (row["input_tokens"], row["output_tokens"], row["total_tokens"]) == (10, 20, 30)
        assert (row["time"], row["date"]) == ("2025-01-24 09:20:46.847371", "2025-01-24")
        assert (row["pricing_status"], row["cost_usd"], row["data_issues"]) == ("priced", row["reported_cost_usd"], [])
    assert road.totals()["bronze_rejected"] == 0
    road.assert_sound()
