"""The demo's traffic on disk, as several workers would have written it."""

import datetime as dt
import uuid
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from tollhouse.demo.dice import Dice
from tollhouse.demo.ledger import Ledger
from tollhouse.demo.traffic import BODY_BYTES, Routed, generate
from tollhouse.spool.writer import SEGMENT_BYTES, SpoolWriter

CALLS = 20_000
DAYS = 14
SEED = 7
WORKERS = 3


def write_spool(
    root: Path | str,
    *,
    end: dt.datetime,
    calls: int = CALLS,
    days: float = DAYS,
    seed: int = SEED,
    workers: int = WORKERS,
    body_bytes: int = BODY_BYTES,
    is_lean: bool = False,
    segment_bytes: int = SEGMENT_BYTES,
) -> Ledger:
    """Write ``generate``'s records into spool slots under ``root``, one a worker, and count them.

    Under a fresh ``root`` the same arguments give the same bytes. All segments are sealed when it returns. Raises
    SpoolError and StorageError as the writer does.
    """
    records = generate(
        calls=calls, days=days, seed=seed, end=end, workers=workers, body_bytes=body_bytes, is_lean=is_lean
    )
    return write_records(root, records, at=end, seed=seed, workers=workers, segment_bytes=segment_bytes)


def write_records(
    root: Path | str,
    records: Iterable[Routed],
    *,
    at: dt.datetime,
    seed: int = SEED,
    workers: int = WORKERS,
    segment_bytes: int = SEGMENT_BYTES,
) -> Ledger:
    """Write routed records into the first ``workers`` free slots under ``root`` and count them.

    The segments' own times are all ``at``, so that the bytes depend on the arguments alone; a new slot's id is drawn
    from ``seed``.
    """
    ids = Dice(seed)
    ledger = Ledger()
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                SpoolWriter(
                    root,
                    durability="os",
                    segment_bytes=segment_bytes,
                    clock=lambda: at,
                    spool_id=str(uuid.UUID(int=ids.getrandbits(128), version=4)),
                )
            )
            for _ in range(workers)
        ]
        for worker, record in records:
            writers[worker].append(record)
            ledger.add(record)
    return ledger
