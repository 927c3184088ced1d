"""The providers' own error bodies, and the error that becomes one."""

from typing import Any

import msgspec

from tollhouse.errors import TollhouseError

_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_GEMINI_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_OPENAI_TYPES = {429: "requests", 401: "invalid_request_error", 403: "permission_error"}
_OPENAI_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded", 404: "not_found", 503: "server_overloaded"}
_MESSAGES = {
    429: "Rate limit reached for the simulated provider. Please try again later.",
    500: "The simulated provider had an error while processing your request.",
    503: "The simulated provider is overloaded.",
    529: "Overloaded",
}
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
_HUGE_BYTES = 1 << 20


class RefusedError(TollhouseError):
    """A request that a provider refuses, with its HTTP status and OpenAI's ``code`` and ``param`` where it has them."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param


def error_body(wire: str | None, error: RefusedError, request_id: str) -> bytes:
    """The error as ``wire``'s provider writes it, OpenAI's way where no provider is known."""
    return msgspec.json.encode(_error_object(wire, error, request_id))


def _error_object(wire: str | None, error: RefusedError, request_id: str) -> dict[str, Any]:
    message, status = str(error), error.status
    if wire == "anthropic_messages":
        kind = _ANTHROPIC_TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}
    if wire == "gemini":
        name = _GEMINI_STATUSES.get(status, "FAILED_PRECONDITION" if status < 500 else "INTERNAL")
        return {"error": {"code": status, "message": message, "status": name}}
    kind = _OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    code = error.code or _OPENAI_CODES.get(status)
    return {"error": {"message": message, "type": kind, "param": error.param, "code": code}}


def asked_error(status: int) -> RefusedError:
    """The error of a ``status=`` behaviour."""
    return RefusedError(status, _MESSAGES.get(status, f"The simulated provider was asked to answer {status}."))


def huge(error: RefusedError) -> RefusedError:
    """The same error with a message of a mebibyte."""
    return RefusedError(error.status, f"{error} {'x' * _HUGE_BYTES}", code=error.code, param=error.param)
