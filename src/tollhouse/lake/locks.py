"""One writer a table: an flock per table in the state folder."""

import fcntl
import os
import random
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tollhouse.errors import ConcurrentWriteError, StorageError


@contextmanager
def table_lock(folder: Path, table: str, *, patience_seconds: float = 600.0) -> Generator[None]:
    """Holds the lock of ``table``; waits with jitter for whoever has it.

    The kernel frees the lock of a process that dies. Raises ConcurrentWriteError after ``patience_seconds``.
    """
    path = folder / f"{table}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StorageError(f"cannot open the lock {path}: {error}", hint="set `state:` to a folder you own") from error
    try:
        _acquire(descriptor, table, time.monotonic() + patience_seconds)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, table: str, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise ConcurrentWriteError(
                    f"another process has been writing {table} for too long", hint="see `tollhouse doctor`"
                ) from None
            time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - jitter, not a secret
        else:
            return
