from collections import defaultdict
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import pyarrow as pa
import pytest
from prices.pricing import prices_of, schema_of

from tollhouse.prices.snapshot import source_version


@pytest.fixture(scope="module")
def prices() -> pa.Table:
    return prices_of()


def usd(prices: pa.Table, model: str, unit: str, **where: Any) -> list[Decimal]:
    rows = prices.to_pylist()
    fields = {"price_provider": model.partition("/")[0], "price_model": model.partition("/")[2], "unit": unit} | where
    return [row["usd_per_unit"] for row in rows if all(row[name] == value for name, value in fields.items())]


def test_the_table_has_the_contracts_columns_and_one_row_per_rate_and_unit(prices: pa.Table) -> None:
    assert prices.schema == schema_of("silver.prices")
    keys = list(zip(prices["price_id"].to_pylist(), prices["unit"].to_pylist(), strict=True))
    assert len(keys) == len(set(keys)) > 40_000


def test_the_rates_of_one_model_tier_and_batch_never_overlap(prices: pa.Table) -> None:
    rates: dict[tuple[Any, ...], dict[str, tuple[Any, ...]]] = defaultdict(dict)
    for row in prices.to_pylist():
        name = (row["price_provider"], row["price_model"], row["service_tier"], row["is_batch"])
        rates[name][row["price_id"]] = (
            (row["valid_from"] or date.min, row["valid_to"] or date.max),
            (row["time_of_day_start_s"], row["time_of_day_end_s"]),
            (row["tier_start_tokens"], row["tier_end_tokens"] or 2**63),
        )
    for boxes in rates.values():
        for one, other in combinations(boxes.values(), 2):
            overlaps = [a[0] < b[1] and b[0] < a[1] for a, b in zip(one, other, strict=True)]
            assert not all(overlaps)


def test_a_price_change_ends_one_rate_on_the_day_the_next_begins(prices: pa.Table) -> None:
    o3 = {"service_tier": "standard", "is_batch": False}
    assert usd(prices, "openai/o3", "uncached_input_tokens", valid_to=date(2025, 6, 10), **o3) == [Decimal("0.00001")]
    assert usd(prices, "openai/o3", "uncached_input_tokens", valid_from=date(2025, 6, 10), **o3) == [
        Decimal("0.000002")
    ]


def test_a_volume_tier_begins_with_the_token_after_its_threshold(prices: pa.Table) -> None:
    sonnet = {"service_tier": "standard", "is_batch": False}
    model = "anthropic/claude-sonnet-4-5"
    assert usd(prices, model, "uncached_input_tokens", tier_end_tokens=200_001, **sonnet) == [Decimal("0.000003")]
    assert usd(prices, model, "uncached_input_tokens", tier_start_tokens=200_001, **sonnet) == [Decimal("0.000006")]


def test_hours_of_the_day_are_cut_at_utc_seconds(prices: pa.Table) -> None:
    model = "deepseek/deepseek-flash"
    peak = usd(prices, model, "visible_output_tokens", time_of_day_start_s=3600, time_of_day_end_s=14_400)
    night = usd(prices, model, "visible_output_tokens", time_of_day_start_s=0, time_of_day_end_s=3600)
    assert len(peak) == len(night) == 1
    assert peak > night


def test_a_cache_that_lives_an_hour_has_its_own_price_and_a_model_without_one_the_general_price(
    prices: pa.Table,
) -> None:
    model = "anthropic/claude-sonnet-4-5"
    first = {"service_tier": "standard", "is_batch": False, "tier_start_tokens": 0}
    assert usd(prices, model, "cache_write_5m_input_tokens", **first) == [Decimal("0.00000375")]
    assert usd(prices, model, "cache_write_1h_input_tokens", **first) == [Decimal("0.000006")]
    assert usd(prices, "openai/gpt-4", "cache_read_input_tokens", priced_as="input_tokens") != []


def test_what_the_list_names_without_a_price_is_free(prices: pa.Table) -> None:
    assert usd(prices, "openrouter/deepseek-r1:free", "uncached_input_tokens", priced_as="free") == [Decimal(0)]


def test_the_version_names_the_installed_list() -> None:
    assert source_version().startswith("genai-prices ")
