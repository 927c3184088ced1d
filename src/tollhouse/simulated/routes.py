"""The closed table of what the simulated providers answer."""

import re
from functools import lru_cache

import msgspec

_CHAT, _RESPONSES, _EMBEDDINGS = "openai_chat", "openai_responses", "openai_embeddings"
_ANTHROPIC, _GEMINI = "anthropic_messages", "gemini"


class Route(msgspec.Struct, frozen=True):
    """``model`` where the path names one; ``response_id`` of a stored response."""

    wire: str
    operation: str
    model: str | None = None
    response_id: str | None = None
    is_azure: bool = False


_FIXED = {
    ("POST", "/v1/chat/completions"): Route(_CHAT, "generate"),
    ("POST", "/v1/responses"): Route(_RESPONSES, "generate"),
    ("POST", "/v1/embeddings"): Route(_EMBEDDINGS, "embed"),
    ("GET", "/v1/models"): Route(_CHAT, "list_models"),
    ("POST", "/v1/messages"): Route(_ANTHROPIC, "generate"),
    ("POST", "/v1/messages/count_tokens"): Route(_ANTHROPIC, "count_tokens"),
    ("GET", "/v1beta/models"): Route(_GEMINI, "list_models"),
}
_STORED = re.compile(r"/v1/responses/(?P<id>[^/]+)(?P<rest>/cancel|/input_items)?")
_MODEL = re.compile(r"/v1/models/(?P<model>[^:]+)")
_GEMINI_MODEL = re.compile(r"/v1(?:beta|alpha)?/models/(?P<model>[^:]+)(?::(?P<verb>\w+))?")
_DEPLOYMENT = re.compile(r"/openai/deployments/(?P<model>[^/]+)/(?P<verb>chat/completions|embeddings)")
_STORED_OPERATIONS = {
    ("GET", None): "get_response",
    ("DELETE", None): "delete_response",
    ("POST", "/cancel"): "cancel_response",
    ("GET", "/input_items"): "list_input_items",
}
_GEMINI_VERBS = {
    "generateContent": "generate",
    "streamGenerateContent": "generate_stream",
    "countTokens": "count_tokens",
    "embedContent": "embed",
    "batchEmbedContents": "embed_batch",
}
_DEPLOYED = {"chat/completions": (_CHAT, "generate"), "embeddings": (_EMBEDDINGS, "embed")}


@lru_cache(maxsize=4096)
def route_of(method: str, path: str) -> Route | None:
    """The route of a request, or None where no provider has it."""
    if path.startswith("/openai/"):
        return _azure(method, path)
    fixed = _FIXED.get((method, path))
    return fixed or _stored(method, path) or _openai_model(method, path) or _gemini(method, path)


def _azure(method: str, path: str) -> Route | None:
    if found := _DEPLOYMENT.fullmatch(path):
        wire, operation = _DEPLOYED[found["verb"]]
        return Route(wire, operation, model=found["model"], is_azure=True) if method == "POST" else None
    below = path.removeprefix("/openai")
    route = route_of(method, below if below.startswith("/v1/") else f"/v1{below}")
    return msgspec.structs.replace(route, is_azure=True) if route and route.wire.startswith("openai_") else None


def _stored(method: str, path: str) -> Route | None:
    found = _STORED.fullmatch(path)
    operation = _STORED_OPERATIONS.get((method, found["rest"])) if found else None
    return Route(_RESPONSES, operation, response_id=found["id"]) if found and operation else None


def _openai_model(method: str, path: str) -> Route | None:
    found = _MODEL.fullmatch(path) if method == "GET" else None
    return Route(_CHAT, "show_model", model=found["model"]) if found else None


def _gemini(method: str, path: str) -> Route | None:
    found = _GEMINI_MODEL.fullmatch(path)
    if found is None:
        return None
    if found["verb"] is None:
        return Route(_GEMINI, "show_model", model=found["model"]) if method == "GET" else None
    operation = _GEMINI_VERBS.get(found["verb"]) if method == "POST" else None
    return Route(_GEMINI, operation, model=found["model"]) if operation else None
