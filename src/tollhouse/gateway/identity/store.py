"""The identity store: teams, principals and keys in an embedded SQLite file, which the command line changes.

Each change is one transaction: the new state, a version that rises, and the IDENTITY records for the spool.
"""

import hmac
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from msgspec import UNSET, UnsetType

from tollhouse.errors import StorageError
from tollhouse.gateway.database import open_database, transaction, using
from tollhouse.gateway.identity import directory, issuing, rows
from tollhouse.gateway.identity.change import Change, changing
from tollhouse.gateway.identity.errors import IdentityError
from tollhouse.gateway.identity.keys import FreshKey, Hasher
from tollhouse.gateway.identity.schema import MIGRATIONS
from tollhouse.gateway.identity.states import Key, Principal, PrincipalType, Team
from tollhouse.spool.times import utc_now

_FIRST_ROW = "INSERT INTO store VALUES (1, 0, '1970-01-01T00:00:00.000000Z', ?)"


class Letter(NamedTuple):
    """An IDENTITY record that waits for the spool, encoded."""

    number: int
    record: bytes


class IdentityStore:
    """An open store; ``clock`` gives aware times.

    Raises StorageError for a file that cannot be used and IdentityError where it was made under another pepper.
    """

    def __init__(self, path: Path, pepper: bytes, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.path = path
        self._now = clock
        self._hasher = Hasher(pepper)
        self.connection = open_database(path, MIGRATIONS)
        try:
            with using(path):
                self._check_pepper()
        except (IdentityError, StorageError):
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the store."""
        self.connection.close()

    @property
    def version(self) -> int:
        """How many changes there have been."""
        with using(self.path):
            return self.connection.execute("SELECT version FROM store").fetchone()[0]

    def teams(self) -> list[Team]:
        """All teams by name."""
        with using(self.path):
            return rows.teams(self.connection)

    def principals(self) -> list[Principal]:
        """All principals by name, deleted ones too."""
        with using(self.path):
            return rows.principals(self.connection)

    def keys(self, principal: str | None = None) -> list[Key]:
        """All keys, or those of ``principal``, the oldest first. Raises IdentityError where nobody has that name."""
        with using(self.path):
            if principal is not None and rows.find_principal(self.connection, principal) is None:
                rows.known_principal(self.connection, principal)
            return list(rows.keys(self.connection, principal))

    def set_team(
        self, name: str, *, cost_center: str | UnsetType | None = UNSET, project: str | UnsetType | None = UNSET
    ) -> bool:
        """Make a team or change what is given; returns whether anything is new."""
        with self._changing() as change:
            directory.set_team(change, name, cost_center, project)
        return change.is_made

    def set_principal(
        self,
        name: str,
        *,
        principal_type: PrincipalType | UnsetType = UNSET,
        teams: Sequence[str] | UnsetType = UNSET,
        groups: Sequence[str] | UnsetType = UNSET,
        cost_center: str | UnsetType | None = UNSET,
        project: str | UnsetType | None = UNSET,
    ) -> bool:
        """Make a principal or change what is given; returns whether anything is new.

        One that was deleted begins anew, without keys. Raises IdentityError for an unknown team.
        """
        given = directory.PrincipalChange(principal_type, teams, groups, cost_center, project)
        with self._changing() as change:
            directory.set_principal(change, name, given)
        return change.is_made

    def delete_principal(self, name: str) -> int:
        """Delete a principal and revoke its keys; returns how many. Raises IdentityError where there is none."""
        with self._changing() as change:
            return directory.delete_principal(change, name)

    def create_key(
        self,
        principal: str,
        *,
        team: str | None = None,
        cost_center: str | None = None,
        project: str | None = None,
        expires_at: datetime | None = None,
        description: str = "",
    ) -> FreshKey:
        """Make a key, whose text cannot be had again.

        Raises IdentityError for an unknown principal or team, and for an expiry that has passed.
        """
        wish = issuing.Wish(principal, team, cost_center, project, expires_at, description)
        with self._changing() as change:
            return issuing.create(change, self._hasher, wish)

    def rotate_key(
        self, key_id: str, *, grace: timedelta = issuing.NO_GRACE, expires_at: datetime | None = None
    ) -> FreshKey:
        """Make a key for the same grants; the old one ends after ``grace``.

        Without ``expires_at`` it lives as long as the old one was made for. Raises IdentityError for a key that is
        unknown, expired, revoked or rotated already.
        """
        with self._changing() as change:
            return issuing.rotate(change, self._hasher, key_id, grace, expires_at)

    def revoke_key(self, key_id: str) -> bool:
        """End a key at once; False where it was revoked before. Raises IdentityError where there is none."""
        with self._changing() as change:
            issuing.revoke(change, rows.known_key(self.connection, key_id))
        return change.is_made

    def waiting(self) -> list[Letter]:
        """The records that have not been delivered to the spool, in the order of their changes."""
        with using(self.path):
            found = self.connection.execute("SELECT id, record FROM outbox ORDER BY id")
            return [Letter(number, record.encode()) for number, record in found]

    def forget_delivered(self, letters: Sequence[Letter]) -> None:
        """These records are in the spool."""
        with transaction(self.connection, self.path):
            self.connection.executemany("DELETE FROM outbox WHERE id = ?", [(letter.number,) for letter in letters])

    def _changing(self) -> AbstractContextManager[Change]:
        return changing(self.connection, self.path, self._now())

    def _check_pepper(self) -> None:
        query, own = "SELECT pepper_check FROM store", self._hasher.check_value()
        if self.connection.execute(query).fetchone() is None:
            with transaction(self.connection, self.path):
                if self.connection.execute(query).fetchone() is None:
                    self.connection.execute(_FIRST_ROW, (own,))
        if not hmac.compare_digest(own, self.connection.execute(query).fetchone()[0]):
            raise IdentityError(
                f"the keys in {self.path} were made under another pepper",
                hint=f"restore the pepper of that time, or move {self.path.name} away and make all keys anew",
            )
