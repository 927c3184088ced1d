"""What arrived and what was answered, counted by the provider's side alone."""

import hashlib
import time
from collections import Counter, deque
from itertools import islice
from operator import add
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec

from tollhouse.simulated.reply import COMMENT, CONTENT, Event
from tollhouse.simulated.request import Request
from tollhouse.simulated.tokens import Tokens

OPEN: Final = "open"
_KEPT = 200_000
_CREDENTIALS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization", "cookie"})
_REQUEST_IDS = (b"x-tollhouse-request-id", b"x-request-id", b"x-client-request-id")


class Entry:
    """One call; ``finish`` is ``open`` until the last byte of its answer was handed over or will never be."""

    __slots__ = (
        "behaviour",
        "client_error",
        "content_events",
        "digest",
        "ended_ms",
        "events",
        "finish",
        "first_byte_ms",
        "model",
        "operation",
        "request",
        "response_bytes",
        "response_id",
        "sequence",
        "simulated_id",
        "status",
        "tokens",
        "usage",
        "wire",
    )

    def __init__(self, sequence: int, request: Request) -> None:
        self.sequence = sequence
        self.request = request
        self.digest: str | None = None
        self.wire: str | None = None
        self.operation: str | None = None
        self.model: str | None = None
        self.behaviour = ""
        self.simulated_id: str | None = None
        self.status: int | None = None
        self.response_bytes = 0
        self.events = 0
        self.content_events = 0
        self.usage: bytes | None = None
        self.tokens: Tokens | None = None
        self.response_id: str | None = None
        self.finish: str = OPEN
        self.client_error: str | None = None
        self.first_byte_ms: float | None = None
        self.ended_ms: float | None = None

    def add(self, event: Event) -> None:
        """Count an event whose last byte was handed to the connection."""
        if event.kind != COMMENT:
            self.events += 1
            self.content_events += event.kind == CONTENT
        if event.usage is not None:
            self.usage = event.usage


class Ledger:
    """Every call since the start or the last ``clear``; with ``has_detail`` off only the sums."""

    def __init__(self, *, has_detail: bool = True) -> None:
        self.has_detail = has_detail
        self._sequence = 0
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self.clear()

    def clear(self) -> None:
        """Forget all; sequence numbers go on. Calls that are open now are forgotten too."""
        self._entries.clear()
        self._first_counted = self._sequence + 1
        self._sums: dict[str, int] = dict.fromkeys(("calls", "open", "request_bytes", "response_bytes", "events"), 0)
        self._tokens = [0] * len(Tokens.__struct_fields__)
        self._groups: dict[str, Counter[str]] = {name: Counter() for name in ("status", "finish", "model")}

    def open(self, request: Request) -> Entry:
        """A new entry for a call that has arrived."""
        self._sequence += 1
        entry = Entry(self._sequence, request)
        self._sums["calls"] += 1
        self._sums["open"] += 1
        self._sums["request_bytes"] += len(request.body)
        if self.has_detail:
            entry.digest = hashlib.sha256(request.body).hexdigest()
            self._entries.append(entry)
        return entry

    def close(self, entry: Entry, finish: str) -> None:
        """The call has ended, as ``finish`` says; only the first time counts."""
        if entry.finish != OPEN:
            return
        entry.finish, entry.ended_ms = finish, time.time() * 1000
        if entry.sequence >= self._first_counted:
            self._count(entry)

    def _count(self, entry: Entry) -> None:
        sums = self._sums
        sums["open"] -= 1
        sums["response_bytes"] += entry.response_bytes
        sums["events"] += entry.events
        if entry.tokens is not None:
            self._tokens = list(map(add, self._tokens, msgspec.structs.astuple(entry.tokens)))
        self._groups["status"][str(entry.status)] += 1
        self._groups["finish"][entry.finish] += 1
        self._groups["model"][entry.model or ""] += 1

    def totals(self) -> dict[str, Any]:
        """Sums of all calls; bytes, events and tokens of those that have ended."""
        tokens = {f"{name}_tokens": count for name, count in zip(Tokens.__struct_fields__, self._tokens, strict=True)}
        groups = {f"by_{name}": dict(counter) for name, counter in self._groups.items()}
        return {**self._sums, **tokens, **groups}

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Entries with a higher sequence number than ``since``, newest last."""
        skipped = max(0, since - (self._entries[0].sequence - 1)) if self._entries else 0
        return [_shown(entry) for entry in islice(self._entries, skipped, None)]


def _shown(entry: Entry) -> dict[str, Any]:
    request = entry.request
    return {
        "sequence": entry.sequence,
        "connection": request.connection,
        "method": request.method,
        "path": request.path,
        "query": _query(request.query),
        "wire": entry.wire,
        "operation": entry.operation,
        "model": entry.model,
        "behaviour": entry.behaviour,
        "simulated_id": entry.simulated_id,
        "request_id": next((value for name in _REQUEST_IDS if (value := request.header(name))), None),
        "request_bytes": len(request.body),
        "request_sha256": entry.digest,
        "request_headers": [_header(name.decode("latin-1"), value) for name, value in request.headers],
        "status": entry.status,
        "response_id": entry.response_id,
        "response_bytes": entry.response_bytes,
        "events": entry.events,
        "content_events": entry.content_events,
        "usage": None if entry.usage is None else msgspec.Raw(entry.usage),
        "tokens": entry.tokens,
        "finish": entry.finish,
        "client_error": entry.client_error,
        "received_ms": request.received_ms,
        "first_byte_ms": entry.first_byte_ms,
        "ended_ms": entry.ended_ms,
    }


def _header(name: str, value: bytes) -> tuple[str, str]:
    if name not in _CREDENTIALS:
        return name, value.decode("latin-1")
    scheme, _, credential = value.decode("latin-1").rpartition(" ")
    return name, f"{scheme} {_hashed(credential)}".strip()


def _query(query: str) -> str:
    """The query with the value of ``key`` (Gemini's credential) hashed."""
    if "key=" not in query:
        return query
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, _hashed(value) if name == "key" else value) for name, value in pairs], safe=":")


def _hashed(credential: str) -> str:
    return f"sha256:{hashlib.sha256(credential.encode('latin-1', 'replace')).hexdigest()}"
