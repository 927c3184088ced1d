"""silver.price_matches: which price a provider and model string mean, by genai-prices' own matcher."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

import pyarrow as pa
from genai_prices.types import Provider

from tollhouse.prices.negotiated import PriceBook
from tollhouse.prices.providers import price_list, provider_and_names, provider_id
from tollhouse.prices.snapshot import listed_spelling, source_version

PAIRS_QUERY = """
SELECT DISTINCT provider, model FROM (
  SELECT
    COALESCE(made.a.provider, '') AS provider,
    explode(array(made.a.destination_model, made.a.response_model)) AS model
  FROM (SELECT explode(attempts) AS a FROM silver.invocations) AS made
  UNION ALL
  SELECT COALESCE(provider, '') AS provider, explode(array(destination_model, response_model)) AS model
  FROM silver.invocations WHERE size(attempts) = 0
) AS named WHERE model IS NOT NULL
"""
"""The (provider, model) pairs that gold.costs looks up, in Databricks' SQL over silver.invocations."""


@dataclass(frozen=True)
class PriceMatch:
    """The price that a provider and model string mean; ``price_model`` is None where none is known.

    ``is_lent``: it is another provider's list price of the same model, whose tiers and batch rates do not hold.
    """

    provider: str
    model: str
    price_provider: str | None = None
    price_model: str | None = None
    is_lent: bool = False
    source: str | None = None


def match_models(pairs: Iterable[tuple[str | None, str]], schema: pa.Schema, book: PriceBook | None = None) -> pa.Table:
    """The rows of silver.price_matches for (provider, model) strings as they stand in logs, each pair once.

    ``schema`` is the contract's. A provider of None or '' is guessed from the model, as genai-prices does; one that it
    does not know has no price, unless the negotiated prices name it.
    """
    book = book or PriceBook()
    distinct = sorted({(provider or "", model) for provider, model in pairs})
    origin = source_version(book)
    rows = [asdict(match_model(provider, model, book)) | {"source_version": origin} for provider, model in distinct]
    return pa.Table.from_pylist(rows, schema=schema)


def match_model(provider: str, model: str, book: PriceBook) -> PriceMatch:
    """What one provider and model string mean.

    A negotiated price that names the model wins, then the list, then a negotiated pattern over unlisted models.
    """
    unknown = PriceMatch(provider, model)
    found, names = provider_and_names(provider, model)
    payee = found.id if found else provider_id(provider)
    for entry in book.entries:
        if entry.provider == payee and not entry.is_pattern and any(map(entry.covers, names)):
            spelling = listed_spelling(payee, entry.model)
            return replace(unknown, price_provider=payee, price_model=spelling, source="negotiated")
    if found and (listed := _listed(found, names)):
        return _listed_match(unknown, found, *listed, book)
    for entry in book.entries:
        if entry.provider == payee and entry.is_pattern and any(map(entry.covers, names)):
            return replace(unknown, price_provider=payee, price_model=entry.model, source="negotiated")
    return unknown


def _listed(provider: Provider, names: tuple[str, ...]) -> tuple[str, str] | None:
    found = (provider.find_model(name, all_providers=price_list().providers) for name in names)
    info = next((model for model in found if model is not None), None)
    if info is None:
        return None
    owners = (provider, *price_list().providers)
    return next((owner.id, info.id) for owner in owners if any(info is model for model in owner.models))


def _listed_match(unknown: PriceMatch, payee: Provider, owner: str, model: str, book: PriceBook) -> PriceMatch:
    if book.entries_for(payee.id, model):
        return replace(unknown, price_provider=payee.id, price_model=model, source="negotiated")
    is_lent = owner != payee.id
    return replace(unknown, price_provider=owner, price_model=model, is_lent=is_lent, source="genai-prices")
