"""The metrics of a gateway, for Prometheus.

Labels are names out of the configuration and codes of our own. What a provider writes is bounded: an error's code
counts as ``other`` once there are 200 of them, or where it is longer than a code would be.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Protocol

import msgspec

from tollhouse.gateway.operations.series import Bounded, Counter, Files, Gauge, Histogram
from tollhouse.gateway.operations.tokens import tokens_of
from tollhouse.spool.records import Attempt, CallOutcome

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
NONE = "none"
_FLUSH_SECONDS = 0.5
_MOST_VALUES = 200
_BATCH_CALLS, _BATCH_BYTES = 64, 1 << 20
_REJECTED = "rejected"
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
_FIRST_BYTE_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_OVERHEAD_SECONDS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)


class SpoolCounts(Protocol):
    """What a spool counts itself, since its start."""

    failed_appends: int
    dropped_records: int


class Metrics:
    """One worker's. Within an event loop, what a call adds is in the exposition at most half a second later."""

    def __init__(self, folder: Path | None = None) -> None:
        """``folder``, shared by the workers, is by default the one that the environment names, else one of its own."""
        self._own = None if folder or FOLDER_VARIABLE in os.environ else tempfile.TemporaryDirectory()
        self._files = Files(folder or Path(self._own.name if self._own else os.environ[FOLDER_VARIABLE]))
        self._spool: SpoolCounts | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ended: list[tuple[CallOutcome, int]] = []
        self._ended_bytes = 0
        self._error = Bounded(_MOST_VALUES)
        endpoint = ("endpoint",)
        self._calls = Counter(
            "tollhouse_calls", "Calls that have ended.", ("endpoint", "api_type", "status", "outcome")
        )
        self._attempts = Counter(
            "tollhouse_attempts", "Calls to providers.", ("destination", "provider", "status", "error_code")
        )
        self._tokens = Counter(
            "tollhouse_tokens",
            "Tokens that providers reported: all input, all output, input read from and written to a cache.",
            ("endpoint", "provider", "direction"),
        )
        self._losses = Counter("tollhouse_translation_losses", "Fields that a translation dropped.", endpoint)
        self._redactions = Counter("tollhouse_redactions", "Secrets taken out of log records.", endpoint)
        self._refusals = Counter("tollhouse_refusals", "Calls that the gateway itself refused.", ("error_code",))
        self._reloads = Counter("tollhouse_configuration_reloads", "Changed settings files.", ("result",))
        self._append_errors = Counter("tollhouse_spool_append_errors", "Records that the disk refused at first.")
        self._dropped = Counter("tollhouse_spool_dropped_records", "Records that were lost.")
        self._open = Gauge("tollhouse_open_calls", "Calls that have begun and not ended.")
        self._seconds = Histogram("tollhouse_call_seconds", "From request to last byte.", endpoint, _SECONDS)
        self._first_byte = Histogram(
            "tollhouse_time_to_first_byte_seconds", "From request to first byte.", endpoint, _FIRST_BYTE_SECONDS
        )
        self._overhead = Histogram(
            "tollhouse_gateway_overhead_seconds",
            "A call's time without its provider's, in whole milliseconds.",
            endpoint,
            _OVERHEAD_SECONDS,
        )

    def call_began(self) -> None:
        self._open.value += 1
        self._plan_flush()

    def call_ended(self, outcome: CallOutcome, redactions: int = 0) -> None:
        """``redactions``: secrets taken out of the record as it was written."""
        self._open.value -= 1
        self._ended.append((outcome, redactions))
        self._ended_bytes += (outcome.request_bytes or 0) + (outcome.response_bytes or 0)
        if len(self._ended) >= _BATCH_CALLS or self._ended_bytes >= _BATCH_BYTES:
            self._count_ended()
        self._plan_flush()

    def configuration_reloaded(self, is_ok: bool) -> None:
        """A changed settings file was taken into force, or refused."""
        self._reloads.add(("ok" if is_ok else "failed",))
        self._plan_flush()

    def watch(self, spool: SpoolCounts) -> None:
        """Show what ``spool`` counts."""
        self._spool = spool

    def exposition(self) -> bytes:
        """Every worker's metrics in Prometheus' text format, as they were flushed; any thread may ask for them."""
        return self._files.exposition()

    def flush(self) -> None:
        """Write what this worker has counted to its files."""
        self._count_ended()
        if self._spool is not None:
            self._append_errors.set(self._spool.failed_appends)
            self._dropped.set(self._spool.dropped_records)
        self._files.write(
            (
                *(self._calls, self._attempts, self._tokens, self._losses, self._redactions, self._refusals),
                *(self._reloads, self._append_errors, self._dropped, self._open),
                *(self._seconds, self._first_byte, self._overhead),
            )
        )

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.flush()
        self._files.close()
        if self._own is not None:
            self._own.cleanup()

    def _count_ended(self) -> None:
        """Count the calls that have ended, many in a row: one at a time would cost each of them twice as much."""
        ended, self._ended, self._ended_bytes = self._ended, [], 0
        for outcome, redactions in ended:
            self._count_call(outcome, redactions)

    def _count_call(self, outcome: CallOutcome, redactions: int) -> None:
        name = outcome.endpoint_name or NONE
        endpoint = (name,)
        self._calls.add((name, outcome.api_type or NONE, str(outcome.status_code), outcome.outcome))
        self._time(outcome, endpoint)
        for attempt in outcome.attempts:
            self._count_attempt(attempt, name)
        if outcome.outcome == _REJECTED:
            self._refusals.add((self._error(outcome.error_code or NONE),))
        if outcome.translation_losses:
            self._losses.add(endpoint, len(outcome.translation_losses))
        if redactions:
            self._redactions.add(endpoint, redactions)

    def _plan_flush(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self._flush_planned)

    def _flush_planned(self) -> None:
        self._timer = None
        self.flush()

    def _time(self, outcome: CallOutcome, endpoint: tuple[str]) -> None:
        latency = outcome.latency_ms
        if latency is None:
            return
        self._seconds.observe(endpoint, latency / 1000)
        if outcome.time_to_first_byte_ms is not None:
            self._first_byte.observe(endpoint, outcome.time_to_first_byte_ms / 1000)
        if outcome.upstream_ms is not None:
            self._overhead.observe(endpoint, max(0, latency - outcome.upstream_ms) / 1000)

    def _count_attempt(self, attempt: Attempt, endpoint: str) -> None:
        status = str(attempt.status_code) if attempt.status_code is not None else NONE
        error = self._error(attempt.error_code) if attempt.error_code else NONE
        self._attempts.add((attempt.destination_name, attempt.provider, status, error))
        if attempt.is_not_billable:  # reading a stored response again costs nothing
            return
        usage, usage_format = attempt.usage, attempt.usage_format
        if isinstance(usage, msgspec.Raw) and usage_format is not None:
            counts = tokens_of(usage, usage_format)
            directions = ("input", "output", "cache_read", "cache_creation")
            for direction, count in zip(directions, counts[:4], strict=True):
                if count is not None and count > 0:
                    self._tokens.add((endpoint, attempt.provider, direction), count)
