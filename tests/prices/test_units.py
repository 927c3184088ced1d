from genai_prices.types import ModelPrice

from tollhouse.prices.providers import price_list
from tollhouse.prices.units import UNITS, priced_as, registry


def test_every_unit_that_the_list_prices_is_one_of_ours_or_an_ancestor_of_one() -> None:
    units = registry().units
    for provider in price_list().providers:
        for model in provider.models:
            cards = [model.prices] if isinstance(model.prices, ModelPrice) else [each.prices for each in model.prices]
            for card in cards:
                for key in [key for key, value in vars(card).items() if value is not None]:
                    unit = registry().unit_for_price_key(key)
                    covered = [ours for ours in UNITS if priced_as(ours, frozenset({unit.usage_key}))]
                    assert covered, (
                        f"{provider.id}/{model.id} prices {unit.usage_key}: add a unit of ours to OTHER_UNITS"
                    )
    assert "input_tokens" in units


def test_a_unit_without_a_price_of_its_own_costs_what_the_nearest_wider_unit_costs() -> None:
    priced = frozenset({"input_tokens", "output_tokens", "cache_write_tokens"})
    assert priced_as("cache_read_input_tokens", priced) == "input_tokens"
    assert priced_as("cache_write_1h_input_tokens", priced) == "cache_write_tokens"
    assert priced_as("reasoning_output_tokens", priced) == "output_tokens"
    assert priced_as("web_search_requests", priced) is None
