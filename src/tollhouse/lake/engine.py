"""What steps and engines say to each other: the state of a table, what goes with a commit, what a step did.

An engine is a package of session, snapshot, reading, writing, merging and committing; ``embedded`` is the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True)
class DataFile:
    """One active Parquet file: ``path`` relative to the table, statistics by column name."""

    path: str
    size: int
    rows: int
    partition: Mapping[str, str]
    minimum: Mapping[str, Any] = field(default_factory=dict[str, Any])
    maximum: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def may_hold(self, column: str, low: Any = None, high: Any = None) -> bool:
        """Whether a row with ``low <= column <= high`` can be in this file; True where statistics are missing."""
        smallest, largest = self.minimum.get(column), self.maximum.get(column)
        if smallest is None or largest is None:
            return True
        return (low is None or largest >= low) and (high is None or smallest <= high)


@dataclass(frozen=True)
class TableState:
    """One version of a table: its files, its watermarks (``transactions``), its properties."""

    table: str
    version: int
    files: Sequence[DataFile]
    properties: Mapping[str, str]
    transactions: Mapping[str, int]

    def transaction(self, app_id: str) -> int:
        """The version last committed under ``app_id``; -1 where there is none."""
        return self.transactions.get(app_id, -1)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


@dataclass(frozen=True)
class Commit:
    """What goes with the rows in one commit: watermarks, and facts for readers of the log (``metadata``)."""

    transactions: Mapping[str, int]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Written:
    """What a commit did: rows written, dates touched, the version it made (None where there was nothing to do)."""

    rows: int = 0
    dates: Sequence[date] = ()
    version: int | None = None
    rejected: int = 0
