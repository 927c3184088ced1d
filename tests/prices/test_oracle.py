"""gold.costs against genai-prices' own calc_price, over all of its models."""

import random
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from genai_prices.types import ModelInfo, ModelPrice, Provider, StartDateConstraint, Tier, TieredPrices, Usage
from prices.pricing import BUCKETS, attempt, costs_of, invocation

from tollhouse.prices.providers import price_list
from tollhouse.prices.units import OTHER_UNITS, UNITS, registry

TIERS = (None, None, None, "default", "flex", "priority", "fast")
EXPRESSIBLE = {"service_tier", "speed", "processing"}


@dataclass(frozen=True)
class Draw:
    provider: Provider
    model: ModelInfo
    name: str
    moment: datetime
    context: dict[str, str]
    quantities: dict[str, int]

    def __str__(self) -> str:
        return f"{self.provider.id}/{self.name} at {self.moment} {self.context} {self.quantities}"


def drawn(rng: random.Random) -> Draw:
    provider, model = rng.choice([(p, m) for p in price_list().providers for m in p.models])
    moment = drawn_moment(rng, model)
    context = drawn_context(rng, model)
    return Draw(
        provider,
        model,
        name_of(provider, model),
        moment,
        context,
        drawn_quantities(rng, model.get_prices(moment, context)),
    )


def name_of(provider: Provider, model: ModelInfo) -> str:
    """A string that the library takes for this model: its id, or a text of the rule that it is matched by."""
    names = [model.id, *re.findall(r"'([^']+)'", repr(model.match))]
    return next((name for name in names if provider.find_model(name) is model), model.id)


def drawn_moment(rng: random.Random, model: ModelInfo) -> datetime:
    prices = [] if isinstance(model.prices, ModelPrice) else model.prices
    constraints = [each.constraint for each in (*prices, *(model.price_variants or ()))]
    days = [c.start_date for c in constraints if isinstance(c, StartDateConstraint)]
    seconds = {
        edge.hour * 3600 + edge.minute * 60
        for c in constraints
        if c is not None and not isinstance(c, StartDateConstraint)
        for edge in (c.start_time, c.end_time)
    }
    day = rng.choice([*days, date(2023, 1, 1) + timedelta(days=rng.randrange(1500))])
    second = rng.choice([0, rng.randrange(86_400), *sorted(seconds)])
    instant = datetime.combine(day, time(0), UTC) + timedelta(seconds=second)
    return instant + timedelta(microseconds=rng.choice([-1, 0, 1, 500_000]))


def drawn_context(rng: random.Random, model: ModelInfo) -> dict[str, str]:
    variants = [variant.when for variant in model.price_variants or ()]
    if variants and rng.random() < 0.4:
        return rng.choice(variants)
    tier = rng.choice(TIERS)
    context = {"service_tier": tier, "speed": tier} if tier else {}
    return context | ({"processing": "batch"} if rng.random() < 0.3 else {})


def drawn_quantities(rng: random.Random, price: ModelPrice) -> dict[str, int]:
    edges = [tier.start for each in vars(price).values() if isinstance(each, TieredPrices) for tier in each.tiers]
    quantities = {bucket: rng.choice([0, 0, 1, rng.randrange(5_000), rng.randrange(400_000)]) for bucket in BUCKETS}
    if edges and rng.random() < 0.5:
        quantities |= dict.fromkeys(BUCKETS[1:4], 0) | {BUCKETS[0]: rng.choice(edges) + rng.choice([-1, 0, 1])}
    keys = {registry().unit_for_price_key(key).usage_key for key, value in vars(price).items() if value is not None}
    others = [unit for unit, key in OTHER_UNITS.items() if key in keys and unit != "requests"]
    return quantities | {unit: rng.randrange(1, 5_000) for unit in others if rng.random() < 0.5}


def as_call(number: int, draw: Draw) -> dict[str, Any]:
    others = [(unit, Decimal(n)) for unit, n in draw.quantities.items() if unit not in BUCKETS and n]
    made = attempt(
        provider=draw.provider.id,
        destination_model=draw.name,
        start_time=draw.moment,
        service_tier=draw.context.get("service_tier") or draw.context.get("speed"),
        is_batch="processing" in draw.context,
        other_usage=others,
        **{bucket: draw.quantities[bucket] for bucket in BUCKETS},
    )
    return invocation(number, made, invocation_id=f"{number:05}")


def as_usage(quantities: dict[str, int]) -> Usage:
    """The library's counts include each other; ours do not."""
    units = registry().units
    own = [(units[UNITS[unit]].dimensions.items(), quantity) for unit, quantity in quantities.items()]
    counts = {
        key: sum(quantity for dimensions, quantity in own if unit.dimensions.items() <= dimensions)
        for key, unit in units.items()
        if key != "requests"
    }
    return Usage(**counts)


def expected_cost(draw: Draw) -> Decimal | None:
    """calc_price with prices rounded to 12 decimals a unit; None where the list prices nothing of what was used."""
    provider, model = price_list().find_provider_model(draw.name, None, draw.provider.id, None)
    usage = as_usage(draw.quantities)
    calculation = model.calc_price(
        usage, provider, genai_request_timestamp=draw.moment, price_context=draw.context or None
    )
    prices = {key: value for key, value in vars(calculation.model_price).items() if value is not None}
    keys = {registry().unit_for_price_key(key).usage_key for key in prices}
    if (
        prices
        and any(draw.quantities.values())
        and not any(getattr(usage, key, 0) for key in keys if key != "requests")
    ):
        return None if "requests" not in keys else calculation.total_price
    return ModelPrice(**{key: rounded(key, value) for key, value in prices.items()}).calc_price(usage)["total_price"]


def rounded(key: str, value: Decimal | TieredPrices) -> Decimal | TieredPrices:
    per = registry().unit_for_price_key(key).per
    if isinstance(value, TieredPrices):
        return TieredPrices(round_one(value.base, per), [Tier(t.start, round_one(t.price, per)) for t in value.tiers])
    return round_one(value, per)


def round_one(value: Decimal, per: int) -> Decimal:
    return (value / per).quantize(Decimal("1e-12"), ROUND_HALF_EVEN) * per


def is_expressible(draw: Draw) -> bool:
    """Routes and search depths are not logged; a transcription bills ten seconds at least."""
    has_minimum = "whisper" in draw.model.id and draw.provider.id == "groq"
    seconds = sum(quantity for unit, quantity in draw.quantities.items() if unit.endswith("_seconds"))
    return draw.context.keys() <= EXPRESSIBLE and not (has_minimum and 0 < seconds < 10)


@pytest.mark.parametrize("draws", [200, pytest.param(2_000, marks=pytest.mark.proof)])
def test_gold_costs_equals_the_library_on_drawn_models_times_tiers_and_buckets(draws: int) -> None:
    rng = random.Random(20261102)
    drawings = [drawn(rng) for _ in range(draws)]
    inexpressible = [draw for draw in drawings if not is_expressible(draw)]
    for draw in inexpressible:
        print("cannot be expressed:", draw)
    rows = costs_of([as_call(number, draw) for number, draw in enumerate(drawings)])
    wrong = [
        f"{draw}: library {expected_cost(draw)}, gold.costs {row['cost_usd']} ({row['pricing_status']})"
        for draw, row in zip(drawings, rows, strict=True)
        if is_expressible(draw) and row["cost_usd"] != expected_cost(draw)
    ]
    assert wrong == []
    assert len(inexpressible) <= draws / 100
