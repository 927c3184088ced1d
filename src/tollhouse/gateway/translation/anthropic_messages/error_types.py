"""The error types of Messages and the statuses that go with them."""

from collections.abc import Mapping
from typing import Final

_STATUSES: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_TYPES: Final[Mapping[int, str]] = {
    **{status: name for name, status in _STATUSES.items()},
    503: "overloaded_error",
}


def status_of(error_type: str | None) -> int:
    """The HTTP status of an error that came inside a stream; 500 for a type that is not known."""
    return _STATUSES.get(error_type or "", 500)


def type_of(status: int) -> str:
    """The error type for a status of any provider."""
    return _TYPES.get(status, "invalid_request_error" if 400 <= status < 500 else "api_error")
