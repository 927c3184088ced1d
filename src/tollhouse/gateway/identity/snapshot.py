"""What a worker knows of all keys at one moment; every call is authenticated against it, without a query."""

import hmac
from collections.abc import Mapping
from typing import Literal

import msgspec

from tollhouse.gateway.identity.keys import Hasher, key_id_of
from tollhouse.gateway.identity.states import Principal, PrincipalType, Team

KeyFault = Literal["unknown", "expired", "revoked"]
_MOST_VERIFIED = 10_000


class Grant(msgspec.Struct, frozen=True, gc=False):
    """On whose behalf a call is made; ``team`` is the one that owns it, None where nobody does."""

    principal: str
    principal_type: PrincipalType
    key_id: str
    team: str | None = None
    groups: tuple[str, ...] = ()
    cost_center: str | None = None
    project: str | None = None
    auth_mode: str = "virtual_key"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What a key says itself; it ends at ``expires_at`` or ``revoked_at``, in seconds since 1970."""

    key_id: str
    digest: bytes
    expires_at: float
    revoked_at: float
    principal: str
    team: str | None
    cost_center: str | None
    project: str | None


class Snapshot:
    """All keys (by id), principals and teams (by name) as of ``version``; never changed."""

    __slots__ = ("_hasher", "_verified", "entries", "principals", "teams", "version")

    def __init__(
        self,
        hasher: Hasher,
        entries: Mapping[bytes, Entry],
        principals: Mapping[str, Principal],
        teams: Mapping[str, Team],
        version: int,
    ) -> None:
        self._hasher = hasher
        self._verified: dict[bytes, tuple[Entry, Grant]] = {}
        self.entries = entries
        self.principals = principals
        self.teams = teams
        self.version = version

    def authenticate(self, key: bytes | str, now: float) -> Grant | KeyFault:
        """The grant of a whole key at ``now`` (seconds since 1970), else what is wrong with it.

        Only who has the whole secret learns that a key has ended.
        """
        given = key.encode(errors="replace") if isinstance(key, str) else key
        verified = self._verified.get(given) or self._verify(given)
        if verified is None:
            return "unknown"
        entry, grant = verified
        if entry.revoked_at <= now:
            return "revoked"
        if entry.expires_at <= now:
            return "expired"
        return grant

    def _verify(self, key: bytes) -> tuple[Entry, Grant] | None:
        """A key and its grant, once a snapshot: a client sends the same one again and again."""
        key_id = key_id_of(key)
        entry = None if key_id is None else self.entries.get(key_id)
        if entry is None or not hmac.compare_digest(entry.digest, self._hasher.digest(key)):
            return None
        if len(self._verified) >= _MOST_VERIFIED:
            self._verified.clear()
        self._verified[key] = verified = (entry, self._grant(entry))
        return verified

    def _grant(self, entry: Entry) -> Grant:
        """Put together here, so that a team's change does not touch the keys of its members."""
        principal = self.principals[entry.principal]
        name = entry.team or (principal.teams[0] if principal.teams else None)
        team = _NO_TEAM if name is None else self.teams[name]
        return Grant(
            principal.name,
            principal.principal_type,
            entry.key_id,
            name,
            principal.groups,
            entry.cost_center or team.cost_center or principal.cost_center,
            entry.project or team.project or principal.project,
        )


_NO_TEAM = Team("")
