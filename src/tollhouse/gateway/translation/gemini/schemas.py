"""Google's schemas (OpenAPI's subset, types in capitals) as JSON Schema, which all others want."""

from collections.abc import Mapping
from typing import Any, Final

from tollhouse.gateway.translation.halves import UntranslatableError

_DEEPEST: Final = 64
_NAMES: Final[Mapping[str, str]] = {
    "any_of": "anyOf",
    "max_items": "maxItems",
    "min_items": "minItems",
    "max_length": "maxLength",
    "min_length": "minLength",
    "max_properties": "maxProperties",
    "min_properties": "minProperties",
    "property_ordering": "propertyOrdering",
    "additional_properties": "additionalProperties",
    "defs": "$defs",
    "ref": "$ref",
}
_COUNTS: Final = ("maxItems", "minItems", "maxLength", "minLength", "maxProperties", "minProperties")


def json_schema(schema: Any, place: str, depth: int = 0) -> Any:
    """``schema`` as JSON Schema; ``place`` is its path. Raises UntranslatableError where it is nested too deeply."""
    if depth > _DEEPEST:
        raise UntranslatableError(place, f"is nested more than {_DEEPEST} levels deep")
    if not isinstance(schema, dict):
        return schema
    converted: dict[str, Any] = {}
    for given, value in schema.items():
        name = str(_NAMES.get(given, given))
        match name:
            case "properties" | "$defs" if isinstance(value, dict):
                converted[name] = {key: json_schema(inner, place, depth + 1) for key, inner in value.items()}
            case "anyOf" | "prefixItems" if isinstance(value, list):
                converted[name] = [json_schema(inner, place, depth + 1) for inner in value]
            case "items" | "additionalProperties":
                converted[name] = json_schema(value, place, depth + 1)
            case _:
                converted.update(_keyword(name, value))
    return _nullable(converted) if schema.get("nullable") is True else converted


def _keyword(name: str, value: Any) -> dict[str, Any]:
    match name:
        case "nullable" | "propertyOrdering":
            return {}
        case "type" if isinstance(value, str):
            return {} if value == "TYPE_UNSPECIFIED" else {"type": value.lower()}
        case "format" if value == "enum":
            return {}
        case "example":
            return {"examples": [value]}
        case _ if name in _COUNTS and isinstance(value, str) and value.isdecimal():
            return {name: int(value[:18])}
        case _:
            return {name: value}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    elif isinstance(schema.get("anyOf"), list):
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema
