"""Embedded SQLite files that several processes share: private, in write-ahead mode, migrated when they are opened."""

import os
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tollhouse.errors import StorageError
from tollhouse.spool.slot import locked

BUSY_SECONDS = 5.0


def open_database(path: Path, migrations: Sequence[str], *, is_power_safe: bool = True) -> sqlite3.Connection:
    """A connection to ``path``, which is made (mode 0600) where it is not there, in autocommit mode.

    A database of version n has had the first n ``migrations``. A commit survives a SIGKILL, and power loss too where
    ``is_power_safe``. Raises StorageError for a folder, file or version that cannot be used.
    """
    try:
        _make(path)
    except OSError as error:
        raise StorageError(f"cannot make {path}: {error}", hint="set `state:` to a folder you own") from error
    with using(path):
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        with using(path):
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA synchronous = {'FULL' if is_power_safe else 'NORMAL'}")
            if _version(connection) != len(migrations):
                _migrate(connection, path, migrations)
    except StorageError:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Generator[None]:
    """All changes or none; raises StorageError where SQLite refuses."""
    with using(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


@contextmanager
def using(path: Path) -> Generator[None]:
    """Raises StorageError where SQLite refuses."""
    try:
        yield
    except sqlite3.Error as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: sqlite3.Error) -> StorageError:
    """What SQLite said about ``path``, and what to do."""
    text = str(error)
    hint = "nothing was changed; try again once the cause is mended"
    if "locked" in text:
        hint = f"another process has held it for {BUSY_SECONDS:g} seconds; try again"
    elif "not a database" in text or "malformed" in text:
        hint = f"restore it from a copy, or move {path.name} away to begin anew"
    return StorageError(f"cannot use {path}: {text}", hint=hint)


def _make(path: Path) -> None:
    """An existing file is never opened here: closing it would drop the locks of other connections of this process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    # SQLite's own lock does not wait where two connections change the journal's mode at once.
    with locked(path.with_name(f"{path.name}.lock"), is_waiting=True):
        version = _version(connection)
        if version > len(migrations):
            raise StorageError(
                f"{path} has version {version}, this program knows {len(migrations)}",
                hint="use the newer version of Tollhouse that made it",
            )
        connection.execute("PRAGMA journal_mode = WAL")
        for number, script in enumerate(migrations[version:], version + 1):
            connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
