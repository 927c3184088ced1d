"""Framing: from the bytes of an object to batches of checked records.

A format cuts an object into ``Piece``s and says what a record is (``Shape``); this module checks that each is strict
JSON, mends what can be mended, and counts every byte once.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import duckdb
import pyarrow as pa

from tollhouse.sources.strict_json import NotJsonError, check_batch_sql, decode_text, normalize_record

BATCH_BYTES = 8 * 2**20
BATCH_RECORDS = 20_000
MAX_RECORD_BYTES = 64 * 2**20
# Starting DuckDB takes longer than mending so few records one by one; most objects of LiteLLM hold a single one.
_FEW = 64

RECORD_SCHEMA = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        ("record_kind", pa.string()),
        ("record_key", pa.string()),
        pa.field("format", pa.string(), nullable=False),
        pa.field("raw_text", pa.string(), nullable=False),
        ("normalized_text", pa.string()),
        ("body_errors", pa.list_(pa.string())),
    ]
)
REJECTED_SCHEMA = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        pa.field("record_bytes", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        ("raw_text", pa.string()),
        pa.field("is_base64", pa.bool_(), nullable=False),
    ]
)


@dataclass(slots=True)
class FramingReport:
    """What became of an object's bytes, filled while it is framed.

    ``framed_bytes + rejected_bytes + separator_bytes + bytes_left`` are the bytes read from ``read_from_byte`` on; of
    a compressed object (``is_compressed``) they are the unpacked ones. ``bytes_left`` is the torn tail of an object
    that still grows: read it next time.
    """

    framed_records: int = 0
    rejected_records: int = 0
    framed_bytes: int = 0
    rejected_bytes: int = 0
    separator_bytes: int = 0
    bytes_left: int = 0
    read_from_byte: int = 0
    is_compressed: bool = False

    @property
    def bytes_read(self) -> int:
        """All bytes that are accounted for."""
        return self.framed_bytes + self.rejected_bytes + self.separator_bytes + self.bytes_left


@dataclass(frozen=True, slots=True)
class FramedBatch:
    """``records`` has RECORD_SCHEMA (position: number of the record, from 0), ``rejected`` has REJECTED_SCHEMA
    (position: offset in bytes). About BATCH_BYTES together, or one larger record."""

    records: pa.RecordBatch
    rejected: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class Piece:
    """A record's bytes as cut from the object at ``offset``; ``size`` of them count.

    ``text`` stands for the bytes where a record is made from them (a CSV row). ``reason`` rejects it unread; ``data``
    is None where it was too large to keep.
    """

    offset: int
    data: bytes | None
    size: int
    text: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """What a record is: kind, the format that silver reads it by, and its own key."""

    record_kind: str
    format: str
    record_key: str


class Framer(Protocol):
    """How a format is read; see ``litellm.frame`` for the parameters."""

    def __call__(
        self,
        stream: BinaryIO,
        report: FramingReport,
        *,
        from_byte: int = 0,
        first_position: int = 0,
        is_complete: bool = True,
    ) -> Iterator[FramedBatch]: ...


@dataclass(slots=True)
class Checker:
    """Turns pieces into batches: ``shape_of`` raises NotJsonError for JSON that is no record of the format."""

    shape_of: Callable[[str], Shape]
    string_bodies: Sequence[str]
    report: FramingReport
    position: int = 0

    def batches(self, pieces: Iterable[Piece]) -> Iterator[FramedBatch]:
        """Yield batches of about BATCH_BYTES, and count what they hold."""
        held: list[Piece] = []
        size = 0
        for piece in pieces:
            held.append(piece)
            size += len(piece.data or b"")
            if size >= BATCH_BYTES or len(held) >= BATCH_RECORDS:
                yield self._batch(held)
                held, size = [], 0
        if held:
            yield self._batch(held)

    def _batch(self, pieces: list[Piece]) -> FramedBatch:
        texts = [_text_of(piece) for piece in pieces]
        suspects = self._suspects(texts)
        records: list[tuple[object, ...]] = []
        rejected: list[tuple[object, ...]] = []
        for piece, text, is_suspect in zip(pieces, texts, suspects, strict=True):
            try:
                records.append(self._record(text, is_suspect=is_suspect))
                self.report.framed_records += 1
                self.report.framed_bytes += piece.size
            except NotJsonError as error:
                rejected.append(_rejection(piece, error.reason))
                self.report.rejected_records += 1
                self.report.rejected_bytes += piece.size
            self.position += 1
        return FramedBatch(_columns(records, RECORD_SCHEMA), _columns(rejected, REJECTED_SCHEMA))

    def _record(self, text: "str | NotJsonError", *, is_suspect: bool) -> tuple[object, ...]:
        if isinstance(text, NotJsonError):
            raise text
        normalized, errors = normalize_record(text, self.string_bodies) if is_suspect else (None, [])
        shape = self.shape_of(normalized or text)
        return (self.position, shape.record_kind, shape.record_key, shape.format, text, normalized, errors)

    def _suspects(self, texts: list["str | NotJsonError"]) -> list[bool]:
        if len(texts) <= _FEW:
            return [True] * len(texts)
        return find_suspects([text if isinstance(text, str) else None for text in texts], self.string_bodies)


def find_suspects(texts: Sequence[str | None], string_bodies: Sequence[str]) -> list[bool]:
    """Say of each text whether it, or a JSON text inside it, may need the normaliser; checked in DuckDB."""
    table = pa.table({"number": pa.array(range(len(texts)), pa.int64()), "record": pa.array(texts, pa.string())})
    suspects = [False] * len(texts)
    with duckdb.connect() as connection:
        # Several chunks, since one is scanned by one thread.
        connection.register("batch", pa.Table.from_batches(table.to_batches(max_chunksize=1024)))
        rows = connection.execute(
            f"SELECT number FROM batch WHERE {check_batch_sql('record', string_bodies)}"
        ).fetchall()
    for (number,) in rows:
        suspects[number] = True
    return suspects


def _text_of(piece: Piece) -> "str | NotJsonError":
    if piece.reason is not None:
        return NotJsonError(piece.reason)
    if piece.text is not None:
        return piece.text
    try:
        return decode_text(piece.data or b"")
    except NotJsonError as error:
        return error


def _rejection(piece: Piece, reason: str) -> tuple[object, ...]:
    if piece.data is None:
        return (piece.offset, piece.size, reason, None, False)
    try:
        return (piece.offset, piece.size, reason, piece.data.decode(), False)
    except UnicodeDecodeError:
        return (piece.offset, piece.size, reason, b64encode(piece.data).decode(), True)


def _columns(rows: list[tuple[object, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(list(values), field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
