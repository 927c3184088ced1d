"""Changes of teams and principals."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from tollhouse.gateway.identity import issuing, rows
from tollhouse.gateway.identity.change import Change
from tollhouse.gateway.identity.names import checked_name, checked_names, checked_value
from tollhouse.gateway.identity.states import Principal, PrincipalType, Team

Value = str | UnsetType | None
_PUT_TEAM = """
INSERT INTO teams (name, cost_center, project, version) VALUES (?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET cost_center = excluded.cost_center, project = excluded.project,
    version = excluded.version
"""
_PUT_PRINCIPAL = """
INSERT INTO principals (name, principal_type, teams, first_team, groups, cost_center, project, is_deleted, version)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET principal_type = excluded.principal_type, teams = excluded.teams,
    first_team = excluded.first_team, groups = excluded.groups, cost_center = excluded.cost_center,
    project = excluded.project, is_deleted = excluded.is_deleted, version = excluded.version
"""
_MEMBERS = "SELECT name, cost_center, project FROM principal_states WHERE first_team = ? ORDER BY name"


class PrincipalChange(NamedTuple):
    """What is to be new; UNSET stays as it is."""

    principal_type: PrincipalType | UnsetType
    teams: Sequence[str] | UnsetType
    groups: Sequence[str] | UnsetType
    cost_center: Value
    project: Value


def set_team(change: Change, name: str, cost_center: Value, project: Value) -> None:
    """Make or change a team, and tell of each principal whose calls are paid otherwise from now on."""
    known = rows.find_team(change.connection, checked_name("team", name))
    old = known or Team(name)
    team = Team(name, _value("cost center", cost_center, old.cost_center), _value("project", project, old.project))
    if team == known:
        return
    before = _members(change, name)
    change.write(_PUT_TEAM, team.name, team.cost_center, team.project, change.version)
    after = _members(change, name)
    for principal in (member for member, paid_from in after.items() if before[member] != paid_from):
        change.tell_principal(principal, "updated")


def set_principal(change: Change, name: str, given: PrincipalChange) -> None:
    """Make or change a principal."""
    known = rows.find_principal(change.connection, checked_name("principal", name))
    is_new = known is None or known.is_deleted
    old = Principal(name) if known is None or known.is_deleted else known
    teams = old.teams if given.teams is UNSET else checked_names("team", given.teams)
    for team in teams:
        rows.known_team(change.connection, team)
    principal = Principal(
        name=name,
        principal_type=old.principal_type if given.principal_type is UNSET else given.principal_type,
        teams=teams,
        groups=old.groups if given.groups is UNSET else checked_names("group", given.groups),
        cost_center=_value("cost center", given.cost_center, old.cost_center),
        project=_value("project", given.project, old.project),
    )
    if principal == known:
        return
    _put(change, principal)
    change.tell_principal(name, "created" if is_new else "updated")


def delete_principal(change: Change, name: str) -> int:
    """Delete a principal and revoke its keys; returns how many."""
    known = rows.known_principal(change.connection, name)
    ended = sum(issuing.revoke(change, key) for key in list(rows.keys(change.connection, name)))
    _put(change, Principal(name, known.principal_type, is_deleted=True))
    change.tell_principal(name, "deleted")
    return ended


def _put(change: Change, principal: Principal) -> None:
    change.write(
        _PUT_PRINCIPAL,
        principal.name,
        principal.principal_type,
        _json(principal.teams),
        principal.teams[0] if principal.teams else None,
        _json(principal.groups),
        principal.cost_center,
        principal.project,
        principal.is_deleted,
        change.version,
    )


def _members(change: Change, team: str) -> dict[str, list[str | None]]:
    return {name: paid_from for name, *paid_from in change.connection.execute(_MEMBERS, (team,))}


def _value(kind: str, given: Value, old: str | None) -> str | None:
    return old if given is UNSET else checked_value(kind, given)


def _json(names: Sequence[str]) -> str:
    return msgspec.json.encode(names).decode()
