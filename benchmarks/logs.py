"""The request logs that are measured: written once for given arguments, then used again from their folder."""

import datetime as dt
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tollhouse.demo.bodies import compression_ratio
from tollhouse.demo.lean import LEAN_BODY_BYTES
from tollhouse.demo.spooling import WORKERS, write_records
from tollhouse.demo.traffic import BODY_BYTES, Routed, generate
from tollhouse.spool.reader import list_segments
from tollhouse.spool.records import CallOutcome

END = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
CALLS_PER_DAY = 100_000
SEED = 7
SAMPLED_OUTCOMES = 8_000
SMALLEST_BODY_RATIO = 0.25
_FACTS = "facts.json"


class Facts(msgspec.Struct, frozen=True):
    """What is known of a log, sizes in bytes; ``body_ratio``: some thousand bodies under zstd over their plain size."""

    calls: int
    days: float
    segments: int
    log_bytes: int
    body_bytes: int
    body_ratio: float


@dataclass(frozen=True)
class Log:
    """A spool with its facts."""

    spool: Path
    facts: Facts

    @property
    def as_of(self) -> dt.datetime:
        """When it is read: an hour after its end, so that no call is still open."""
        return END + dt.timedelta(hours=1)

    def segments(self) -> list[Path]:
        """Its sealed segments."""
        return [segment.path for segment in list_segments(self.spool) if segment.is_sealed]


def make_log(folder: Path, calls: int, *, is_lean: bool) -> Log:
    """The log of ``calls`` calls at 100,000 a day, out of ``folder`` where it lies there already.

    Raises SystemExit where its bodies compress better than to a quarter.
    """
    place = folder / f"{'lean' if is_lean else 'demo'}-{calls}"
    found = place / _FACTS
    if not found.is_file():
        shutil.rmtree(place, ignore_errors=True)
        facts = _write(place / "spool", calls, is_lean=is_lean)
        found.write_bytes(msgspec.json.encode(facts))
    log = Log(place / "spool", msgspec.json.decode(found.read_bytes(), type=Facts))
    if log.facts.body_ratio < SMALLEST_BODY_RATIO:
        sys.exit(f"the bodies compress to {log.facts.body_ratio:.3f}: figures of storage would flatter")
    return log


def traffic(calls: int, days: float, end: dt.datetime, seed: int, *, is_lean: bool) -> Iterator[Routed]:
    """The generator's records with the benchmark's settings."""
    size = LEAN_BODY_BYTES if is_lean else BODY_BYTES
    return generate(calls=calls, days=days, seed=seed, end=end, workers=WORKERS, body_bytes=size, is_lean=is_lean)


def _write(spool: Path, calls: int, *, is_lean: bool) -> Facts:
    days = max(1.0, calls / CALLS_PER_DAY)
    meter = _Meter()
    write_records(spool, meter.through(traffic(calls, days, END, SEED, is_lean=is_lean)), at=END, seed=SEED)
    segments = [segment for segment in list_segments(spool) if segment.is_sealed]
    return Facts(
        calls=calls,
        days=days,
        segments=len(segments),
        log_bytes=sum(segment.bytes for segment in segments),
        body_bytes=meter.body_bytes,
        body_ratio=compression_ratio(meter.sample),
    )


class _Meter:
    """Counts bodies on their way, and keeps the first outcomes."""

    def __init__(self) -> None:
        self.body_bytes = 0
        self.sample: list[CallOutcome] = []

    def through(self, records: Iterator[Routed]) -> Iterator[Routed]:
        for worker, record in records:
            if isinstance(record, CallOutcome):
                self.body_bytes += len(record.request_body or "") + len(record.response_body or "")
                if len(self.sample) < SAMPLED_OUTCOMES:
                    self.sample.append(record)
            yield worker, record


def log_line(log: Log) -> str:
    """The log's facts in a line."""
    facts = log.facts
    return (
        f"log: {facts.calls:,} calls over {facts.days:g} days in {facts.segments} segments, "
        f"{facts.log_bytes / 1e6:,.0f} MB, "
        f"{facts.log_bytes / facts.calls:,.0f} bytes a call, {facts.body_bytes / facts.calls:,.0f} of them bodies, "
        f"which zstd takes to {facts.body_ratio:.3f}"
    )
