"""Delta tables as delta-rs sees them: opening, creating, protocol guard, state."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
from deltalake.exceptions import DeltaError, TableNotFoundError

from tollhouse.errors import LakeError, StorageError
from tollhouse.lake.contracts import Contract
from tollhouse.lake.engine import DataFile, TableState
from tollhouse.lake.types import delta_schema

PORTABLE_READER_FEATURES = frozenset({"timestampNtz"})
PORTABLE_WRITER_FEATURES = frozenset(
    {"appendOnly", "invariants", "checkConstraints", "changeDataFeed", "generatedColumns", "timestampNtz"}
)
MODEL_HASH = "tollhouse.modelHash"
STALE_DATES = "tollhouse.staleDates"
CLOSED_BEFORE = "tollhouse.closedBefore"
_BOUNDED = {"STRING", "BIGINT", "INT", "DATE", "TIMESTAMP"}


def open_table(path: Path) -> deltalake.DeltaTable | None:
    """The table at ``path`` at its newest version, None where there is none."""
    if not (path / "_delta_log").is_dir():
        return None
    try:
        return deltalake.DeltaTable(str(path))
    except TableNotFoundError:
        return None


def create_table(path: Path, contract: Contract) -> deltalake.DeltaTable:
    """Creates the empty table of ``contract``, or opens the one that another process has just made.

    Raises StorageError where the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        deltalake.DeltaTable.create(
            str(path),
            delta_schema(contract),
            mode="ignore",
            partition_by=contract.document.partitioned_by,
            name=contract.table,
            description=contract.document.grain,
            configuration={
                MODEL_HASH: contract.model_hash,
                "delta.logRetentionDuration": "interval 30 days",
                **statistics_property(contract),
            },
            raise_if_key_not_exists=False,
        )
    except (DeltaError, OSError) as error:
        raise StorageError(
            f"cannot create {contract.table} at {path}: {error}",
            hint="free space or mend permissions, then run the same command again",
        ) from error
    return deltalake.DeltaTable(str(path))


def statistics_property(contract: Contract) -> dict[str, str]:
    """The table property that names the columns with bounds in the log; tagged ones are never among them.

    delta-rs's Arrow reader takes a bound that it expects and does not find for NULL, and skips the file.
    """
    partitions = contract.document.partitioned_by
    names = [c.name for c in contract.columns if c.type in _BOUNDED and not c.tag and c.name not in partitions]
    return {"delta.dataSkippingStatsColumns": ",".join(names)}


def assert_portable(table: deltalake.DeltaTable, name: str) -> None:
    """Refuses a table with a protocol feature under which reading its Parquet files would misread it.

    Deleted rows of a table with deletion vectors, for one, are still in the files. Raises LakeError.
    """
    protocol = table.protocol()
    readers = set(protocol.reader_features or []) - PORTABLE_READER_FEATURES
    writers = set(protocol.writer_features or []) - PORTABLE_WRITER_FEATURES
    legacy_reader = protocol.min_reader_version == 2
    legacy_writer = protocol.min_writer_version in {5, 6}
    if readers or writers or legacy_reader or legacy_writer:
        found = ", ".join(sorted(readers | writers)) or (
            f"reader version {protocol.min_reader_version}, writer version {protocol.min_writer_version}"
        )
        raise LakeError(
            f"table {name} uses Delta protocol features that this engine would misread: {found}",
            hint="copy the table to one without them (CREATE TABLE ... AS SELECT) and put it in its place",
        )


def state_of(table: deltalake.DeltaTable, name: str, app_ids: Sequence[str]) -> TableState:
    """Files, watermarks of ``app_ids`` and properties of the version that ``table`` stands on."""
    versions = {app_id: table.transaction_version(app_id) for app_id in app_ids}
    return TableState(
        table=name,
        version=table.version(),
        files=_files(table),
        properties=dict(table.metadata().configuration),
        transactions={app_id: version for app_id, version in versions.items() if version is not None},
    )


def _files(table: deltalake.DeltaTable) -> list[DataFile]:
    actions = pa.table(table.get_add_actions(flatten=False))
    return [_file(row) for row in actions.to_pylist()]


def _file(row: Mapping[str, Any]) -> DataFile:
    partition = row.get("partition") or row.get("partition_values") or {}
    return DataFile(
        path=row["path"],
        size=row["size_bytes"],
        rows=row["num_records"] or 0,
        partition={key: str(value) for key, value in partition.items()},
        minimum={key: value for key, value in (row.get("min") or {}).items() if value is not None},
        maximum={key: value for key, value in (row.get("max") or {}).items() if value is not None},
    )


def commits_after(path: Path, version: int, newest: int) -> list[tuple[int, dict[str, Any]]]:
    """(version, our metadata) of the commits in ``version + 1 .. newest``.

    Raises LakeError where the log has already been cleaned up that far: the reader must rebuild.
    """
    found: list[tuple[int, dict[str, Any]]] = []
    for number in range(version + 1, newest + 1):
        file = path / "_delta_log" / f"{number:020d}.json"
        try:
            lines = file.read_text().splitlines()
        except FileNotFoundError as error:
            raise LakeError(
                f"version {number} of {path.name} is no longer in its Delta log",
                hint="run `tollhouse maintain rebuild` for the tables that read it",
            ) from error
        found.append((number, _user_metadata(lines)))
    return found


def _user_metadata(lines: Sequence[str]) -> dict[str, Any]:
    for line in lines:
        if '"commitInfo"' in line:
            text = json.loads(line)["commitInfo"].get("userMetadata")
            return json.loads(text) if text else {}
    return {}
