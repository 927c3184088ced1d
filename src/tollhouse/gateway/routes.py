"""The closed table of what is served: a method and a path, as a protocol's operation."""

import re
from typing import NamedTuple

from tollhouse.gateway.wires import Operation, Wire


class Route(NamedTuple):
    """What a path means. ``api_type`` is the log's name of it; ``answer_wire`` may differ from ``wire`` (Cursor)."""

    wire: Wire
    operation: Operation
    api_type: str
    answer_wire: Wire
    is_stream: bool = False


class Match(NamedTuple):
    """A route and what its path named: the model (Gemini, model lists) or the id of a stored response."""

    route: Route
    subject: str | None


OPENAI = ("", "/ai-gateway/openai")
ANTHROPIC = ("", "/ai-gateway/anthropic")
GEMINI = ("", "/ai-gateway/gemini")
_GEMINI_VERBS: dict[str, tuple[Operation, str, bool]] = {
    "generateContent": ("generate", "gemini/v1/generateContent", False),
    "streamGenerateContent": ("generate", "gemini/v1/generateContent", True),
    "countTokens": ("count_tokens", "gemini/v1/countTokens", False),
    "embedContent": ("embed", "gemini/v1/embedContent", False),
    "batchEmbedContents": ("embed", "gemini/v1/embedContent", False),
}
_GEMINI_MODEL = re.compile(r"(?:/ai-gateway/gemini)?/v1(?:beta|alpha)?/models/([^/:]+(?:/[^/:]+)*):(\w+)")
_STORED = re.compile(r"(?:/ai-gateway/(?:openai|codex))?/v1/responses/([^/]+)(/cancel|/input_items)?")
_MODEL = re.compile(r"(?:/ai-gateway/(?:openai|anthropic|gemini|mlflow|codex|cursor))?/v1(beta|alpha)?/models/(.+)")
_STORED_OPERATIONS: dict[tuple[str, str | None], Operation] = {
    ("GET", None): "get_response",
    ("DELETE", None): "delete_response",
    ("POST", "/cancel"): "cancel_response",
    ("GET", "/input_items"): "list_input_items",
}


def _route(wire: Wire, operation: Operation, api_type: str) -> Route:
    return Route(wire, operation, api_type, wire)


def _fixed() -> dict[tuple[str, str], Route]:
    chat = _route("openai_chat", "generate", "openai/v1/chat/completions")
    responses = _route("openai_responses", "generate", "openai/v1/responses")
    embeddings = _route("openai_embeddings", "embed", "openai/v1/embeddings")
    messages = _route("anthropic_messages", "generate", "anthropic/v1/messages")
    count = _route("anthropic_messages", "count_tokens", "anthropic/v1/messages/count_tokens")
    found: dict[tuple[str, str], Route] = {}
    for prefix in OPENAI:
        found["POST", f"{prefix}/v1/chat/completions"] = chat
        found["POST", f"{prefix}/v1/responses"] = responses
        found["POST", f"{prefix}/v1/embeddings"] = embeddings
        found["GET", f"{prefix}/v1/models"] = _route("openai_chat", "list_models", "openai/v1/models")
    for prefix in ANTHROPIC:
        found["POST", f"{prefix}/v1/messages"] = messages
        found["POST", f"{prefix}/v1/messages/count_tokens"] = count
    for prefix in GEMINI:
        for version in ("v1beta", "v1alpha"):
            found["GET", f"{prefix}/{version}/models"] = _route("gemini", "list_models", "gemini/v1/models")
    found["GET", "/ai-gateway/gemini/v1/models"] = _route("gemini", "list_models", "gemini/v1/models")
    found["GET", "/ai-gateway/anthropic/v1/models"] = _route("anthropic_messages", "list_models", "anthropic/v1/models")
    mlflow = "/ai-gateway/mlflow/v1"
    found["POST", f"{mlflow}/chat/completions"] = chat._replace(api_type="mlflow/v1/chat/completions")
    found["POST", f"{mlflow}/embeddings"] = embeddings._replace(api_type="mlflow/v1/embeddings")
    found["POST", "/ai-gateway/codex/v1/responses"] = responses._replace(api_type="codex/v1/responses")
    found["POST", "/ai-gateway/cursor/v1/chat/completions"] = chat._replace(api_type="cursor/v1/chat/completions")
    for name in ("mlflow", "codex", "cursor"):
        found["GET", f"/ai-gateway/{name}/v1/models"] = _route("openai_chat", "list_models", f"{name}/v1/models")
    return found


FIXED = _fixed()
# Of these paths alone a client's headers say nothing.
_MATCHES = {key: Match(route, None) for key, route in FIXED.items() if route.operation != "list_models"}


def fixed_route(method: str, path: str) -> Match | None:
    """The route of a request that means the same from every client; ``find_route`` knows all others."""
    return _MATCHES.get((method, path))


def find_route(method: str, path: str, *, is_anthropic: bool, is_google: bool) -> Match | None:
    """The route of a request; None for everything that is not in the table.

    ``is_anthropic``: the request has an ``anthropic-version`` header, ``is_google``: one of ``x-goog-api-key``. They
    decide the shape of a list of models, whose path is the same in all protocols.
    """
    route = FIXED.get((method, path))
    if route is not None:
        if route.operation == "list_models" and route.wire == "openai_chat":
            route = _list_for(route, is_anthropic=is_anthropic, is_google=is_google)
        return Match(route, None)
    if method == "POST" and (found := _GEMINI_MODEL.fullmatch(path)):
        return _gemini(found[1], found[2])
    if found := _STORED.fullmatch(path):
        operation = _STORED_OPERATIONS.get((method, found[2]))
        return Match(_route("openai_responses", operation, "openai/v1/responses"), found[1]) if operation else None
    if method == "GET" and (found := _MODEL.fullmatch(path)):
        return _shown_model(path, found[2], is_anthropic=is_anthropic, is_google=bool(found[1]) or is_google)
    return None


def _list_for(route: Route, *, is_anthropic: bool, is_google: bool) -> Route:
    if is_anthropic:
        return _route("anthropic_messages", "list_models", "anthropic/v1/models")
    return _route("gemini", "list_models", "gemini/v1/models") if is_google else route


def _gemini(model: str, verb: str) -> Match | None:
    known = _GEMINI_VERBS.get(verb)
    if known is None:
        return None
    operation, api_type, is_stream = known
    return Match(Route("gemini", operation, api_type, "gemini", is_stream), model)


def _shown_model(path: str, model: str, *, is_anthropic: bool, is_google: bool) -> Match:
    if is_google or path.startswith("/ai-gateway/gemini/"):
        return Match(_route("gemini", "show_model", "gemini/v1/models"), model)
    if is_anthropic or path.startswith("/ai-gateway/anthropic/"):
        return Match(_route("anthropic_messages", "show_model", "anthropic/v1/models"), model)
    return Match(_route("openai_chat", "show_model", "openai/v1/models"), model)


def spoken_wire(path: str, *, is_anthropic: bool, is_google: bool) -> Wire:
    """The protocol whose error shape an unknown path's caller most likely reads."""
    if is_anthropic or "/messages" in path or path.startswith("/ai-gateway/anthropic"):
        return "anthropic_messages"
    if is_google or path.startswith(("/v1beta", "/v1alpha", "/ai-gateway/gemini")):
        return "gemini"
    return "openai_chat"
