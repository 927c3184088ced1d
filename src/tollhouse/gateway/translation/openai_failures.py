"""OpenAI's errors: an error body, an error inside a stream, and the words for an error of another family."""

from collections.abc import Mapping
from typing import Any, Final, TypeGuard

from tollhouse.gateway.translation.answer import Failed
from tollhouse.gateway.translation.json_text import decode
from tollhouse.gateway.translation.provider_failures import unreadable_error

INCOMPLETE: Final = Failed(
    status=502, code="upstream_incomplete", message="The provider's answer ended before it was whole."
)
_STATUSES: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "server_error": 500,
    "server_is_overloaded": 503,
    "overloaded_error": 503,
}


def read_error(status: int, body: bytes) -> Failed:
    """An error body; a body without OpenAI's error object is told as it is."""
    document = decode(body)
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(document, dict) and document.get("object") == "error":
        error = document  # vLLM's older shape
    return unreadable_error(status, body) if error is None else read_error_object(error, status)


def read_error_object(error: Any, status: int | None = None) -> Failed:
    """The object (or text) under ``error``; without a status one is guessed from its code and type."""
    if not isinstance(error, dict):
        return Failed(status=status or 502, message=str(error)[:2000])
    words = [word for word in (error.get("code"), error.get("type")) if isinstance(word, str) and word]
    numbers = [number for number in (error.get("code"), error.get("status")) if _is_error_status(number)]
    guesses = [*numbers, *(_STATUSES[word] for word in words if word in _STATUSES)]
    message = error.get("message")
    return Failed(
        status=status or (guesses[0] if guesses else 502),
        code=words[0] if words else None,
        message=message if isinstance(message, str) and message else "The provider gave no message.",
    )


def _is_error_status(number: object) -> TypeGuard[int]:
    return isinstance(number, int) and 400 <= number <= 599


def error_object(failed: Failed) -> dict[str, Any]:
    """An error as OpenAI writes it."""
    return {"message": failed.message, "type": _error_type(failed.status), "param": None, "code": failed.code}


def _error_type(status: int) -> str:
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"
