"""Who is meant by a provider's name, as gateways write it."""

from functools import cache

from genai_prices import data
from genai_prices.data_snapshot import DataSnapshot, find_provider_by_id
from genai_prices.types import Provider

# LiteLLM's names that genai-prices does not know, or takes for the maker of the model instead of who serves it.
_ALIASES = {
    "azure_ai": "azure",
    "azure_openai": "azure",
    "azure_text": "azure",
    "codestral": "mistral",
    "fireworks_ai": "fireworks",
    "text-completion-codestral": "mistral",
    "vertex_ai-anthropic_models": "google",
}
_ROUTERS = {"", "litellm", "litellm_proxy"}


@cache
def price_list() -> DataSnapshot:
    """The list that is bundled with the installed genai-prices, whatever a program has put in its place."""
    return DataSnapshot(providers=data.providers, from_auto_update=False)


@cache
def find_provider(name: str) -> Provider | None:
    """genai-prices' provider of that name, None where it knows none."""
    plain = name.strip().lower()
    return find_provider_by_id(price_list().providers, _ALIASES.get(plain, plain)) if plain else None


def provider_id(name: str) -> str:
    """genai-prices' id of a provider, else the name itself in lower case."""
    provider = find_provider(name)
    return provider.id if provider else name.strip().lower()


def provider_and_names(provider: str, model: str) -> tuple[Provider | None, tuple[str, ...]]:
    """Who serves a call, and the names that its model may be listed under, out of the two strings of a log.

    LiteLLM writes ``azure/gpt-4o`` where the provider is azure, or where it is not named at all; some lists have the
    prefix too.
    """
    prefix, _, rest = model.partition("/")
    if provider.strip().lower() not in _ROUTERS:
        found = find_provider(provider)
        is_repeated = bool(rest) and found is not None and find_provider(prefix) is found
        return found, (model, rest) if is_repeated else (model,)
    if rest and (named := find_provider(prefix)):
        return named, (rest, model)
    makers = (p for p in price_list().providers if p.model_match and p.model_match.is_match(model))
    return next(makers, None), (model,)
