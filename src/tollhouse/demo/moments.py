"""Moments as microseconds since 1970, which is what the generator computes with."""

import datetime as dt
from functools import lru_cache

SECOND = 1_000_000
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def microseconds(moment: dt.datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


def rfc3339(us: int) -> str:
    """``2026-01-31T23:59:59.000000Z`` of microseconds since 1970."""
    second, rest = divmod(us, SECOND)
    return f"{_second(second)}.{rest:06d}Z"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return (EPOCH + dt.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
