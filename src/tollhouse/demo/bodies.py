"""How far the demo's bodies compress: text that repeats itself would flatter every figure of storage."""

from collections.abc import Iterable

import pyarrow as pa

from tollhouse.spool.records import CallOutcome, SpoolRecord

ZSTD_LEVEL = 3


def compression_ratio(records: Iterable[SpoolRecord]) -> float:
    """Size of all request and response bodies under zstd, taken as one text, over their plain size (0 to 1).

    1.0 where there is no body. Holds all bodies in memory: pass some thousand records.
    """
    bodies = [body for record in records if isinstance(record, CallOutcome) for body in _bodies(record)]
    plain = "\n".join(bodies).encode()
    if not plain:
        return 1.0
    return len(pa.Codec("zstd", ZSTD_LEVEL).compress(plain, asbytes=True)) / len(plain)


def _bodies(record: CallOutcome) -> list[str]:
    return [body for body in (record.request_body, record.response_body) if body]
