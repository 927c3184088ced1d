"""Providers' errors, whatever shape they have."""

from typing import Any

from tollhouse.gateway.observing.json_text import read, text_or_none
from tollhouse.gateway.observing.observer import ProviderError

_MAX_MESSAGE = 2000
_MAX_FOREIGN_MESSAGE = 500


def error_of_body(body: bytes) -> ProviderError:
    """What a body of an error status says; of one that is not JSON (an HTML page) its first 500 characters."""
    value, _ = read(body)
    error = error_of(value)
    if error is not None:
        return error
    text = body[: 4 * _MAX_FOREIGN_MESSAGE].decode("utf-8", "replace").strip()
    return ProviderError(None, text[:_MAX_FOREIGN_MESSAGE] or None)


def error_of(value: Any) -> ProviderError | None:
    """The error inside a JSON value; None where it has none.

    Read are ``error`` as an object (OpenAI, Anthropic, Gemini) or a string (Ollama), an array of such (Gemini), and
    flat objects with ``message`` or ``detail`` (vLLM, Azure, Databricks).
    """
    if isinstance(value, list):
        return error_of(value[0]) if value else None
    if not isinstance(value, dict):
        return None
    error = value.get("error")
    if isinstance(error, str):
        return ProviderError(_code(value), (text_or_none(value.get("message")) or error)[:_MAX_MESSAGE])
    if isinstance(error, dict):
        return _flat(error) or ProviderError(_code(error), None)
    return _flat(value) if error is None else None


def _flat(value: dict[str, Any]) -> ProviderError | None:
    message = text_or_none(value.get("message")) or text_or_none(value.get("detail"))
    return ProviderError(_code(value), message[:_MAX_MESSAGE]) if message else None


def _code(value: dict[str, Any]) -> str | None:
    """The first of its names that is a word; a number only where there is no word."""
    names = [value.get(key) for key in ("code", "status", "error_code", "type", "statusCode")]
    words = [name for name in names if isinstance(name, str) and name]
    numbers = [str(name) for name in names if isinstance(name, int)]
    return next(iter(words or numbers), None)
