"""The lists of models; calls may name any other model too."""

from typing import Any

import msgspec

from tollhouse.simulated.refusals import RefusedError
from tollhouse.simulated.reply import Reply, json_reply

UNKNOWN = "no-such-"
_CREATED = 1_767_225_600
_CREATED_AT = "2026-01-01T00:00:00Z"
_OPENAI = ("gpt-5.5", "gpt-5.5-mini", "o5", "text-embedding-3-small")
_ANTHROPIC = {
    "claude-opus-5": "Claude Opus 5",
    "claude-sonnet-5": "Claude Sonnet 5",
    "claude-haiku-5": "Claude Haiku 5",
}
_GEMINI = ("gemini-3.1-pro", "gemini-3.1-flash", "gemini-embedding-001")
_GEMINI_METHODS = ["generateContent", "streamGenerateContent", "countTokens", "embedContent"]


def list_models(wire: str) -> Reply:
    """All models, in the shape of ``wire``."""
    if wire == "anthropic_messages":
        names = list(_ANTHROPIC)
        edges = {"has_more": False, "first_id": names[0], "last_id": names[-1]}
        return _json({"data": [_shown(wire, name) for name in names], **edges})
    if wire == "gemini":
        return _json({"models": [_shown(wire, name) for name in _GEMINI]})
    return _json({"object": "list", "data": [_shown(wire, name) for name in _OPENAI]})


def show_model(wire: str, name: str) -> Reply:
    """One model. Raises the provider's 404 for a name that begins with ``no-such-``."""
    check_model(wire, name)
    return _json(_shown(wire, name))


def check_model(wire: str, name: str) -> None:
    """Raise the provider's 404 for a name that begins with ``no-such-``."""
    if not name.startswith(UNKNOWN):
        return
    if wire == "anthropic_messages":
        raise RefusedError(404, f"model: {name}")
    if wire == "gemini":
        raise RefusedError(404, f"models/{name} is not found for API version v1beta.")
    message = f"The model `{name}` does not exist or you do not have access to it."
    raise RefusedError(404, message, code="model_not_found", param="model")


def _shown(wire: str, name: str) -> dict[str, Any]:
    if wire == "anthropic_messages":
        return {"type": "model", "id": name, "display_name": _ANTHROPIC.get(name, name), "created_at": _CREATED_AT}
    if wire == "gemini":
        limits = {"inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536}
        head = {"name": f"models/{name}", "version": "001", "displayName": name}
        return head | limits | {"supportedGenerationMethods": _GEMINI_METHODS}
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "simulated"}


def _json(document: dict[str, Any]) -> Reply:
    return json_reply(msgspec.json.encode(document))
