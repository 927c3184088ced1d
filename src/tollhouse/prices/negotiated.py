"""The user's own prices: a YAML file, effective-dated, that wins over the list.

A price is read as text and becomes a Decimal, so none passes through a binary float.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from itertools import combinations
from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from tollhouse.errors import SettingsError
from tollhouse.prices.providers import provider_id
from tollhouse.prices.units import BUCKETS, UNITS

_LARGEST_USD_PER_UNIT = Decimal(10_000)
_HINT = "docs/prices.md shows an entry of every kind"


class NegotiatedPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One entry of the file: prices of a model, or a discount off its list prices, from a day until before another.

    ``provider`` is one of genai-prices, any of its aliases, or a name that it does not know; ``model`` is a name, or a
    pattern with ``*``, ``?`` or ``[…]``. Prices without ``service_tier`` and ``is_batch`` are those of standard calls;
    a discount without them is one of all calls. Days are UTC; ``valid_to`` is the first day on which the entry no
    longer holds.
    """

    provider: Annotated[str, msgspec.Meta(min_length=1)]
    model: Annotated[str, msgspec.Meta(min_length=1)]
    valid_from: date | None = None
    valid_to: date | None = None
    service_tier: str | None = None
    is_batch: bool | None = None
    usd_per_million_tokens: dict[str, Decimal] = {}
    usd_per_unit: dict[str, Decimal] = {}
    discount_percent: Decimal | None = None

    @property
    def is_pattern(self) -> bool:
        return any(character in self.model for character in "*?[")

    @property
    def unit_prices(self) -> dict[str, Decimal]:
        """USD per unit, by our unit."""
        per_token = {unit: price / 1_000_000 for unit, price in self.usd_per_million_tokens.items()}
        return per_token | self.usd_per_unit

    def covers(self, model: str) -> bool:
        """Whether the entry is about ``model``, whatever its case."""
        name = self.model.lower()
        return fnmatchcase(model.lower(), name) if self.is_pattern else name == model.lower()

    def is_active(self, day: date, service_tier: str, is_batch: bool) -> bool:
        """Whether the entry holds on ``day`` for calls of that tier."""
        if (self.valid_from and day < self.valid_from) or (self.valid_to and day >= self.valid_to):
            return False
        if self.discount_percent is not None:
            return self.service_tier in {None, service_tier} and self.is_batch in {None, is_batch}
        return (self.service_tier or "standard") == service_tier and bool(self.is_batch) == is_batch


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prices: list[NegotiatedPrice] = []


@dataclass(frozen=True)
class PriceBook:
    """All entries of a file, in order; ``version`` is a hash of its text, '' where there is no file."""

    entries: tuple[NegotiatedPrice, ...] = ()
    version: str = ""

    def entries_for(self, provider: str, model: str) -> tuple[NegotiatedPrice, ...]:
        """The entries about a model, patterns first, so that one that names the model wins."""
        found = [e for e in self.entries if e.provider == provider and e.covers(model)]
        return tuple(sorted(found, key=lambda entry: not entry.is_pattern))


class _TextLoader(yaml.SafeLoader):
    """Scalars that look like floats stay text: 2.50 must not become a binary float on its way to a Decimal."""


_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:float"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_price_book(file: Path | None) -> PriceBook:
    """The entries of a price file, ``PriceBook()`` for None.

    Raises SettingsError naming the file, the entry, what is wrong with it and what is allowed.
    """
    if file is None:
        return PriceBook()
    text = _read(file)
    try:
        document = _TextLoader(text).get_single_data()
        entries = msgspec.convert(document or {}, _Document, strict=False).prices
    except yaml.YAMLError as error:
        raise SettingsError(f"{file} is not YAML: {error}", hint=_HINT) from error
    except msgspec.ValidationError as error:
        raise SettingsError(f"{file}: {error}", hint=_HINT) from error
    for number, entry in enumerate(entries, 1):
        _check(f"{file}: entry {number} ({entry.provider} / {entry.model})", entry)
    _check_overlaps(file, entries)
    known = tuple(msgspec.structs.replace(entry, provider=provider_id(entry.provider)) for entry in entries)
    return PriceBook(known, hashlib.sha256(text.encode()).hexdigest()[:12])


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"the negotiated prices at {file} cannot be read: {error}"
        raise SettingsError(
            message, hint="'prices:' in the settings names the file; leave it out for list prices"
        ) from error


def _check(place: str, entry: NegotiatedPrice) -> None:
    if (entry.discount_percent is None) == (not entry.unit_prices):
        message = f"{place} must have either prices (usd_per_million_tokens, usd_per_unit) or discount_percent"
        raise SettingsError(message, hint=_HINT)
    if entry.valid_from and entry.valid_to and entry.valid_to <= entry.valid_from:
        raise SettingsError(f"{place}: valid_to {entry.valid_to} must be after valid_from {entry.valid_from}")
    if entry.discount_percent is not None and not 0 <= entry.discount_percent <= 100:
        raise SettingsError(f"{place}: discount_percent is {entry.discount_percent}; allowed are 0 to 100")
    _check_units(place, entry)
    for unit, price in entry.unit_prices.items():
        if not 0 <= price < _LARGEST_USD_PER_UNIT:
            raise SettingsError(f"{place}: {unit} costs {price} USD a unit; allowed are 0 to below 10,000")


def _check_units(place: str, entry: NegotiatedPrice) -> None:
    allowed: Mapping[str, Mapping[str, str]] = {
        "usd_per_million_tokens": {
            unit: key for unit, key in UNITS.items() if unit in BUCKETS or unit.endswith("_tokens")
        },
        "usd_per_unit": UNITS,
    }
    for name, units in allowed.items():
        given: dict[str, Decimal] = getattr(entry, name)
        for unit in given:
            if unit not in units:
                raise SettingsError(f"{place}: {name} names {unit!r}; allowed are {', '.join(units)}")


def _check_overlaps(file: Path, entries: list[NegotiatedPrice]) -> None:
    for (first, one), (second, other) in combinations(enumerate(entries, 1), 2):
        if _subject(one) == _subject(other) and _overlap(one, other):
            message = (
                f"{file}: entries {first} and {second} both price {one.provider} / {one.model} "
                f"from {max(one.valid_from or date.min, other.valid_from or date.min)}"
            )
            raise SettingsError(message, hint="end the earlier one with valid_to on the day the later one begins")


def _subject(entry: NegotiatedPrice) -> tuple[str, str, str | None, bool | None, bool]:
    is_discount = entry.discount_percent is not None
    return entry.provider.lower(), entry.model.lower(), entry.service_tier, entry.is_batch, is_discount


def _overlap(one: NegotiatedPrice, other: NegotiatedPrice) -> bool:
    starts = max(one.valid_from or date.min, other.valid_from or date.min)
    return starts < min(one.valid_to or date.max, other.valid_to or date.max)
