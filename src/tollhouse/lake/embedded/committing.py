"""Commits: files added and removed, watermarks and metadata in one Delta transaction."""

import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import (
    AddAction,
    CommitProperties,
    PostCommitHookProperties,
    RemoveAction,
    Transaction,
)

from tollhouse.errors import ConcurrentWriteError, StorageError
from tollhouse.lake.contracts import Contract
from tollhouse.lake.embedded.writing import NewFile
from tollhouse.lake.engine import Commit, DataFile
from tollhouse.lake.types import delta_schema


def commit_files(
    table: deltalake.DeltaTable,
    contract: Contract,
    commit: Commit,
    *,
    added: Iterable[NewFile] = (),
    removed: Iterable[DataFile] = (),
    is_data_change: bool = True,
) -> int:
    """Commits on top of the snapshot in ``table``; returns the version that is newest afterwards.

    Raises ConcurrentWriteError where somebody committed under one of our application ids, or removed one of
    ``removed``, since that snapshot: nothing is committed then, and reading anew and retrying is safe.
    """
    actions: list[AddAction | RemoveAction] = [_added(file, is_data_change) for file in added]
    actions += [_removed(file, is_data_change) for file in removed]
    # A failing checkpoint raises although the commit is durable: checkpoints are written by `checkpoint`, apart.
    try:
        table.create_write_transaction(
            actions,
            "append",
            delta_schema(contract),
            contract.document.partitioned_by,
            commit_properties=_properties(commit),
            post_commithook_properties=PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False),
        )
    except CommitFailedError as error:
        raise ConcurrentWriteError(f"{contract.table}: another writer committed first: {error}") from error
    except (DeltaError, OSError) as error:
        raise StorageError(
            f"{contract.table}: the commit was refused: {error}",
            hint="free space or mend permissions, then run the same command again",
        ) from error
    table.update_incremental()
    return table.version()


def checkpoint_if_due(path: Path, version: int, interval: int = 50) -> None:
    """Writes a checkpoint after every ``interval`` commits, so that opening a table reads few log files."""
    last = path / "_delta_log" / "_last_checkpoint"
    since = version - (json.loads(last.read_text())["version"] if last.is_file() else -1)
    if since < interval:
        return
    try:
        deltalake.DeltaTable(str(path)).create_checkpoint()
    except (DeltaError, OSError) as error:
        raise StorageError(
            f"no checkpoint could be written in {path}: {error}",
            hint="free space and run again; everything that was committed stays",
        ) from error


def _properties(commit: Commit) -> CommitProperties:
    metadata: dict[str, Any] = {"userMetadata": json.dumps(commit.metadata, separators=(",", ":"), default=str)}
    transactions = [Transaction(app_id, version) for app_id, version in commit.transactions.items()]
    return CommitProperties(custom_metadata=metadata, app_transactions=transactions)


def _added(file: NewFile, is_data_change: bool) -> AddAction:
    action = file.action()
    action.data_change = is_data_change
    return action


def _removed(file: DataFile, is_data_change: bool) -> RemoveAction:
    return RemoveAction(
        path=file.path,
        data_change=is_data_change,
        deletion_timestamp=time.time_ns() // 1_000_000,
        size=file.size,
        partition_values=dict(file.partition),
    )


def files_in(files: Sequence[DataFile], column: str, values: Iterable[str]) -> list[DataFile]:
    """The files of the partitions whose ``column`` is one of ``values``."""
    wanted = set(values)
    return [file for file in files if file.partition.get(column) in wanted]
