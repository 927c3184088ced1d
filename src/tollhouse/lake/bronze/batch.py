"""A batch of ingestion: what was staged is made durable first, then committed; a crash between is made good."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tollhouse.errors import LakeError, StorageError
from tollhouse.lake.embedded import committing
from tollhouse.lake.embedded.writing import NewFile
from tollhouse.lake.engine import Commit
from tollhouse.lake.evolution import writable
from tollhouse.lake.lakehouse import Lakehouse

RAW, REJECTED, OBJECTS = "bronze.raw_records", "bronze.rejected_records", "bronze.source_objects"
INGEST_SEQUENCE = "ingest_sequence"
_FOLDER = "_tollhouse/batches"


class Batch(msgspec.Struct, frozen=True):
    """Files written for the bronze tables, and the watermarks that go with them in each table's commit.

    ``last_sequence`` is the greatest ingest_sequence given to a row of the batch.
    """

    number: int
    transactions: dict[str, int]
    files: dict[str, list[NewFile]]
    first_sequence: int
    last_sequence: int
    ingest_date: str
    rows: int
    rejected: int


def next_batch_number(lake: Lakehouse) -> int:
    """The number of the next batch: one more than the last committed one."""
    return lake.state(OBJECTS, ["batch"]).transaction("batch") + 1


def next_sequence(lake: Lakehouse) -> int:
    """The first ingest_sequence that is still free."""
    return lake.state(RAW, [INGEST_SEQUENCE]).transaction(INGEST_SEQUENCE) + 1


def commit_batch(lake: Lakehouse, batch: Batch) -> None:
    """Makes ``batch`` durable, commits it to the three tables, and forgets it."""
    path = _save(lake.root, batch)
    _apply(lake, batch)
    path.unlink()


def finish_batches(lake: Lakehouse) -> int:
    """Commits what a run that died had made durable; returns how many batches there were."""
    found = sorted((lake.root / _FOLDER).glob("*.json"))
    for path in found:
        try:
            batch = msgspec.json.decode(path.read_bytes(), type=Batch)
        except msgspec.DecodeError as error:
            raise LakeError(f"{path} is not a batch: {error}", hint="move it away and run again") from error
        _apply(lake, batch)
        path.unlink()
    return len(found)


def _apply(lake: Lakehouse, batch: Batch) -> None:
    for table in (RAW, REJECTED, OBJECTS):
        transactions = dict(batch.transactions) | {"batch": batch.number}
        if table == RAW:
            transactions[INGEST_SEQUENCE] = batch.last_sequence
        delta = writable(lake, table)
        done = lake.state(table, ["batch"], delta=delta).transaction("batch")
        if done >= batch.number:
            continue
        facts: Mapping[str, object] = {"batch": batch.number, "dirty_ingest_dates": [batch.ingest_date]}
        version = committing.commit_files(
            delta, lake.contract(table), Commit(transactions, facts), added=batch.files.get(table, [])
        )
        lake.checkpoint(table, version)


def _save(root: Path, batch: Batch) -> Path:
    folder = root / _FOLDER
    path = folder / f"{batch.number:012d}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(batch))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StorageError(
            f"cannot write the batch {path}: {error}", hint="free space or mend permissions, then run again"
        ) from error
    return path
