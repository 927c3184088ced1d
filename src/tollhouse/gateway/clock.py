"""The wall clock of the log: microseconds since 1970 and their spelling."""

import time

from tollhouse.spool.times import to_text_us


def now_us() -> int:
    """Microseconds since 1970 (UTC)."""
    return time.time_ns() // 1000


def elapsed_ms(since_ns: int) -> int:
    """Whole milliseconds since a reading of ``time.monotonic_ns``."""
    return (time.monotonic_ns() - since_ns) // 1_000_000


rfc3339 = to_text_us
