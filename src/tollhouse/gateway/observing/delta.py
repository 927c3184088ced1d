"""Merging deltas by the rule of OpenAI's SDK (``accumulate_delta``).

Strings are joined, numbers added, objects merged, lists of objects with an ``index`` merged by it, other lists
continued. Unlike there, names that are not text are replaced by the last one, since some servers repeat them.
"""

from typing import Any, Final

from tollhouse.gateway.observing.json_text import Json, Pieces, size_of

_REPLACED: Final = frozenset({"index", "type", "id", "role", "format", "status"})
_NOT_MADE: Final = _REPLACED | {"data", "signature", "encrypted_content", "thoughtSignature", "obfuscation"}


def accumulate(held: Json, delta: Json) -> bool:
    """Merge ``delta`` into ``held``; False where a member had another kind of value before and could not be held."""
    is_held = True
    for key, value in delta.items():
        old = held.get(key)
        if key in _REPLACED:
            if value or key not in held:
                held[key] = value
        elif old is None:
            if value is not None or key not in held:
                held[key] = _fresh(value)
        elif value is not None:
            is_held = _merge(held, key, old, value) and is_held
    return is_held


def made_bytes(value: Any) -> int:
    """UTF-8 bytes of all texts in a value that a model made; ids, types and sealed data do not count."""
    if isinstance(value, str):
        return size_of(value)
    if isinstance(value, dict):
        return sum(made_bytes(member) for key, member in value.items() if key not in _NOT_MADE)
    if isinstance(value, list):
        return sum(made_bytes(member) for member in value)
    return 0


def _fresh(value: Any) -> Any:
    if isinstance(value, str):
        return Pieces(value)
    if isinstance(value, dict):
        held: Json = {}
        accumulate(held, value)
        return held
    if isinstance(value, list):
        entries: list[Any] = []
        _continue(entries, value)
        return entries
    return value


def _merge(held: Json, key: str, old: Any, value: Any) -> bool:
    if isinstance(old, Pieces) and isinstance(value, str):
        old.append(value)
    elif isinstance(old, dict) and isinstance(value, dict):
        return accumulate(old, value)
    elif isinstance(old, list) and isinstance(value, list):
        return _continue(old, value)
    elif _is_number(old) and _is_number(value):
        held[key] = old + value
    elif old != value:
        return False
    return True


def _continue(entries: list[Any], delta: list[Any]) -> bool:
    is_held = True
    for entry in delta:
        index = entry.get("index") if isinstance(entry, dict) else None
        old = None if index is None else _with_index(entries, index)
        if old is None:
            entries.append(_fresh(entry))
        else:
            is_held = accumulate(old, entry) and is_held
    return is_held


def _with_index(entries: list[Any], index: Any) -> Json | None:
    return next((entry for entry in entries if isinstance(entry, dict) and entry.get("index") == index), None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
