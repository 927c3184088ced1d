"""What the gateway itself answers when it cannot pass an answer on: one kind a case, in each protocol's own shape."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from tollhouse.errors import TollhouseError
from tollhouse.gateway.wires import StreamStyle, Wire
from tollhouse.spool.records import Outcome

_encode = msgspec.json.encode


class RefusalKind(NamedTuple):
    """A case: its code in the log and in OpenAI's shape, the HTTP status, and the other protocols' words for it."""

    code: str
    status: int
    openai_type: str
    anthropic_type: str
    google_status: str
    outcome: Outcome = "rejected"


def _bad_request(code: str, status: int = 400) -> RefusalKind:
    return RefusalKind(code, status, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT")


def _bad_key(code: str) -> RefusalKind:
    return RefusalKind(code, 401, "invalid_request_error", "authentication_error", "UNAUTHENTICATED")


def _bad_upstream(code: str, status: int) -> RefusalKind:
    anthropic, google = ("timeout_error", "DEADLINE_EXCEEDED") if status == 504 else ("api_error", "UNAVAILABLE")
    return RefusalKind(code, status, "server_error", anthropic, google, "failed")


INVALID_API_KEY = _bad_key("invalid_api_key")
EXPIRED_API_KEY = _bad_key("expired_api_key")
REVOKED_API_KEY = _bad_key("revoked_api_key")
CONFLICTING_API_KEYS = _bad_key("conflicting_api_keys")
PERMISSION_DENIED = RefusalKind(
    "permission_denied", 403, "invalid_request_error", "permission_error", "PERMISSION_DENIED"
)
MODEL_NOT_FOUND = RefusalKind("model_not_found", 404, "invalid_request_error", "not_found_error", "NOT_FOUND")
NOT_FOUND = RefusalKind("not_found", 404, "invalid_request_error", "not_found_error", "NOT_FOUND")
RESPONSE_NOT_FOUND = RefusalKind("response_not_found", 404, "invalid_request_error", "not_found_error", "NOT_FOUND")
INVALID_JSON = _bad_request("invalid_json")
INVALID_REQUEST = _bad_request("invalid_request")
REPEATED_KEY = _bad_request("repeated_key")
UNTRANSLATABLE = _bad_request("untranslatable")
UNSUPPORTED_ENCODING = _bad_request("unsupported_encoding", 415)
WEBSOCKET_UNSUPPORTED = _bad_request("websocket_unsupported", 426)
REQUEST_TOO_LARGE = RefusalKind(
    "request_too_large", 413, "invalid_request_error", "request_too_large", "INVALID_ARGUMENT"
)
HEADERS_TOO_LARGE = _bad_request("headers_too_large", 431)
REQUEST_TIMEOUT = RefusalKind("request_timeout", 408, "invalid_request_error", "timeout_error", "DEADLINE_EXCEEDED")
SPOOL_UNAVAILABLE = RefusalKind("spool_unavailable", 503, "server_error", "overloaded_error", "UNAVAILABLE")
SHUTTING_DOWN = RefusalKind("shutting_down", 503, "server_error", "overloaded_error", "UNAVAILABLE", "failed")
INTERNAL_ERROR = RefusalKind("internal_error", 500, "server_error", "api_error", "INTERNAL", "failed")
UPSTREAM_UNREACHABLE = _bad_upstream("upstream_unreachable", 502)
UPSTREAM_INVALID = _bad_upstream("upstream_invalid", 502)
UPSTREAM_CUT = _bad_upstream("upstream_cut", 502)
UPSTREAM_TIMEOUT = _bad_upstream("upstream_timeout", 504)

KINDS: Mapping[str, RefusalKind] = {
    kind.code: kind for kind in list(globals().values()) if isinstance(kind, RefusalKind)
}


_BY_STATUS: Mapping[int, tuple[str, str, str]] = {
    400: ("invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"),
    401: ("invalid_request_error", "authentication_error", "UNAUTHENTICATED"),
    403: ("invalid_request_error", "permission_error", "PERMISSION_DENIED"),
    404: ("invalid_request_error", "not_found_error", "NOT_FOUND"),
    413: ("invalid_request_error", "request_too_large", "INVALID_ARGUMENT"),
    429: ("rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED"),
    503: ("server_error", "overloaded_error", "UNAVAILABLE"),
    504: ("server_error", "timeout_error", "DEADLINE_EXCEEDED"),
    529: ("server_error", "overloaded_error", "UNAVAILABLE"),
}


def provider_failure(status: int, code: str | None) -> RefusalKind:
    """A provider's error in every protocol's words; a status below 400 is none and counts as 502."""
    status = status if status >= 400 else 502
    words = _BY_STATUS.get(status) or (_BY_STATUS[400] if status < 500 else ("server_error", "api_error", "INTERNAL"))
    return RefusalKind(code or f"upstream_{status}", status, *words, "failed")


class RefusalError(TollhouseError):
    """The end of a call by the gateway's own word; ``detail`` is a member of OpenAI's ``param``."""

    def __init__(
        self,
        kind: RefusalKind,
        message: str,
        *,
        param: str | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.param = param
        self.headers = headers


def error_body(wire: Wire, kind: RefusalKind, message: str, *, param: str | None, request_id: str) -> bytes:
    """The whole body of an error in the shape of ``wire``, JSON."""
    return _encode(_error(wire, kind, message, param=param, request_id=request_id))


def _error(wire: Wire, kind: RefusalKind, message: str, *, param: str | None, request_id: str) -> dict[str, Any]:
    if wire == "anthropic_messages":
        error = {"type": kind.anthropic_type, "message": message}
        return {"type": "error", "error": error, "request_id": request_id}
    if wire == "gemini":
        return {"error": {"code": kind.status, "message": message, "status": kind.google_status}}
    return {"error": {"message": message, "type": kind.openai_type, "param": param, "code": kind.code}}


def error_event(
    wire: Wire, style: StreamStyle, kind: RefusalKind, message: str, *, sequence: int, request_id: str
) -> bytes:
    """The protocol's own error inside a stream whose head has gone out; ``sequence`` counts the events before it."""
    if wire == "openai_responses":
        said = {"type": "error", "code": kind.code, "message": message, "param": None, "sequence_number": sequence}
        return b"event: error\ndata: %b\n\n" % _encode(said)
    body = error_body(wire, kind, message, param=None, request_id=request_id)
    if wire == "anthropic_messages":
        return b"event: error\ndata: %b\n\n" % body
    if wire == "gemini" and style == "json_array":
        return (b",\r\n%b]" if sequence else b"[%b]") % body
    return b"data: %b\n\n" % body
