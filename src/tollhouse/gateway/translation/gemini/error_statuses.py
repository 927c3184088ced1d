"""Google's names of errors and the HTTP statuses that go with them."""

from collections.abc import Mapping
from typing import Any, Final

from tollhouse.gateway.translation.answer import Failed
from tollhouse.gateway.translation.provider_json import count, member, text

_NAMES: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def error_object(failed: Failed) -> dict[str, Any]:
    """An error of any provider as Google writes it."""
    name = _NAMES.get(failed.status, "INVALID_ARGUMENT" if 400 <= failed.status < 500 else "UNAVAILABLE")
    return {"error": {"code": failed.status, "message": failed.message, "status": name}}


def read_failure(status: int | None, body: Any) -> Failed | None:
    """The error that a body or an event is; None where it is none. A stream without SSE wraps it in an array."""
    if isinstance(body, list) and body:
        body = body[0]
    error = member(body, "error")
    name, message = text(error, "status"), text(error, "message")
    if not name and not message:
        return None
    code = count(error, "code")
    return Failed(status=status or (code if 400 <= code <= 599 else 500), code=name or None, message=message or name)
