"""The official SDKs. They belong to the development environment, so they are loaded by name and only where present."""

import importlib
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any, NamedTuple

from tollhouse.demo.live_callers import Keys

_MODULES = {"openai": "openai", "anthropic": "anthropic", "google-genai": "google.genai"}
_TIMEOUT_SECONDS = 60.0


def missing_sdks() -> list[str]:
    """Names of the packages that are not installed."""
    return [name for name, module in _MODULES.items() if not _is_there(module)]


def _is_there(module: str) -> bool:
    package, _, _ = module.rpartition(".")
    return (not package or find_spec(package) is not None) and find_spec(module) is not None


def load_sdks() -> None:
    """Imports all of them, which takes seconds."""
    for name in _MODULES:
        _module(name)


class Clients(NamedTuple):
    """One client of each SDK under one key; ``revoked`` is Anthropic's under a key that is no longer one."""

    openai: Any
    anthropic: Any
    gemini: Any
    revoked: Any


def all_clients(stack: ExitStack, url: str, keys: Keys) -> list[Clients]:
    """Clients of the gateway at ``url`` for each of ``keys``, closed with ``stack``.

    Where the SDK can, they share connections: each set of its own costs a TLS context.
    """
    openai, anthropic, genai = (_module(name) for name in _MODULES)
    common: dict[str, Any] = {"api_key": keys.revoked, "max_retries": 0, "timeout": _TIMEOUT_SECONDS}
    one = stack.enter_context(openai.OpenAI(base_url=f"{url}/v1", **common))
    other = stack.enter_context(anthropic.Anthropic(base_url=url, **common))
    return [
        Clients(
            one.with_options(api_key=key),
            other.with_options(api_key=key),
            stack.enter_context(genai.Client(api_key=key, http_options={"base_url": url})),
            revoked=other,
        )
        for key in keys.valid
    ]


def refusals() -> tuple[type[Exception], ...]:
    """What the SDKs raise for an answer that is an error."""
    openai, anthropic, genai = (_module(name) for name in _MODULES)
    return openai.APIStatusError, anthropic.APIStatusError, genai.errors.APIError


def failures() -> tuple[type[Exception], ...]:
    """What the SDKs raise where there is no answer, or none that they understand."""
    openai, anthropic, _ = (_module(name) for name in _MODULES)
    return openai.OpenAIError, anthropic.AnthropicError, _load("httpx").HTTPError


def _module(name: str) -> Any:
    return _load(_MODULES[name])


def _load(module: str) -> Any:
    return importlib.import_module(module)
