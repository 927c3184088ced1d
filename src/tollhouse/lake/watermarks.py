"""Which part of a driving table is new, and how it is cut into batches of bounded size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tollhouse.lake.engine import DataFile

# Zstandard keeps about a quarter of a request log.
_MIB = 1 << 20


@dataclass(frozen=True)
class Slice:
    """Rows of the driving table with ``low < sequence <= high``, and the files that can hold them."""

    low: int
    high: int
    files: Sequence[DataFile]


def slices(
    files: Sequence[DataFile], column: str, after: int, batch_mib: int, until: int | None = None
) -> Iterator[Slice]:
    """Cuts what lies after ``after`` up to ``until`` by ``column`` into slices of about ``batch_mib`` of files each."""

    def reach(file: DataFile) -> int:
        greatest: int = file.maximum[column]
        return greatest if until is None else min(until, greatest)

    fresh = sorted((file for file in files if file.rows and file.may_hold(column, after + 1, until)), key=reach)
    low, batch, size = after, list[DataFile](), 0
    for index, file in enumerate(fresh):
        batch.append(file)
        size += file.size
        high = reach(file)
        is_last = index == len(fresh) - 1
        if is_last or (size >= batch_mib * _MIB and reach(fresh[index + 1]) > high):
            yield Slice(low, high, [f for f in fresh if f.may_hold(column, low + 1, high)])
            low, batch, size = high, [], 0


def app_id(table: str, driving: str) -> str:
    """The application id under which ``table`` commits how far it has read ``driving``."""
    return f"{table}/{driving}"


CHANGE_SEQUENCE = "change_sequence"


def sequence_column(driving: str) -> str:
    """The rising column by which readers of ``driving`` keep their watermark."""
    return "ingest_sequence" if driving.startswith("bronze.") else CHANGE_SEQUENCE
