"""Rows of the identity store as the values that stand for them."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from tollhouse.gateway.identity.errors import IdentityError
from tollhouse.gateway.identity.states import Key, Principal, Team
from tollhouse.spool.times import from_text

_TEAMS = "SELECT name, cost_center, project FROM teams"
_PRINCIPALS = "SELECT name, principal_type, teams, groups, cost_center, project, is_deleted FROM principals"
_KEYS = """
SELECT key_id, principal, created_at, team, cost_center, project, description, expires_at, revoked_at, rotated_from
FROM keys
"""
_names = msgspec.json.Decoder(tuple[str, ...])


def teams(connection: sqlite3.Connection) -> list[Team]:
    """All teams by name."""
    return [Team(*row) for row in connection.execute(f"{_TEAMS} ORDER BY name")]


def principals(connection: sqlite3.Connection) -> list[Principal]:
    """All principals by name, deleted ones too."""
    return [_principal(row) for row in connection.execute(f"{_PRINCIPALS} ORDER BY name")]


def keys(connection: sqlite3.Connection, principal: str | None = None) -> Iterator[Key]:
    """All keys, or those of one principal, the oldest first."""
    where, values = ("", ()) if principal is None else ("WHERE principal = ?", (principal,))
    return map(_key, connection.execute(f"{_KEYS} {where} ORDER BY created_at, key_id", values))


def find_team(connection: sqlite3.Connection, name: str) -> Team | None:
    """The team of that name."""
    row = connection.execute(f"{_TEAMS} WHERE name = ?", (name,)).fetchone()
    return Team(*row) if row else None


def find_principal(connection: sqlite3.Connection, name: str) -> Principal | None:
    """The principal of that name, a deleted one too."""
    row = connection.execute(f"{_PRINCIPALS} WHERE name = ?", (name,)).fetchone()
    return _principal(row) if row else None


def known_team(connection: sqlite3.Connection, name: str) -> str:
    """``name`` as it is. Raises IdentityError where no team has it."""
    if find_team(connection, name) is None:
        raise IdentityError(
            f"there is no team {name!r}", hint="`tollhouse keys teams` lists them, `tollhouse keys team NAME` makes one"
        )
    return name


def known_principal(connection: sqlite3.Connection, name: str) -> Principal:
    """The principal of that name. Raises IdentityError where there is none, or none any more."""
    found = find_principal(connection, name)
    if found is None or found.is_deleted:
        raise IdentityError(
            f"there is no principal {name!r}" if found is None else f"the principal {name!r} is deleted",
            hint="`tollhouse keys principals` lists them, `tollhouse keys principal NAME` makes one",
        )
    return found


def known_key(connection: sqlite3.Connection, key_id: str) -> Key:
    """The key of that id. Raises IdentityError where there is none, without repeating what may be a whole key."""
    row = connection.execute(f"{_KEYS} WHERE key_id = ?", (key_id,)).fetchone()
    if row is None:
        shown = repr(key_id) if len(key_id) <= 12 else f"of {len(key_id)} characters"
        raise IdentityError(
            f"there is no key with the id {shown}",
            hint="`tollhouse keys list` shows them: an id is the 12 characters after th_",
        )
    return _key(row)


def _principal(row: tuple[Any, ...]) -> Principal:
    name, principal_type, teams, groups, cost_center, project, is_deleted = row
    known = (_names.decode(teams), _names.decode(groups), cost_center, project, bool(is_deleted))
    return Principal(name, principal_type, *known)


def _key(row: tuple[Any, ...]) -> Key:
    key_id, principal, created_at, team, cost_center, project, description, expires_at, revoked_at, parent = row
    return Key(
        key_id=key_id,
        principal=principal,
        created_at=from_text(created_at),
        team=team,
        cost_center=cost_center,
        project=project,
        description=description,
        expires_at=_moment(expires_at),
        revoked_at=_moment(revoked_at),
        rotated_from=parent,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)
