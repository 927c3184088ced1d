"""Table contracts: ``models/<layer>/<table>.yml``, the only place where a column is described."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from tollhouse.errors import ContractError

MadeBy = Literal["sql", "python", "ingest", "rejects"]
Write = Literal["append", "merge", "replace_partitions"]
LAYERS = ("bronze", "silver", "gold")


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column; ``type`` is a Databricks SQL type, ``tag`` is pii or payload where access is to be guarded."""

    name: str
    type: str
    description: str
    nullable: bool = True
    unit: str | None = None
    tag: Literal["pii", "payload"] | None = None


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    table: str
    grain: str
    owner: str
    made_by: MadeBy
    write: Write
    key: list[str]
    columns: list[Column]
    partitioned_by: list[str] = []
    driving: str | None = None
    lookups: list[str] = []
    lookup_by_date: list[str] = []
    rejects_to: str | None = None
    precedence: str = "1"
    merge_on: list[str] = []
    insert_only_formats: list[str] = []


@dataclass(frozen=True)
class Contract:
    """What a table promises, and the queries that fill it (by log format; '' where there is just one)."""

    document: _Document
    file: Path
    queries: Mapping[str, Path] = field(default_factory=dict[str, Path])

    @property
    def table(self) -> str:
        return self.document.table

    @property
    def layer(self) -> str:
        return self.table.split(".")[0]

    @property
    def columns(self) -> list[Column]:
        return self.document.columns

    @property
    def column_types(self) -> list[tuple[str, str]]:
        """(name, Databricks type) of every column, in order."""
        return [(column.name, column.type) for column in self.columns]

    @property
    def merge_on(self) -> list[str]:
        """Columns whose equality makes incoming rows replace existing ones; the key unless declared."""
        return self.document.merge_on or self.document.key

    @cached_property
    def model_hash(self) -> str:
        """SHA-256 over contract and queries: when it changes, rows made before were made by another model."""
        digest = hashlib.sha256(msgspec.json.encode(self.document))
        for name in sorted(self.queries):
            digest.update(name.encode() + b"\0" + self.queries[name].read_bytes())
        return digest.hexdigest()

    def column(self, name: str) -> Column:
        """The column of that name. Raises ContractError listing the choices."""
        for column in self.columns:
            if column.name == name:
                return column
        choices = ", ".join(c.name for c in self.columns)
        raise ContractError(f"{self.table} has no column {name!r}; it has {choices}")


def load_contracts(project: Path) -> dict[str, Contract]:
    """Every contract under ``project/models``, by table. Raises ContractError naming the file and what is wrong."""
    contracts: dict[str, Contract] = {}
    for layer in LAYERS:
        for file in sorted((project / "models" / layer).glob("*.yml")):
            contract = _load(file, layer)
            contracts[contract.table] = contract
    for contract in contracts.values():
        _check_references(contract, contracts)
    return contracts


def _load(file: Path, layer: str) -> Contract:
    try:
        document = msgspec.convert(yaml.safe_load(file.read_text()), _Document)
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise ContractError(f"{file}: {error}") from error
    if document.table != f"{layer}.{file.stem}":
        raise ContractError(f"{file}: table is {document.table!r}, but the file's place says {layer}.{file.stem}")
    if not document.grain.startswith("One row per "):
        raise ContractError(f"{file}: grain is {document.grain!r}; it must begin with 'One row per '")
    _check_columns(file, document)
    return Contract(document, file, _queries(file))


def _queries(file: Path) -> dict[str, Path]:
    single = file.with_suffix(".sql")
    if single.is_file():
        return {"": single}
    return {path.stem: path for path in sorted(file.with_suffix("").glob("*.sql"))}


def _check_columns(file: Path, document: _Document) -> None:
    names = [column.name for column in document.columns]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate:
        raise ContractError(f"{file}: column {duplicate!r} is declared twice")
    for role in ("key", "partitioned_by", "merge_on"):
        values: list[Any] = getattr(document, role)
        for name in values:
            if name not in names:
                raise ContractError(f"{file}: {role} names {name!r}, which is not a column")


def _check_references(contract: Contract, contracts: Mapping[str, Contract]) -> None:
    document = contract.document
    named = [*document.lookups, *document.lookup_by_date, *filter(None, [document.driving, document.rejects_to])]
    for name in named:
        if name not in contracts:
            raise ContractError(f"{contract.file}: names table {name!r}, which has no contract under models/")
    if document.made_by == "sql" and not contract.queries:
        raise ContractError(f"{contract.file}: made_by is sql, but there is no {contract.file.stem}.sql beside it")
