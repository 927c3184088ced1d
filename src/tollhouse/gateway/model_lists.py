"""The models that a caller may ask for, as each protocol lists them; no provider is asked."""

from typing import Any

import msgspec

from tollhouse.gateway.call import Call
from tollhouse.gateway.refusals import MODEL_NOT_FOUND, RefusalError
from tollhouse.gateway.wires import Wire

_CREATED = 1_700_000_000
_CREATED_TEXT = "2023-11-14T22:13:20Z"
_GEMINI_METHODS = ["generateContent", "streamGenerateContent", "countTokens", "embedContent"]


def model_list(call: Call) -> bytes:
    """The body of a list of models, or of one of them. Raises RefusalError for one that is not there."""
    groups = call.grant.groups if call.grant else ()
    names = call.configuration.visible_models(groups)
    if call.operation == "list_models":
        return msgspec.json.encode(_listed(call.wire, names))
    name = call.subject or ""
    endpoint = call.configuration.endpoint_for(name)
    if endpoint is None or not call.configuration.may_use(groups, endpoint.name, name):
        raise RefusalError(MODEL_NOT_FOUND, f"no endpoint serves the model {name!r}", param="model")
    return msgspec.json.encode(_shown(call.wire, name))


def _listed(wire: Wire, names: list[str]) -> dict[str, Any]:
    models = [_shown(wire, name) for name in names]
    if wire == "gemini":
        return {"models": models}
    if wire == "anthropic_messages":
        ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
        return {"data": models, "has_more": False, **ends}
    return {"object": "list", "data": models}


def _shown(wire: Wire, name: str) -> dict[str, Any]:
    if wire == "gemini":
        return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": _GEMINI_METHODS}
    if wire == "anthropic_messages":
        return {"type": "model", "id": name, "display_name": name, "created_at": _CREATED_TEXT}
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "tollhouse"}
