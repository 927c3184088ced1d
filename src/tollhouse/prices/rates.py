"""What a model costs, cut into rates that never overlap.

genai-prices resolves conditions when a call is priced: dates, times of day, request context, volume tiers. Here its own
resolution is asked once on each side of every boundary, so that a call is priced by one join.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices, TimeOfDateConstraint

from tollhouse.prices.negotiated import NegotiatedPrice
from tollhouse.prices.units import BUCKETS, UNITS, priced_as, registry

STANDARD = "standard"
DAY_SECONDS = 86_400
_TWELVE_DECIMALS = Decimal("1e-12")
_BEFORE_ALL = date(2000, 1, 1)

Tiers = tuple[tuple[int, Decimal], ...]
"""Prices of one unit by the input tokens at which each begins, ascending; the first begins at 0."""
PriceSet = dict[str, Tiers]
"""Prices by genai-prices' unit."""


@dataclass(frozen=True)
class PriceModel:
    """A name under which something is priced: the list's model behind it, if any, and the agreements about it.

    ``has_variants``: the list's service tiers and batch rates hold, as they do at the model's own provider only.
    """

    provider: str
    model: str
    listed: ModelInfo | None
    has_variants: bool = True
    agreed: tuple[NegotiatedPrice, ...] = ()


@dataclass(frozen=True)
class UnitPrice:
    """USD for one of our units; ``priced_as`` is the unit of genai-prices whose price it is."""

    unit: str
    usd_per_unit: Decimal
    priced_as: str


@dataclass(frozen=True)
class Rate:
    """The prices of all units of a model where nothing changes. All intervals hold their start, not their end."""

    service_tier: str
    is_batch: bool
    valid_from: date | None
    valid_to: date | None
    time_of_day_start_s: int
    time_of_day_end_s: int
    tier_start_tokens: int
    tier_end_tokens: int | None
    source: str
    prices: tuple[UnitPrice, ...]


def rates(model: PriceModel) -> list[Rate]:
    """Every rate of a model; a tier or batch whose prices never differ from the standard ones has none of its own."""
    tiers = _service_tiers(model)
    cards = {(tier, batch): _card(model, tier, batch) for tier in tiers for batch in (False, True)}
    has_batch = any(_shape(cards[tier, True]) != _shape(cards[tier, False]) for tier in tiers)
    batches = (False, True) if has_batch else (False,)
    own = [t for t in tiers if t == STANDARD or any(_shape(cards[t, b]) != _shape(cards[STANDARD, b]) for b in batches)]
    return [rate for tier in own for batch in batches for rate in cards[tier, batch]]


def _shape(card: Iterable[Rate]) -> list[Rate]:
    return [replace(rate, service_tier="", is_batch=False) for rate in card]


def _service_tiers(model: PriceModel) -> list[str]:
    tiers = {entry.service_tier for entry in model.agreed if entry.service_tier}
    if model.listed and model.has_variants:
        for variant in model.listed.price_variants or ():
            tiers |= {value for key, value in variant.when.items() if key in {"service_tier", "speed"}}
    return [STANDARD, *sorted(tiers - {STANDARD})]


def _card(model: PriceModel, service_tier: str, is_batch: bool) -> list[Rate]:
    boundaries = sorted(_days(model))
    starts = [None, *boundaries]
    first = boundaries[0] - timedelta(days=1) if boundaries else _BEFORE_ALL
    periods: list[tuple[date | None, list[Rate]]] = []
    for start in starts:
        rates_of_day = list(_rates_of_day(model, start or first, service_tier, is_batch))
        if not periods or periods[-1][1] != rates_of_day:
            periods.append((start, rates_of_day))
    ends = [start for start, _ in periods[1:]] + [None]
    return [
        replace(rate, valid_from=start, valid_to=end)
        for (start, rates_of_day), end in zip(periods, ends, strict=True)
        for rate in rates_of_day
    ]


def _rates_of_day(model: PriceModel, day: date, service_tier: str, is_batch: bool) -> Iterator[Rate]:
    for start, end in pairwise([*sorted(_seconds_of_day(model)), DAY_SECONDS]):
        moment = datetime.combine(day, time(0), UTC) + timedelta(seconds=start)
        prices = _listed_prices(model, moment, service_tier, is_batch)
        agreed = [entry for entry in model.agreed if entry.is_active(day, service_tier, is_batch)]
        for entry in agreed:
            prices = _with_agreement(prices, entry)
        thresholds = sorted({start for tiers in prices.values() for start, _ in tiers} | {0})
        for threshold, following in zip(thresholds, [*thresholds[1:], None], strict=True):
            yield Rate(
                service_tier,
                is_batch,
                None,
                None,
                start,
                end,
                threshold,
                following,
                "negotiated" if agreed else "genai-prices",
                tuple(_unit_prices(prices, threshold, model)),
            )


def _listed_prices(model: PriceModel, moment: datetime, service_tier: str, is_batch: bool) -> PriceSet:
    if model.listed is None:
        return {}
    context: dict[str, str] = {}
    if model.has_variants:
        context = {} if service_tier == STANDARD else {"service_tier": service_tier, "speed": service_tier}
        context |= {"processing": "batch"} if is_batch else {}
    return _price_set(model.listed.get_prices(moment, context))


def _price_set(price: ModelPrice) -> PriceSet:
    named: Mapping[str, Decimal | TieredPrices | None] = vars(price)
    found: PriceSet = {}
    for key, value in named.items():
        if value is not None:
            unit = registry().unit_for_price_key(key)
            found[unit.usage_key] = tuple((start, usd / unit.per) for start, usd in _tiers(value))
    return found


def _tiers(value: Decimal | TieredPrices) -> Iterator[tuple[int, Decimal]]:
    if isinstance(value, Decimal):
        yield 0, value
        return
    yield 0, value.base
    for tier in value.tiers:
        # The library compares with "more than start tokens"; our intervals hold their start.
        yield tier.start + 1, tier.price


def _with_agreement(prices: PriceSet, entry: NegotiatedPrice) -> PriceSet:
    if entry.discount_percent is not None:
        factor = 1 - entry.discount_percent / 100
        return {key: tuple((start, usd * factor) for start, usd in tiers) for key, tiers in prices.items()}
    return prices | {_agreed_key(unit): ((0, usd),) for unit, usd in entry.unit_prices.items()}


def _agreed_key(unit: str) -> str:
    # The list prices writes of the default life under the general unit, which the hourly ones fall back to.
    return "cache_write_tokens" if unit == "cache_write_5m_input_tokens" else UNITS[unit]


def _unit_prices(prices: PriceSet, threshold: int, model: PriceModel) -> Iterator[UnitPrice]:
    if not prices and model.listed:
        # genai-prices lists what is free with an empty set of prices.
        yield from (UnitPrice(unit, Decimal(0), "free") for unit in BUCKETS)
    for unit in UNITS:
        key = priced_as(unit, frozenset(prices))
        if key:
            usd = next(usd for start, usd in reversed(prices[key]) if start <= threshold)
            yield UnitPrice(unit, usd.quantize(_TWELVE_DECIMALS, ROUND_HALF_EVEN), key)


def _constraints(model: PriceModel) -> list[StartDateConstraint | TimeOfDateConstraint]:
    if model.listed is None:
        return []
    standard = [] if isinstance(model.listed.prices, ModelPrice) else model.listed.prices
    conditional = [*standard, *(model.listed.price_variants or ())]
    return [each.constraint for each in conditional if each.constraint is not None]


def _days(model: PriceModel) -> set[date]:
    listed = {c.start_date for c in _constraints(model) if isinstance(c, StartDateConstraint)}
    return listed | {day for entry in model.agreed for day in (entry.valid_from, entry.valid_to) if day}


def _seconds_of_day(model: PriceModel) -> set[int]:
    times = [c for c in _constraints(model) if isinstance(c, TimeOfDateConstraint)]
    return {0} | {_seconds(moment) for c in times for moment in (c.start_time, c.end_time)}


def _seconds(moment: time) -> int:
    instant = datetime.combine(date(2000, 1, 2), moment, moment.tzinfo or UTC).astimezone(UTC)
    return instant.hour * 3600 + instant.minute * 60 + instant.second
