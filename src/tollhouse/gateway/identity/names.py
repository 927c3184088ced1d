"""What names of principals, teams, groups, cost centers and projects may look like."""

from collections.abc import Sequence

from tollhouse.gateway.identity.errors import IdentityError

LONGEST_NAME = 256


def checked_name(kind: str, name: str) -> str:
    """``name`` as it is. Raises IdentityError where it is empty, too long, padded or not printable."""
    if name and len(name) <= LONGEST_NAME and name == name.strip() and name.isprintable():
        return name
    raise IdentityError(
        f"the {kind} {name[:LONGEST_NAME]!r} cannot be used",
        hint=f"use 1 to {LONGEST_NAME} printable characters without space at either end",
    )


def checked_names(kind: str, names: Sequence[str]) -> tuple[str, ...]:
    """``names`` as they are. Raises IdentityError for one that is no name or stands twice."""
    for name in names:
        checked_name(kind, name)
        if names.count(name) > 1:
            raise IdentityError(f"the {kind} {name!r} is named twice", hint="name it once")
    return tuple(names)


def checked_value(kind: str, value: str | None) -> str | None:
    """``value`` as it is, None too. Raises IdentityError as ``checked_name`` does."""
    return value if value is None else checked_name(kind, value)


def checked_text(kind: str, text: str) -> str:
    """``text`` as it is, empty too. Raises IdentityError where it is too long or not printable."""
    return text and checked_name(kind, text)
