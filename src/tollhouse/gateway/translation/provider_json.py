"""Members of what a provider sent, which may be anything: what is not as expected counts as absent."""

from typing import Any


def member(holder: Any, name: str) -> dict[str, Any]:
    """A member that is an object, {} else."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {}


def members(holder: Any, name: str) -> list[dict[str, Any]]:
    """The objects in a member that is an array."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(holder: Any, name: str) -> str:
    """A member that is a string, "" else."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, str) else ""


def count(holder: Any, name: str) -> int:
    """A member that is a count, 0 else."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else 0
