from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tollhouse.spool.records import Event
from tollhouse.spool.writer import SpoolWriter

SPOOL_ID = "5b1f7a3e-0000-4000-8000-00000000000a"


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def go(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def event() -> Callable[[int], Event]:
    """A small record that can be told from others by its number; it has no ASCII-only text and an escaped newline."""

    def make(number: int) -> Event:
        return Event(
            recorded_at="2026-03-01T12:00:00.000000Z",
            event_id=f"event-{number}",
            event_type="audit",
            event_time="2026-03-01T12:00:00.000000Z",
            attributes={"note": f"zażółć\n{number}"},
        )

    return make


@pytest.fixture
def spool(tmp_path: Path, clock: Clock) -> Callable[..., SpoolWriter]:
    """Opens a writer that seals only when told to."""

    def open_writer(**settings: object) -> SpoolWriter:
        return SpoolWriter(tmp_path / "spool", **{"clock": clock, "spool_id": SPOOL_ID, **settings})

    return open_writer
