"""RFC 3339 in UTC with microseconds, the one spelling of time in the spool."""

from datetime import UTC, datetime
from functools import lru_cache


def utc_now() -> datetime:
    """The system's wall clock, aware and in UTC."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """``2026-01-31T23:59:59.000000Z`` of an aware ``moment``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """The moment that ``to_text`` wrote; ValueError for anything that is not a time with an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return moment.astimezone(UTC)


def to_text_us(us: int) -> str:
    """``to_text`` of microseconds since 1970."""
    second, micro = divmod(us, 1_000_000)
    return f"{_second_text(second)}.{micro:06d}Z"


@lru_cache(maxsize=8)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
