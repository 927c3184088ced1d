"""LiteLLM's logs: StandardLoggingPayload as its object-store loggers write it, and rows of LiteLLM_SpendLogs.

An object is one JSON object, possibly over many lines, a JSON array of objects, one object a line, or a CSV of
SpendLogs with a header; each may be gzipped. Names say nothing (some have no extension): the content decides.
"""

import csv
import re
from collections.abc import Generator, Iterator
from dataclasses import replace
from enum import Enum
from hashlib import sha256
from itertools import chain
from typing import Any, BinaryIO

import msgspec

from tollhouse.sources.cutting import BYTE_ORDER_MARK, Cutter, Unpacker, Window
from tollhouse.sources.framing import MAX_RECORD_BYTES, Checker, FramedBatch, FramingReport, Piece, Shape
from tollhouse.sources.strict_json import NotJsonError, decode_text

STRING_BODIES = ("metadata", "messages", "response", "request_tags", "proxy_server_request")

_HEAD_BYTES = 2**16
_GZIP_MAGIC = b"\x1f\x8b"
_NUMERIC_COLUMNS = {"spend", "total_tokens", "prompt_tokens", "completion_tokens", "request_duration_ms"}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
_AUDIT_KEYS = {"table_name", "object_id", "action"}
_NO_KEYS = {"", "none", "null"}


class Layout(Enum):
    """How an object holds its records."""

    LINES = "one JSON object a line"
    VALUES = "JSON objects over several lines"
    ARRAY = "a JSON array"
    CSV = "CSV with a header"


class _Head(msgspec.Struct):
    """The members that tell the kinds of record apart and name them."""

    id: Any = msgspec.UNSET
    call_type: Any = msgspec.UNSET
    request_id: Any = msgspec.UNSET
    litellm_call_id: Any = None


_read_head = msgspec.json.Decoder(_Head).decode


def frame(
    stream: BinaryIO,
    report: FramingReport,
    *,
    from_byte: int = 0,
    first_position: int = 0,
    is_complete: bool = True,
) -> Iterator[FramedBatch]:
    """Yield the object's records in batches of about 8 MiB, and fill ``report``.

    ``from_byte`` reads on where an older version ended, with records numbered from ``first_position``; only objects of
    one record a line can be read on, others are read whole, and ``report.read_from_byte`` says which it was. The
    stream must then be seekable. ``is_complete=False`` leaves a torn tail for later (``report.bytes_left``) instead of
    rejecting it. What is no record is rejected with a reason; OSError comes from the stream as it is.
    """
    source, head = _unpack(stream, _read_up_to(stream, _HEAD_BYTES), report)
    layout = detect_layout(head)
    if from_byte and layout is Layout.LINES and source is stream:
        stream.seek(from_byte)
        window = Window(stream, offset=from_byte)
    else:
        from_byte, first_position = 0, 0
        window = Window(source, head)
    report.read_from_byte = from_byte
    cutter = Cutter(window, report, is_complete=is_complete)
    pieces = chain(_pieces(cutter, layout), _damage(source, window))
    yield from Checker(shape_of, STRING_BODIES, report, first_position).batches(pieces)


def detect_layout(head: bytes) -> Layout:
    """Tell an object's layout from its first bytes."""
    lines = [line for line in head.removeprefix(BYTE_ORDER_MARK).split(b"\n") if line.strip()]
    first = lines[0].strip() if lines else b""
    if first.startswith(b"["):
        return Layout.ARRAY
    if first.startswith(b"{"):
        # The second line of an object begins with a member or its end, that of a file of objects with an object.
        is_spread = len(lines) > 1 and lines[1].lstrip()[:1] in {b'"', b"}"}
        return Layout.VALUES if is_spread and not first.endswith(b"}") else Layout.LINES
    columns = {column.strip().strip(b'"') for column in first.split(b",")}
    return Layout.CSV if b"request_id" in columns else Layout.LINES


def shape_of(text: str) -> Shape:
    """Tell a record's kind by its members; raises NotJsonError, with the members found, where it is neither kind."""
    try:
        head = _read_head(text)
    except msgspec.ValidationError:
        raise NotJsonError("JSON, but not an object, as a record of LiteLLM is") from None
    except msgspec.DecodeError as error:
        raise NotJsonError(str(error)) from None
    if head.id is not msgspec.UNSET and head.call_type is not msgspec.UNSET:
        return Shape("standard_logging_payload", "litellm", record_key(head.litellm_call_id, head.id, text))
    if head.request_id is not msgspec.UNSET:
        return Shape("spend_logs", "litellm_spend_logs", record_key(head.litellm_call_id, head.request_id, text))
    raise NotJsonError(_explain_shape(text))


def record_key(call_id: Any, native_id: Any, text: str) -> str:
    """Return the record's stable key.

    ``id`` and ``request_id`` are the provider's response id, which some providers number from one again, so that
    distinct calls share it (LiteLLM issue 28376); ``litellm_call_id`` is the proxy's own, but the attempts of one call
    share it. Where both are known and differ, the key is both. Where neither is (missing, empty or "None", which
    LiteLLM writes), it is the SHA-256 of the text, so that the same record is still the same.
    """
    keys = [key for key in (_usable(call_id), _usable(native_id)) if key is not None]
    return "/".join(dict.fromkeys(keys)) or sha256(text.encode()).hexdigest()


def _usable(key: Any) -> str | None:
    if not isinstance(key, str | int) or isinstance(key, bool) or str(key).strip().lower() in _NO_KEYS:
        return None
    return str(key).strip()


def _explain_shape(text: str) -> str:
    names = list(msgspec.json.decode(text))
    if set(names) >= _AUDIT_KEYS:
        return "an audit log of LiteLLM, not a call"
    found = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    expected = "id and call_type (StandardLoggingPayload) or request_id (SpendLogs)"
    return f"not a record of LiteLLM: expected {expected}, found {found or 'no members'}"


def _read_up_to(stream: BinaryIO, size: int) -> bytes:
    head = b""
    while len(head) < size and (chunk := stream.read(size - len(head))):
        head += chunk
    return head


def _unpack(stream: BinaryIO, head: bytes, report: FramingReport) -> tuple[BinaryIO | Unpacker, bytes]:
    if not head.startswith(_GZIP_MAGIC):
        return stream, head
    report.is_compressed = True
    unpacker = Unpacker(stream, head)
    return unpacker, unpacker.read(_HEAD_BYTES)


def _damage(source: BinaryIO | Unpacker, window: Window) -> Iterator[Piece]:
    """Reject what could not be unpacked, as a record of no known size, so that the loss is seen."""
    if isinstance(source, Unpacker) and source.damage is not None:
        yield Piece(window.offset, b"", 0, reason=source.damage)


def _pieces(cutter: Cutter, layout: Layout) -> Iterator[Piece]:
    if cutter.window.offset == 0:
        cutter.skip_byte_order_mark()
    if layout is Layout.CSV:
        return _rows(cutter)
    if layout is Layout.LINES:
        return cutter.lines()
    return cutter.values(is_array=layout is Layout.ARRAY)


def _rows(cutter: Cutter) -> Iterator[Piece]:
    csv.field_size_limit(MAX_RECORD_BYTES)
    columns: list[str] | None = None
    for piece in cutter.rows():
        if piece.reason is not None or piece.data is None:
            yield piece
        elif columns is None:
            columns = yield from _header(cutter, piece, piece.data)
        else:
            yield _row(piece, piece.data, columns)


def _header(cutter: Cutter, piece: Piece, data: bytes) -> Generator[Piece, None, list[str]]:
    try:
        columns = _fields(data)
    except NotJsonError as error:
        yield replace(piece, reason=f"the header of this CSV: {error.reason}")
        return []
    cutter.report.separator_bytes += piece.size
    return columns


def _row(piece: Piece, data: bytes, columns: list[str]) -> Piece:
    try:
        fields = _fields(data)
    except NotJsonError as error:
        return replace(piece, reason=error.reason)
    if len(fields) != len(columns):
        return replace(piece, reason=f"a row of {len(fields)} fields under a header of {len(columns)}")
    row = {column: _field(column, field) for column, field in zip(columns, fields, strict=True)}
    return replace(piece, text=msgspec.json.encode(row).decode())


def _fields(data: bytes) -> list[str]:
    try:
        return next(csv.reader([decode_text(data)], strict=True))
    except csv.Error as error:
        raise NotJsonError(f"not a row of CSV: {error}") from None


def _field(column: str, field: str) -> Any:
    """Return a CSV field as JSON: an empty one is NULL, a number of a numeric column is a number."""
    if field == "":
        return None
    if column in _NUMERIC_COLUMNS and _NUMBER.fullmatch(field):
        return msgspec.Raw(field.encode())
    return field
