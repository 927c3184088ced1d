"""Making, rotating and ending keys."""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from tollhouse.gateway.identity import rows
from tollhouse.gateway.identity.change import Change
from tollhouse.gateway.identity.errors import IdentityError
from tollhouse.gateway.identity.keys import FreshKey, Hasher, make_key
from tollhouse.gateway.identity.names import checked_text, checked_value
from tollhouse.gateway.identity.states import Key
from tollhouse.spool.times import to_text

NO_GRACE = timedelta()
_ADD = """
INSERT INTO keys (key_id, principal, digest, team, cost_center, project, description, created_at, expires_at,
    rotated_from, version)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_END = "UPDATE keys SET revoked_at = ?, version = ? WHERE key_id = ?"


class Wish(NamedTuple):
    """A key that is to be made; what is None is the principal's."""

    principal: str
    team: str | None
    cost_center: str | None
    project: str | None
    expires_at: datetime | None
    description: str


def create(change: Change, hasher: Hasher, wish: Wish, rotated_from: str | None = None) -> FreshKey:
    """Make a key. Raises IdentityError for an unknown principal or team, and for an expiry that has passed."""
    fresh = make_key()
    key = Key(
        key_id=fresh.key_id,
        principal=rows.known_principal(change.connection, wish.principal).name,
        created_at=change.now,
        team=None if wish.team is None else rows.known_team(change.connection, wish.team),
        cost_center=checked_value("cost center", wish.cost_center),
        project=checked_value("project", wish.project),
        description=checked_text("description", wish.description),
        expires_at=_future(wish.expires_at, change.now),
        rotated_from=rotated_from,
    )
    _add(change, key, hasher.digest(fresh.text.encode()))
    change.tell_key(key, "created")
    return fresh._replace(expires_at=key.expires_at)


def rotate(change: Change, hasher: Hasher, key_id: str, grace: timedelta, expires_at: datetime | None) -> FreshKey:
    """Make a key in the place of another, which ends after ``grace``."""
    old = rows.known_key(change.connection, key_id)
    _check_rotatable(old, change.now)
    if grace < NO_GRACE:
        raise IdentityError(f"a grace of {grace.total_seconds():g} s is negative", hint="use 0s or more")
    if expires_at is None and old.expires_at is not None:
        expires_at = _sum(change.now, old.expires_at - old.created_at)
    wish = Wish(old.principal, old.team, old.cost_center, old.project, expires_at, old.description)
    fresh = create(change, hasher, wish, rotated_from=key_id)
    _end(change, old, _sum(change.now, grace))
    change.tell_key(rows.known_key(change.connection, key_id), "rotated")
    return fresh


def revoke(change: Change, key: Key) -> bool:
    """End a key at once; False where it was revoked before."""
    if key.revoked_at is not None and key.revoked_at <= change.now:
        return False
    _end(change, key, change.now)
    change.tell_key(msgspec.structs.replace(key, revoked_at=change.now), "revoked")
    return True


def _check_rotatable(key: Key, now: datetime) -> None:
    status = key.status(now)
    if status == "active":
        return
    ends = key.expires_at if status == "expired" else key.revoked_at
    verb = "is rotated already and ends" if status == "rotated" else f"is {status} since"
    raise IdentityError(
        f"the key {key.key_id} {verb} {to_text(ends or now)}",
        hint=f"make a new one: tollhouse keys create {key.principal}",
    )


def _add(change: Change, key: Key, digest: bytes) -> None:
    change.write(
        _ADD,
        key.key_id,
        key.principal,
        digest,
        key.team,
        key.cost_center,
        key.project,
        key.description,
        to_text(key.created_at),
        None if key.expires_at is None else to_text(key.expires_at),
        key.rotated_from,
        change.version,
    )


def _end(change: Change, key: Key, moment: datetime) -> None:
    change.write(_END, to_text(moment), change.version, key.key_id)


def _future(moment: datetime | None, now: datetime) -> datetime | None:
    if moment is not None and moment <= now:
        raise IdentityError(
            f"an expiry of {to_text(moment)} has passed; it is {to_text(now)}", hint="name a later time, or none"
        )
    return moment


def _sum(moment: datetime, span: timedelta) -> datetime:
    try:
        return moment + span
    except OverflowError:
        raise IdentityError(
            f"{span.days:,} days from now is beyond the year 9999", hint="name a shorter time"
        ) from None
