"""Values that fit a JSON Schema roughly: enough for a caller that validates its tool's arguments."""

from typing import Any

from tollhouse.simulated.chance import mixed

_DEEPEST = 6
_LONGEST = 20
_UNIONS = ("anyOf", "oneOf", "allOf")
_WORDS = ("ledger", "harbour", "invoice", "scheduler", "winter", "contract", "mirror", "queue")
_KNOWN = {
    "city": ("Zürich", "Malmö", "Porto", "Lyon"),
    "location": ("Zürich", "Malmö", "Porto", "Lyon"),
    "country": ("Switzerland", "Sweden", "Portugal", "France"),
    "path": ("src/main.py", "docs/notes.md", "tests/test_all.py"),
    "command": ("ls -la", "git status", "make test"),
    "url": ("https://example.com/a", "https://example.com/b"),
    "email": ("ana@mail.example", "li@mail.example"),
    "date": ("2026-11-23", "2026-12-01"),
}


def example(schema: Any, chance: int) -> Any:
    """A value for ``schema``, the same for the same ``chance``."""
    return _value(schema, schema, chance, "", 0)


def _value(schema: Any, root: Any, chance: int, name: str, depth: int) -> Any:
    schema = _resolved(schema, root)
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return {} if depth == 0 else None
    if "const" in schema:
        return schema["const"]
    if values := _listed(schema, "enum"):
        return values[chance % len(values)]
    branches = next((found for union in _UNIONS if (found := _listed(schema, union))), None)
    if branches is not None:
        return _value(branches[0], root, chance, name, depth + 1)
    return _typed(schema, root, chance, name, depth)


def _typed(schema: dict[str, Any], root: Any, chance: int, name: str, depth: int) -> Any:
    kind = _kind(schema)
    if kind == "object":
        return _object(schema, root, chance, depth)
    if kind == "array":
        count = min(_LONGEST, max(1, int(_number(schema, "minItems", 1))))
        items = schema.get("items", {"type": "string"})
        return [_value(items, root, mixed(chance, index), name, depth + 1) for index in range(count)]
    return _scalar(kind, schema, chance, name)


def _object(schema: dict[str, Any], root: Any, chance: int, depth: int) -> dict[str, Any]:
    given = schema.get("properties")
    properties = given if isinstance(given, dict) else {}
    wanted = _listed(schema, "required") or list(properties)
    return {
        key: _value(properties.get(key, {"type": "string"}), root, mixed(chance, index), key, depth + 1)
        for index, key in enumerate(map(str, wanted))
    }


def _listed(schema: dict[str, Any], name: str) -> list[Any]:
    found = schema.get(name)
    return found if isinstance(found, list) else []


def _number(schema: dict[str, Any], name: str, default: float) -> float:
    found = schema.get(name)
    return found if isinstance(found, (int, float)) else default


def _scalar(kind: str, schema: dict[str, Any], chance: int, name: str) -> Any:
    if kind == "integer":
        return int(_number(schema, "minimum", 1)) + (0 if "maximum" in schema else chance % 9)
    if kind == "number":
        return float(_number(schema, "minimum", 0)) + (0.0 if "maximum" in schema else chance % 90 / 4)
    if kind == "boolean":
        return bool(chance & 1)
    if kind == "null":
        return None
    return _text(name.lower(), chance)


def _text(name: str, chance: int) -> str:
    for part, values in _KNOWN.items():
        if part in name:
            return values[chance % len(values)]
    return f"{_WORDS[chance % len(_WORDS)]} {chance % 97}"


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    return str(kind).lower()


def _resolved(schema: Any, root: Any) -> Any:
    if not isinstance(schema, dict) or not str(schema.get("$ref", "")).startswith("#/"):
        return schema
    found = root
    for step in str(schema["$ref"])[2:].split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found
