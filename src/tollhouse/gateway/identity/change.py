"""One change of the store: its version, its moment, and the IDENTITY records that tell of it."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from tollhouse.gateway.database import transaction
from tollhouse.gateway.identity.states import Key
from tollhouse.spool.records import Identity
from tollhouse.spool.times import from_text, to_text

Kind = Literal["created", "updated", "revoked", "rotated", "deleted"]
_STATE = "SELECT principal_type, teams, groups, cost_center, project FROM principal_states WHERE name = ?"
_MICROSECOND = timedelta(microseconds=1)


class Change:
    """What is written between two versions; nothing of it counts before its transaction has ended."""

    def __init__(self, connection: sqlite3.Connection, now: datetime) -> None:
        row = connection.execute("SELECT version, last_valid_from FROM store").fetchone()
        self.version: int = row[0] + 1
        self.now = now
        # A clock that was set back must not give a new state the place of an older one.
        self.valid_from = max(now, from_text(row[1]) + _MICROSECOND)
        self.connection = connection
        self.is_made = False

    def write(self, query: str, *values: Any) -> None:
        """Run one statement that changes something."""
        self.connection.execute(query, values)
        self.is_made = True

    def tell_principal(self, name: str, kind: Kind) -> None:
        """An IDENTITY record with the principal's state, its first team's cost center and project resolved."""
        principal_type, teams, groups, cost_center, project = self.connection.execute(_STATE, (name,)).fetchone()
        moment = to_text(self.valid_from)
        self._tell(
            Identity(
                recorded_at=moment,
                principal=name,
                principal_type=principal_type,
                valid_from=moment,
                change=kind,
                teams=msgspec.json.decode(teams, type=list[str]),
                groups=msgspec.json.decode(groups, type=list[str]),
                cost_center=cost_center,
                project=project,
            )
        )

    def tell_key(self, key: Key, kind: Kind) -> None:
        """An IDENTITY record with what the key itself says; what it leaves out is its principal's."""
        (principal_type, *_) = self.connection.execute(_STATE, (key.principal,)).fetchone()
        moment = to_text(self.valid_from)
        ends = [at for at in (key.expires_at, key.revoked_at) if at is not None]
        self._tell(
            Identity(
                recorded_at=moment,
                principal=key.principal,
                principal_type=principal_type,
                valid_from=moment,
                change=kind,
                teams=[key.team] if key.team else [],
                cost_center=key.cost_center,
                project=key.project,
                key_id=key.key_id,
                key_expires_at=to_text(min(ends)) if ends else None,
            )
        )

    def _tell(self, record: Identity) -> None:
        self.write("INSERT INTO outbox (record) VALUES (?)", msgspec.json.encode(record).decode())

    def end(self) -> None:
        """Count the change, where there was one."""
        if self.is_made:
            self.write("UPDATE store SET version = ?, last_valid_from = ?", self.version, to_text(self.valid_from))


@contextmanager
def changing(connection: sqlite3.Connection, path: Path, now: datetime) -> Generator[Change]:
    """A transaction that raises the version where something is written in it."""
    with transaction(connection, path):
        change = Change(connection, now)
        yield change
        change.end()
