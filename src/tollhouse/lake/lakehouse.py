"""A lake opened for work: contracts, settings, one DuckDB connection, the tables' paths."""

import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import deltalake
import duckdb

from tollhouse.errors import LakeError, StorageError
from tollhouse.lake.contracts import Contract, load_contracts
from tollhouse.lake.embedded import committing, reading, session, snapshot
from tollhouse.lake.engine import DataFile, TableState
from tollhouse.lake.locks import table_lock
from tollhouse.project import project_dir
from tollhouse.settings import Settings, load_settings

if TYPE_CHECKING:
    import polars as pl

_MARKER = "_tollhouse/lake.json"
_REFUSED = "free space, give this user permission, or set `lake:` to a folder you own; then run the same command again"


class Lakehouse:
    """The tables of one lake. Use as a context manager, or call ``close``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = settings.lake_dir
        self.project = project_dir(Path(settings.root))
        self.contracts: Mapping[str, Contract] = load_contracts(self.project)
        self._check_owner()
        self._connection: duckdb.DuckDBPyConnection | None = None

    @classmethod
    def open(cls, path: str | Path | None = None) -> Self:
        """The lake of a settings file, or of a folder that holds one; by default the settings in force.

        Raises SettingsError where ``path`` is neither.
        """
        if path is not None and Path(path).is_dir():
            file = Path(path) / "tollhouse.yml"
            if not file.is_file() and (Path(path) / _MARKER).is_file():
                return cls(Settings(lake=str(Path(path).resolve()), root=str(Path(path).resolve().parent)))
            return cls(load_settings(str(file)))
        return cls(load_settings(None if path is None else str(path)))

    def sql(self, query: str, *, dialect: str = "databricks") -> "pl.DataFrame":
        """The rows of one SELECT over tables and views, as a Polars data frame. Raises QueryError."""
        from tollhouse.sql.door import Door

        return Door(self).query(query, dialect=dialect)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees the DuckDB connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection of this lake, made at first use."""
        if self._connection is None:
            self._connection = session.connect(self.settings.engine, self.settings.state_dir / "tmp")
        return self._connection

    def contract(self, table: str) -> Contract:
        """The contract of ``table``. Raises LakeError listing the choices."""
        if table not in self.contracts:
            raise LakeError(f"there is no table {table!r}; there are {', '.join(sorted(self.contracts))}")
        return self.contracts[table]

    def tables(self) -> list[str]:
        """Names of all tables that have a contract."""
        return list(self.contracts)

    def path(self, table: str) -> Path:
        """Folder of the Delta table."""
        layer, name = table.split(".")
        return self.root / layer / name

    def lock(self, table: str) -> AbstractContextManager[None]:
        """The writer's lock of ``table``."""
        return table_lock(self.settings.state_dir / "locks", table)

    def delta(self, table: str) -> deltalake.DeltaTable:
        """The Delta table at its newest version, created empty where it is missing."""
        contract = self.contract(table)
        opened = snapshot.open_table(self.path(table))
        if opened is None:
            self._claim()
            opened = snapshot.create_table(self.path(table), contract)
        snapshot.assert_portable(opened, table)
        return opened

    def state(
        self, table: str, app_ids: Sequence[str] = (), *, delta: deltalake.DeltaTable | None = None
    ) -> TableState:
        """The table's state; of ``delta``, where that snapshot is already open."""
        return snapshot.state_of(delta or self.delta(table), table, app_ids)

    def exists(self, table: str) -> bool:
        """Whether the table has been created."""
        return (self.path(table) / "_delta_log").is_dir()

    def relation(self, table: str, files: Iterable[DataFile] | None = None, *, extra: Iterable[str] = ()) -> str:
        """A DuckDB query in parentheses over ``files`` of the table, over its newest version by default."""
        chosen = list(files) if files is not None else list(self.state(table).files if self.exists(table) else [])
        return reading.relation(self.contract(table), self.path(table), chosen, extra=extra)

    def relation_sql(self, table: str) -> str:
        """FROM-able DuckDB SQL over the table's newest version."""
        return self.relation(table)

    def history(self, table: str, after: int, newest: int) -> list[tuple[int, dict[str, Any]]]:
        """(version, our metadata) of the commits after ``after`` up to ``newest``."""
        return snapshot.commits_after(self.path(table), after, newest)

    def checkpoint(self, table: str, version: int) -> None:
        """Writes a Delta checkpoint where one is due."""
        committing.checkpoint_if_due(self.path(table), version)

    @contextmanager
    def view(self, name: str, query: str) -> Generator[str]:
        """A temporary DuckDB view for the length of a block; yields its name."""
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {query}")
        try:
            yield name
        finally:
            self.connection.execute(f"DROP VIEW IF EXISTS {name}")

    def _claim(self) -> None:
        marker = self.root / _MARKER
        if marker.is_file():
            return
        draft = marker.with_suffix(".tmp")
        try:
            marker.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps({"engine": self.settings.engine.name, "format": 1}) + "\n")
            draft.rename(marker)
        except OSError as error:
            raise StorageError(f"cannot write {marker}: {error}", hint=_REFUSED) from error

    def _check_owner(self) -> None:
        marker = self.root / _MARKER
        try:
            if not marker.is_file():
                return
            owner = json.loads(marker.read_text())["engine"]
        except OSError as error:
            raise StorageError(f"cannot read {marker}: {error}", hint=_REFUSED) from error
        if owner != self.settings.engine.name:
            raise LakeError(
                f"the lake at {self.root} belongs to the {owner} engine, the settings name {self.settings.engine.name}",
                hint="a table must never be written by two engines; set engine.name to the lake's",
            )
