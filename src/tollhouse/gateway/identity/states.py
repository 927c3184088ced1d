"""Teams, principals and keys as they stand in the store; times are aware and in UTC."""

from datetime import datetime
from typing import Literal

import msgspec

PrincipalType = Literal["USER", "SERVICE_PRINCIPAL"]
KeyStatus = Literal["active", "rotated", "expired", "revoked"]


class Team(msgspec.Struct, frozen=True):
    """A team and what its members' calls are paid from where their key says nothing."""

    name: str
    cost_center: str | None = None
    project: str | None = None


class Principal(msgspec.Struct, frozen=True):
    """A caller; the first of ``teams`` owns its calls. Cost center and project count where no team says them."""

    name: str
    principal_type: PrincipalType = "USER"
    teams: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    cost_center: str | None = None
    project: str | None = None
    is_deleted: bool = False


class Key(msgspec.Struct, frozen=True):
    """A virtual key without its secret. ``revoked_at`` may lie ahead: a rotated key lives until then."""

    key_id: str
    principal: str
    created_at: datetime
    team: str | None = None
    cost_center: str | None = None
    project: str | None = None
    description: str = ""
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    rotated_from: str | None = None

    def status(self, now: datetime) -> KeyStatus:
        """What the key is worth at ``now``; at the very moment of its end it is worth nothing any more."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "active" if self.revoked_at is None else "rotated"
