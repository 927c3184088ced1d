"""From a request to a call that may go to a provider: who asks, for what, and where it goes."""

import time
from typing import NamedTuple

import msgspec

from tollhouse.gateway.call import Call
from tollhouse.gateway.configuration.endpoint import Endpoint, Target
from tollhouse.gateway.identity.credentials import (
    CREDENTIAL_PARAMETERS,
    Found,
    without_parameters,
)
from tollhouse.gateway.identity.snapshot import Grant, KeyFault
from tollhouse.gateway.introduction import introduce
from tollhouse.gateway.redaction import logged_query
from tollhouse.gateway.refusals import (
    CONFLICTING_API_KEYS,
    EXPIRED_API_KEY,
    HEADERS_TOO_LARGE,
    INVALID_API_KEY,
    INVALID_JSON,
    INVALID_REQUEST,
    MODEL_NOT_FOUND,
    NOT_FOUND,
    PERMISSION_DENIED,
    RESPONSE_NOT_FOUND,
    REVOKED_API_KEY,
    UNTRANSLATABLE,
    WEBSOCKET_UNSUPPORTED,
    RefusalError,
    RefusalKind,
)
from tollhouse.gateway.request_body import BodyLimits, Receive, decode_body, receive_body
from tollhouse.gateway.routes import Match, find_route, fixed_route, spoken_wire
from tollhouse.gateway.routing import plan
from tollhouse.gateway.services import Services
from tollhouse.gateway.upstream import wire_for

_FAULTS: dict[KeyFault, tuple[RefusalKind, str]] = {
    "unknown": (INVALID_API_KEY, "the API key is not known here"),
    "expired": (EXPIRED_API_KEY, "the API key has expired"),
    "revoked": (REVOKED_API_KEY, "the API key has been revoked"),
}
_NO_KEY = (
    "no virtual key was sent; put one made by `tollhouse keys create` where the SDK puts its API key "
    "(Authorization: Bearer, x-api-key, x-goog-api-key), or into x-tollhouse-key"
)
_STORED = frozenset({"get_response", "delete_response", "cancel_response", "list_input_items"})
_CURSOR = "/ai-gateway/cursor/"
_LONGEST_REQUEST_ID = 256


class _Shape(msgspec.Struct):
    messages: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    input: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_SHAPES = msgspec.json.Decoder(_Shape)


class Admitted(NamedTuple):
    """Where a call may go: its endpoint and the destinations in the order of trying."""

    endpoint: Endpoint
    targets: list[Target]


def identify(services: Services, call: Call) -> None:
    """Route, client and caller of a request, before its body is read. Raises RefusalError."""
    match = fixed_route(call.method, call.path) or _other_route(call)
    if match is not None:
        _take_route(call, match)
    size = _size_of(call.headers)
    call.introduction, call.content_length = introduce(call.headers, call.query, call.wire, size)
    _take_client(call)
    found, record = call.introduction.found, call.record
    record.query, in_query = logged_query(call.query, found.key)
    record.request_headers = call.introduction.logged
    if call.content_length:
        record.request_headers = {**record.request_headers, "content-length": call.content_length.decode("latin-1")}
    record.redaction_count = in_query + call.introduction.redactions
    if found.parameters is not CREDENTIAL_PARAMETERS:
        call.query = without_parameters(call.query, found.parameters)
    limit = call.configuration.document.limits.header_bytes
    if size > limit:
        raise RefusalError(
            HEADERS_TOO_LARGE, f"the request's headers are {size:,} bytes, more than {limit:,} (limits.header_bytes)"
        )
    call.grant = _authenticated(services, found)
    if match is None:
        raise _no_such_route(call)


def _other_route(call: Call) -> Match | None:
    """The route of a request whose path does not tell all; of one that has none, the protocol of its caller."""
    names = {name for name, _ in call.headers}
    is_anthropic, is_google = b"anthropic-version" in names, b"x-goog-api-key" in names
    match = find_route(call.method, call.path, is_anthropic=is_anthropic, is_google=is_google)
    if match is None:
        call.wire = call.answer_wire = spoken_wire(call.path, is_anthropic=is_anthropic, is_google=is_google)
    return match


def _size_of(headers: list[tuple[bytes, bytes]]) -> int:
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
    return size


def _take_route(call: Call, match: Match) -> None:
    route, call.subject = match
    record = call.record
    call.route, call.operation = route, route.operation
    call.wire, call.answer_wire = route.wire, route.answer_wire
    record.api_type, record.is_stream = route.api_type, route.is_stream
    if call.wire == "gemini":
        record.requested_model = call.subject
        if route.is_stream and b"alt=sse" not in call.query:
            call.style = "json_array"
    elif call.operation == "get_response" and b"stream=true" in call.query:
        record.is_stream = True


def _take_client(call: Call) -> None:
    named, record = call.introduction.named, call.record
    record.user_agent = call.introduction.user_agent
    given = named.get(b"x-request-id") or named.get(b"x-client-request-id")
    if given and len(given) <= _LONGEST_REQUEST_ID:
        record.request_id = given.decode("latin-1")
    forwarded = named.get(b"x-forwarded-for")
    if forwarded and record.ip_address and call.configuration.trusts_proxy(record.ip_address):
        record.ip_address = _client_address(call, forwarded.decode("latin-1"), record.ip_address)


def _client_address(call: Call, forwarded: str, peer: str) -> str:
    """The last address that no trusted proxy has: what stands before it may be anybody's invention."""
    addresses = [part.strip() for part in forwarded.split(",") if part.strip()]
    strangers = [address for address in addresses if not call.configuration.trusts_proxy(address)]
    return strangers[-1] if strangers else (addresses[0] if addresses else peer)


def _authenticated(services: Services, found: Found) -> Grant:
    if found.is_conflict:
        raise RefusalError(
            CONFLICTING_API_KEYS, "two different virtual keys were sent; send one, in one place or the same in all"
        )
    if found.key is None:
        raise RefusalError(INVALID_API_KEY, _NO_KEY)
    grant = services.identity.current.authenticate(found.key, time.time())
    if isinstance(grant, Grant):
        return grant
    raise RefusalError(*_FAULTS[grant])


def _no_such_route(call: Call) -> RefusalError:
    if call.path.endswith("/responses") and call.introduction.named.get(b"upgrade", b"").lower() == b"websocket":
        return RefusalError(
            WEBSOCKET_UNSUPPORTED, "the Responses protocol is not served over WebSocket; use POST and its event stream"
        )
    return RefusalError(NOT_FOUND, f"there is no {call.method} {call.path} here; docs/gateway.md lists the routes")


async def read_request(services: Services, call: Call, receive: Receive) -> None:
    """The body of a request whose caller is known. Raises RefusalError and ClientLeftError."""
    limits = call.configuration.document.limits
    bounds = BodyLimits(limits.request_bytes, limits.request_seconds, limits.decoded_ratio)
    body = await receive_body(receive, bounds, call.announced_bytes)
    encoding = call.introduction.named.get(b"content-encoding")
    call.body = decode_body(body, encoding.decode("latin-1"), bounds) if encoding and body else body
    if call.method != "POST" or call.operation in _STORED:
        return
    call.head = services.heads.read(call.body)
    if not call.body.isascii():
        _check_utf8(call.body)
    if call.wire != "gemini":
        call.record.requested_model = call.head.model
        call.record.is_stream = call.head.is_stream and call.operation == "generate"
    if call.path.startswith(_CURSOR) and _is_responses_shaped(call.body):
        call.wire = "openai_responses"


def _check_utf8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise RefusalError(INVALID_JSON, f"the body is not UTF-8: {error.reason} at byte {error.start}") from error


def _is_responses_shaped(body: bytes) -> bool:
    """Cursor posts bodies of the Responses protocol to its chat path, and reads chat chunks."""
    shape = _SHAPES.decode(body)
    return shape.messages is msgspec.UNSET and shape.input is not msgspec.UNSET


async def destinations(services: Services, call: Call) -> Admitted:
    """Where the call goes. Raises RefusalError where it may not, or nobody serves it."""
    if call.operation in _STORED:
        return await _where_stored(services, call, call.subject or "")
    model = call.record.requested_model
    if not model:
        raise RefusalError(INVALID_REQUEST, "the body names no model", param="model")
    call.endpoint = endpoint = call.configuration.endpoint_for(model)
    grant = call.grant
    if endpoint is None or grant is None:
        raise RefusalError(MODEL_NOT_FOUND, f"no endpoint serves the model {model!r}", param="model")
    if not call.configuration.may_use(grant.groups, endpoint.name, model):
        raise RefusalError(
            PERMISSION_DENIED,
            f"{grant.principal} may not use {model!r} at the endpoint {endpoint.name!r}",
            param="model",
        )
    if call.head.previous_response_id is not None and call.wire == "openai_responses":
        kept = await _where_stored(services, call, call.head.previous_response_id)
        return Admitted(endpoint, kept.targets)
    key = call.marks.session_id or call.head.prompt_cache_key or grant.principal
    targets = [
        target for target in plan(endpoint, key, services.health, services.dice) if wire_for(call, target) is not None
    ]
    if not targets:
        raise RefusalError(
            UNTRANSLATABLE,
            f"no destination of the endpoint {endpoint.name!r} speaks {call.wire}; {call.operation} is not translated",
        )
    return Admitted(endpoint, targets)


async def _where_stored(services: Services, call: Call, response_id: str) -> Admitted:
    """The destination that keeps a response, for its owner; for anybody else there is none."""
    owner = call.grant.principal if call.grant else ""
    stored = await services.stored_responses.owner(response_id, owner)
    if stored is not None:
        for endpoint in call.configuration.endpoints.values():
            for target in (*endpoint.primaries, *endpoint.fallbacks):
                if target.name == stored.destination_name and target.provider.name == stored.provider:
                    call.stored = stored
                    call.endpoint = call.endpoint or endpoint
                    call.record.requested_model = call.record.requested_model or stored.upstream_model
                    return Admitted(endpoint, [target])
    raise RefusalError(RESPONSE_NOT_FOUND, f"there is no stored response {response_id!r}")
