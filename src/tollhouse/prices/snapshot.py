"""silver.prices: genai-prices' bundled list, with the user's negotiated prices laid over it."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pyarrow as pa
from genai_prices.types import ModelInfo, Provider

from tollhouse.prices.negotiated import NegotiatedPrice, PriceBook
from tollhouse.prices.providers import find_provider, price_list
from tollhouse.prices.rates import PriceModel, Rate, rates


def source_version(book: PriceBook | None = None) -> str:
    """What the prices come from: changes whenever they might."""
    listed = f"genai-prices {version('genai-prices')}"
    return f"{listed}, negotiated {book.version}" if book and book.version else listed


def price_table(schema: pa.Schema, book: PriceBook | None = None) -> pa.Table:
    """All rows of silver.prices, in the ``schema`` of its contract: the whole list, negotiated prices winning.

    One row per model, unit and tier while in force. For one provider, model, service tier and batch no two rates
    (rows of one ``price_id``) overlap in days, times of day and input tokens.
    """
    book = book or PriceBook()
    origin = source_version(book)
    rows = [row for model in price_models(book) for rate in rates(model) for row in _rows(model, rate, origin)]
    return pa.Table.from_pylist(rows, schema=schema)


def price_models(book: PriceBook) -> list[PriceModel]:
    """Every name that has a price: the list's models, then those that only the negotiated prices know."""
    models = {
        (provider.id, info.id.lower()): _with_agreements(provider.id, info.id, info, book, has_variants=True)
        for provider in price_list().providers
        for info in provider.models
    }
    for entry in book.entries:
        for model in _agreed_models(entry, book):
            models.setdefault((model.provider, model.model.lower()), model)
    return list(models.values())


def listed_spelling(provider: str, model: str) -> str:
    """``model`` as the provider's list spells it, else as it stands."""
    owner = find_provider(provider)
    ids = [info.id for info in owner.models] if owner else []
    return next((listed for listed in ids if listed.lower() == model.lower()), model)


def _agreed_models(entry: NegotiatedPrice, book: PriceBook) -> Iterator[PriceModel]:
    provider = find_provider(entry.provider)
    if entry.is_pattern:
        for info in _lent_models(provider):
            if entry.covers(info.id):
                yield _with_agreements(entry.provider, info.id, info, book, has_variants=False)
        alike = (other for other in book.entries if (other.provider, other.model) == (entry.provider, entry.model))
        yield PriceModel(entry.provider, entry.model, None, agreed=tuple(alike))
        return
    listed = provider.find_model(entry.model, all_providers=price_list().providers) if provider else None
    is_own = provider is not None and any(listed is model for model in provider.models)
    yield _with_agreements(entry.provider, entry.model, listed, book, has_variants=is_own)


def _with_agreements(
    provider: str, model: str, listed: ModelInfo | None, book: PriceBook, *, has_variants: bool
) -> PriceModel:
    return PriceModel(provider, model, listed, has_variants, book.entries_for(provider, model))


def _lent_models(provider: Provider | None) -> list[ModelInfo]:
    lenders = (provider.fallback_model_providers if provider else None) or []
    return [info for lender in price_list().providers if lender.id in lenders for info in lender.models]


def _rows(model: PriceModel, rate: Rate, origin: str) -> Iterator[dict[str, Any]]:
    shared = {
        "price_id": _price_id(model, rate),
        "price_provider": model.provider,
        "price_model": model.model,
        "service_tier": rate.service_tier,
        "is_batch": rate.is_batch,
        "tier_start_tokens": rate.tier_start_tokens,
        "tier_end_tokens": rate.tier_end_tokens,
        "valid_from": rate.valid_from,
        "valid_to": rate.valid_to,
        "time_of_day_start_s": rate.time_of_day_start_s,
        "time_of_day_end_s": rate.time_of_day_end_s,
        "source": rate.source,
        "source_version": origin,
    }
    for price in rate.prices:
        yield shared | {"unit": price.unit, "usd_per_unit": price.usd_per_unit, "priced_as": price.priced_as}


def _price_id(model: PriceModel, rate: Rate) -> str:
    parts = [f"{model.provider}/{model.model}"]
    parts += [rate.service_tier] if rate.service_tier != "standard" else []
    parts += ["batch"] if rate.is_batch else []
    parts += [f"from {rate.valid_from}"] if rate.valid_from else []
    parts += [f"over {rate.tier_start_tokens - 1} tokens"] if rate.tier_start_tokens else []
    parts += [f"at {rate.time_of_day_start_s // 60} min"] if rate.time_of_day_start_s else []
    return ", ".join(parts)
