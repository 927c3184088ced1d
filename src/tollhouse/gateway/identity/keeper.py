"""Keeping a worker's snapshot as new as the store."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tollhouse.errors import TollhouseError
from tollhouse.gateway.identity.keys import Hasher
from tollhouse.gateway.identity.loading import changed_entries, changed_principals, changed_teams
from tollhouse.gateway.identity.snapshot import Entry, Snapshot
from tollhouse.gateway.identity.store import IdentityStore

REFRESH_SECONDS = 0.2
_BUSY_MS = 50


class SnapshotKeeper:
    """Holds the ``current`` snapshot of the store at ``path``, which is made where there is none.

    ``error`` says why the store could not be read the last time; the snapshot of before stays in force. The
    constructor reads all keys at once and raises StorageError and IdentityError as IdentityStore does.
    """

    def __init__(self, path: Path, pepper: bytes) -> None:
        self.error: str | None = None
        self._hasher = Hasher(pepper)
        self.current = self._nothing = Snapshot(self._hasher, {}, {}, {}, -1)
        self._path = path
        self._pepper = pepper
        self._open: _OpenStore | None = None
        self._read(self._opened())

    def refresh(self) -> bool:
        """Take over what is new in the store; returns whether anything was. Never raises for a store that is ill."""
        try:
            is_new = self._read(self._still_open())
        except (OSError, ValueError, sqlite3.Error, msgspec.MsgspecError, TollhouseError) as error:
            self.error = f"the identity store {self._path} cannot be read: {error}"
            self.close()
            return False
        self.error = None
        return is_new

    async def keep(self, interval: float = REFRESH_SECONDS) -> None:
        """Refresh every ``interval`` seconds, in a thread of its own, until cancelled."""
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(1, "tollhouse-identity")
        try:
            while True:
                await loop.run_in_executor(thread, self.refresh)
                await asyncio.sleep(interval)
        finally:
            thread.shutdown(wait=False)

    def close(self) -> None:
        """Leave the store; the snapshot stays."""
        known, self._open = self._open, None
        if known is not None:
            known.store.close()

    def _still_open(self) -> "_OpenStore":
        """The store; opened anew where its file is another one by now."""
        # A store that has gone is not made anew, since that would refuse every key.
        file = _identity(self._path)
        if self._open is not None and self._open.file == file:
            return self._open
        self.close()
        return self._opened()

    def _opened(self) -> "_OpenStore":
        store = IdentityStore(self._path, self._pepper)
        self._open = _OpenStore(store, _identity(self._path))
        store.connection.execute("PRAGMA query_only = ON")
        store.connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        return self._open

    def _read(self, known: "_OpenStore") -> bool:
        connection = known.store.connection
        seen = connection.execute("PRAGMA data_version").fetchone()[0]
        if seen == known.seen:
            return False
        connection.execute("BEGIN")
        try:
            version = known.store.version
            is_whole = known.seen is None or version < self.current.version
            is_new = is_whole or version != self.current.version
            if is_new:
                self._replace(connection, version, is_whole=is_whole)
        finally:
            connection.execute("ROLLBACK")
        known.seen = seen
        return is_new

    def _replace(self, connection: sqlite3.Connection, version: int, *, is_whole: bool) -> None:
        base = self._nothing if is_whole else self.current
        entries, principals, teams, after = dict(base.entries), dict(base.principals), dict(base.teams), base.version
        # 100,000 entries that were freed in one go held up the loop for 20 ms: whoever has the old snapshot lets go of
        # it, and what it held is freed page by page.
        del base
        replaced: list[list[Entry | None]] = []
        for page in changed_entries(connection, after):
            replaced.append([self.current.entries.get(key_id) for key_id in page])
            entries.update(page)
        for page in changed_principals(connection, after):
            principals.update(page)
        for page in changed_teams(connection, after):
            teams.update(page)
        self.current = Snapshot(self._hasher, entries, principals, teams, version)
        while replaced:
            replaced.pop()


@dataclass(slots=True)
class _OpenStore:
    """``file`` tells its inode from another that takes its name; ``seen`` is what SQLite counts foreign commits by."""

    store: IdentityStore
    file: tuple[int, int]
    seen: int | None = None


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
