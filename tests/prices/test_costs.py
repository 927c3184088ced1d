from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prices.pricing import BUCKETS, attempt, costs_of, failed_attempt, invocation, matches_of, prices_of, run_model

GPT_4O = 100 * Decimal("0.0000025") + 10 * Decimal("0.00001")


def only(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    assert len(rows) == 1
    return rows[0]


def test_a_call_that_fell_back_costs_each_attempt_at_its_own_price() -> None:
    call = invocation(
        1, attempt(1, status_code=500), attempt(2, destination_model="claude-sonnet-4-5", provider="anthropic")
    )
    first, second = costs_of([call])
    assert (first["attempt_number"], first["cost_usd"], first["is_last_attempt"]) == (1, GPT_4O, False)
    assert second["cost_usd"] == 100 * Decimal("0.000003") + 10 * Decimal("0.000015")
    assert (second["price_id"], second["is_last_attempt"]) == ("anthropic/claude-sonnet-4-5", True)


def test_every_bucket_has_its_own_cost_and_they_sum_to_the_whole() -> None:
    usage = dict.fromkeys(BUCKETS, 1_000_000) | {"cache_write_1h_input_tokens": 0}
    row = only(costs_of([invocation(1, attempt(provider="anthropic", destination_model="claude-opus-4-5", **usage))]))
    parts = [row[name] for name in row if name.endswith("_cost_usd")]
    assert len(parts) == 7
    assert sum(parts) == row["cost_usd"] == Decimal("5") + Decimal("0.5") + Decimal("6.25") + Decimal("25") * 2


@pytest.mark.parametrize(
    ("made", "status"),
    [
        ([], "not_billable"),
        ([failed_attempt()], "not_billable"),
        ([failed_attempt(status_code=429)], "not_billable"),
        ([failed_attempt(status_code=None, error_code="timeout")], "unpriced"),
        ([failed_attempt(status_code=200)], "unpriced"),
        ([attempt(is_billable=False)], "not_billable"),
        ([attempt(uncached_input_tokens=0, visible_output_tokens=0)], "priced"),
        ([attempt(destination_model="acme-tuned")], "unpriced"),
        ([attempt(other_usage=[("web_fetch_requests", Decimal(2))])], "partial"),
        ([attempt(provider="openai", destination_model="text-embedding-3-small")], "partial"),
        ([attempt(destination_model="text-embedding-3-small", uncached_input_tokens=0)], "unpriced"),
        ([attempt(destination_model="text-embedding-3-small", visible_output_tokens=0)], "priced"),
        ([attempt(uncached_input_tokens=9_000_000_000_000_000_000)], "partial"),
    ],
)
def test_a_status_says_how_far_a_cost_can_be_trusted(made: list[dict[str, Any]], status: str) -> None:
    row = only(costs_of([invocation(1, *made)]))
    assert row["pricing_status"] == status
    assert (row["cost_usd"] is None) == (status == "unpriced")
    assert (status == "not_billable") <= (row["cost_usd"] == 0)
    assert row["attempt_number"] == len(made)


@pytest.mark.parametrize("state", ["pending", "in_doubt"])
def test_an_open_call_has_no_cost_yet(state: str) -> None:
    rows = costs_of([invocation(1, attempt(), invocation_state=state), invocation(2, invocation_state=state)])
    assert [(row["pricing_status"], row["cost_usd"]) for row in rows] == [("unpriced", None)] * 2


def test_what_has_no_price_is_listed_with_its_quantity() -> None:
    partial, unknown = costs_of(
        [
            invocation(
                1, attempt(other_usage=[("web_fetch_requests", Decimal(2)), ("web_search_requests", Decimal(3))])
            ),
            invocation(2, attempt(destination_model="acme-tuned")),
        ]
    )
    assert partial["unpriced_usage"] == {"web_fetch_requests": 2}
    assert partial["cost_usd"] == GPT_4O + 3 * Decimal("0.01")
    assert unknown["unpriced_usage"] == {"uncached_input_tokens": 100, "visible_output_tokens": 10}


def test_a_tier_without_a_price_of_its_own_costs_what_standard_costs() -> None:
    tiers = [None, "default", "on_demand", "flex", "priority"]
    moment = datetime(2026, 11, 2, tzinfo=UTC)
    calls = [
        invocation(number, attempt(destination_model="gpt-5", service_tier=tier, start_time=moment))
        for number, tier in enumerate(tiers)
    ]
    standard, default, unknown, flex, priority = [row["cost_usd"] for row in costs_of(calls)]
    assert standard == default == unknown == flex * 2 == priority / 2


def test_azure_pays_openais_list_price_without_its_tiers_and_batch_rates() -> None:
    made = {"provider": "azure", "destination_model": "gpt-5"}
    calls = [
        invocation(1, attempt(**made)),
        invocation(2, attempt(**made, service_tier="flex")),
        invocation(3, attempt(**made, is_batch=True)),
    ]
    costs = [row["cost_usd"] for row in costs_of(calls)]
    assert costs[0] == costs[1] == costs[2] is not None


def test_the_model_that_the_provider_says_it_used_is_priced_before_the_one_that_was_asked() -> None:
    row = only(costs_of([invocation(1, attempt(destination_model="gpt-4o", response_model="gpt-4o-mini"))]))
    assert row["price_model"] == "gpt-4o-mini"
    row = only(costs_of([invocation(1, attempt(destination_model="gpt-4o", response_model="my-alias"))]))
    assert row["price_model"] == "gpt-4o"


def test_an_attempt_is_there_once_even_when_prices_and_matches_overlap() -> None:
    calls = [invocation(1, attempt(1), attempt(2)), invocation(2)]
    prices, matches = prices_of(), matches_of(calls)
    others = [row | {"price_id": "faulty", "valid_from": None} for row in prices.to_pylist()
              if row["price_model"] == "gpt-4o"]  # fmt: skip
    doubled = pa.concat_tables([prices, pa.Table.from_pylist(others, schema=prices.schema)])
    rows = run_model("gold.costs", {
        "silver.invocations": calls,
        "silver.prices": doubled,
        "silver.price_matches": pa.concat_tables([matches, matches]),
    })  # fmt: skip
    assert sorted((row["invocation_id"], row["attempt_number"]) for row in rows) == [
        ("inv-1", 1), ("inv-1", 2), ("inv-2", 0),
    ]  # fmt: skip
    assert {row["cost_usd"] for row in rows if row["attempt_number"]} == {GPT_4O}


tokens = st.none() | st.integers(min_value=0, max_value=10**12)
models = st.sampled_from(["gpt-4o", "gpt-5", "acme-tuned", None])


@st.composite
def attempts(draw: st.DrawFn) -> list[dict[str, Any]]:
    count = draw(st.integers(min_value=0, max_value=3))
    return [
        attempt(n, destination_model=draw(models), response_model=draw(models), is_batch=draw(st.booleans()),
                **{bucket: draw(tokens) for bucket in BUCKETS})
        for n in range(1, count + 1)
    ]  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(st.lists(attempts(), min_size=1, max_size=8))
def test_any_calls_give_each_attempt_once_with_a_cost_exactly_when_it_is_not_unpriced(
    calls: list[list[dict[str, Any]]],
) -> None:
    rows = costs_of([invocation(number, *made) for number, made in enumerate(calls)])
    expected = [(f"inv-{n}", k) for n, made in enumerate(calls) for k in (range(1, len(made) + 1) if made else [0])]
    assert [(row["invocation_id"], row["attempt_number"]) for row in rows] == expected
    for row in rows:
        assert (row["cost_usd"] is None) == (row["pricing_status"] == "unpriced")
        parts = [row[name] or 0 for name in row if name.endswith("_cost_usd")]
        assert row["cost_usd"] is None or sum(parts) == row["cost_usd"]
    assert sum(row["is_last_attempt"] for row in rows) == len(calls)
