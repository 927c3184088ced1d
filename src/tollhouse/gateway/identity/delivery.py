"""From the store's outbox to the spool."""

from pathlib import Path

from tollhouse.gateway.identity.store import IdentityStore
from tollhouse.spool.writer import SpoolWriter


def deliver(store: IdentityStore, spool_root: Path) -> int:
    """Append the waiting IDENTITY records to a sealed segment under ``spool_root``; returns how many.

    A record may come twice where two processes deliver at once or one is killed: it is a state, so that changes
    nothing. Raises StorageError or SpoolError where the spool refuses: then all of them wait on.
    """
    letters = store.waiting()
    if not letters:
        return 0
    with SpoolWriter(spool_root) as writer:
        for letter in letters:
            writer.append(letter.record)
    store.forget_delivered(letters)
    return len(letters)
