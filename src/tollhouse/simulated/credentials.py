"""Whether a call carries a credential where its protocol has one."""

from urllib.parse import parse_qsl

from tollhouse.simulated.refusals import RefusedError
from tollhouse.simulated.request import Request
from tollhouse.simulated.routes import Route

_MISSING = {
    "anthropic_messages": "x-api-key header is required",
    "gemini": "API key not valid. Please pass a valid API key.",
}
_WRONG = {"anthropic_messages": "invalid x-api-key", "gemini": "API key not valid. Please pass a valid API key."}


def check_credential(request: Request, route: Route, key: str | None) -> None:
    """Raise the provider's 401 unless the credential is there and, where ``key`` is given, is that one."""
    found = _credential(request, route)
    if not found:
        raise RefusedError(401, _MISSING.get(route.wire, "You didn't provide an API key."), code="missing_api_key")
    if key is not None and found != key:
        raise RefusedError(401, _WRONG.get(route.wire, "Incorrect API key provided."))


def _credential(request: Request, route: Route) -> str | None:
    if route.wire == "gemini":
        found = request.header(b"x-goog-api-key") or dict(parse_qsl(request.query)).get("key")
    elif route.wire == "anthropic_messages":
        found = request.header(b"x-api-key")
    else:
        found = request.header(b"api-key") if route.is_azure else None
    return found or _bearer(request)


def _bearer(request: Request) -> str | None:
    scheme, _, token = (request.header(b"authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
