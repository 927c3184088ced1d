from datetime import timedelta
from decimal import Decimal

import pytest
import yaml
from lake.small_lake import NOON, SmallLake, identity, outcome, payload

from tollhouse.lake.rebuild import reprice

NEXT_DAY = NOON + timedelta(days=1)
COSTS = "SELECT event_date::VARCHAR, sum(cost_usd) FROM {gold.costs} GROUP BY 1 ORDER BY 1"
LIST = Decimal("0.0035")  # 1,000 tokens in at 2.50 and 100 out at 10.00 USD a million
AGREED = Decimal("0.0012")


@pytest.fixture
def priced(lake: SmallLake) -> SmallLake:
    """A call on each of two days at list prices; then prices were negotiated: 1.00 in, 2.00 out."""
    lake.write([outcome(1), outcome(2, NEXT_DAY)])
    lake.run()
    prices = {"uncached_input_tokens": 1, "visible_output_tokens": 2}
    entry = {"provider": "openai", "model": "gpt-4o", "usd_per_million_tokens": prices}
    (lake.root / "prices.yml").write_text(yaml.safe_dump({"prices": [entry]}))
    return lake.configure(prices="prices.yml")


def test_changed_prices_alone_rewrite_no_history_and_hold_for_what_comes(priced: SmallLake) -> None:
    priced.run()
    assert priced.rows(COSTS) == [("2026-11-18", LIST), ("2026-11-19", LIST)]

    priced.write([outcome(3, NEXT_DAY)])
    priced.run()
    assert priced.rows(COSTS) == [("2026-11-18", LIST), ("2026-11-19", LIST + AGREED)]


def test_reprice_gives_the_dates_named_todays_prices_and_their_rollups_too(priced: SmallLake) -> None:
    with priced.open() as lake:
        tables = dict(reprice(lake, NEXT_DAY.date(), NEXT_DAY.date()))

    assert tables["gold.costs"] == ["2026-11-19"]
    assert priced.rows(COSTS) == [("2026-11-18", LIST), ("2026-11-19", AGREED)]
    for rollup in ("gold.usage_hourly", "gold.cost_attribution_daily"):
        assert priced.rows(COSTS.replace("gold.costs", rollup)) == [("2026-11-18", LIST), ("2026-11-19", AGREED)]
    assert priced.rows("SELECT DISTINCT price_source FROM {gold.costs} ORDER BY 1") == [
        ("genai-prices",),
        ("negotiated",),
    ]


def test_a_lake_that_was_repriced_is_the_lake_priced_so_from_the_start(priced: SmallLake, make_lake) -> None:
    with priced.open() as lake:
        list(reprice(lake, None, None))
    whole = make_lake("whole").configure(prices=str(priced.root / "prices.yml"))
    whole.write([outcome(1), outcome(2, NEXT_DAY)])
    whole.run()
    before = priced.versions()
    priced.run()

    assert priced.contents(without=["change_sequence"]) == whole.contents(without=["change_sequence"])
    assert priced.versions() == before


def test_a_changed_principal_alone_rewrites_no_history(lake: SmallLake) -> None:
    lake.write([identity("ada@example.com", team="research")])
    lake.log("a.jsonl", [payload(1)])
    lake.run()
    lake.write([identity("ada@example.com", team="sales")])
    lake.log("b.jsonl", [payload(2)])
    lake.run()

    teams = "SELECT source_record_key, team FROM {silver.invocations} ORDER BY 1"
    assert lake.rows(teams) == [("chatcmpl-1", "research"), ("chatcmpl-2", "sales")]
