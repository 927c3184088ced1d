"""Ids with the time in their first 48 bits: UUIDv7 for our own records, UUIDv8 for those of others."""

import datetime as dt

_TIME_BITS = 48
_TIME_MASK = (1 << _TIME_BITS) - 1
_LOW_BITS = 62
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def uuid7(unix_ms: int, random_bits: int) -> str:
    """The UUIDv7 (RFC 9562) of a time in milliseconds since 1970 and 74 random bits (higher ones are cut off)."""
    return _with_time(unix_ms, 7, random_bits)


def uuid8(unix_ms: int, digest: bytes) -> str:
    """A UUIDv8: the time, then the leading hexadecimal digits of ``digest`` (at least 10 bytes) around the fixed ones.

    The same time and digest always give the same id. Whole digits, because the models make the same id in SQL.
    """
    if len(digest) < 10:
        raise ValueError(f"uuid8 needs a digest of at least 10 bytes, got {len(digest)}; pass a SHA-256")
    digits = digest.hex()
    return _with_time(unix_ms, 8, (int(digits[:3], 16) << _LOW_BITS) | int(digits[3:18], 16))


def date_of(uuid: str) -> dt.date:
    """The UTC date inside an id made by ``uuid7`` or ``uuid8``."""
    return (_EPOCH + dt.timedelta(milliseconds=int(uuid[:8] + uuid[9:13], 16))).date()


def _with_time(unix_ms: int, version: int, random_bits: int) -> str:
    if not 0 <= unix_ms <= _TIME_MASK:
        raise ValueError(f"{unix_ms} ms since 1970 does not fit in the 48 bits of a UUID's time")
    high = (random_bits >> _LOW_BITS) & 0xFFF
    low = random_bits & ((1 << _LOW_BITS) - 1)
    text = f"{(unix_ms << 80) | (version << 76) | (high << 64) | (2 << 62) | low:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
