import datetime as dt
import hashlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.ids import date_of, uuid7, uuid8

TIMES = st.integers(0, (1 << 48) - 1)


@given(TIMES, st.integers(0, (1 << 74) - 1))
def test_a_uuid7_carries_its_time_version_and_variant(unix_ms: int, bits: int) -> None:
    parsed = uuid.UUID(uuid7(unix_ms, bits))

    assert (parsed.int >> 80, parsed.version, parsed.variant) == (unix_ms, 7, uuid.RFC_4122)
    assert (parsed.int & ((1 << 62) - 1)) | ((parsed.int >> 64 & 0xFFF) << 62) == bits


@given(TIMES, st.binary(min_size=10, max_size=32))
def test_a_uuid8_carries_its_time_version_and_variant(unix_ms: int, digest: bytes) -> None:
    parsed = uuid.UUID(uuid8(unix_ms, digest))

    assert (parsed.int >> 80, parsed.version, parsed.variant) == (unix_ms, 8, uuid.RFC_4122)


def test_the_same_record_next_week_has_the_same_uuid8() -> None:
    digest = hashlib.sha256(b"litellm/chatcmpl-1").digest()

    assert uuid8(1_763_900_000_000, digest) == uuid8(1_763_900_000_000, digest)
    assert uuid8(1_763_900_000_000, digest) != uuid8(1_763_900_000_000, hashlib.sha256(b"other").digest())


def test_ids_made_later_sort_later() -> None:
    assert uuid7(1_000, (1 << 74) - 1) < uuid7(1_001, 0)


def test_the_date_of_an_id_is_the_utc_date_of_its_time() -> None:
    last_ms = int(dt.datetime(2026, 11, 23, 23, 59, 59, 999_000, tzinfo=dt.UTC).timestamp() * 1000)

    assert date_of(uuid7(last_ms, 5)) == dt.date(2026, 11, 23)
    assert date_of(uuid7(last_ms + 1, 5)) == dt.date(2026, 11, 24)
    assert date_of(uuid8(0, bytes(32))) == dt.date(1970, 1, 1)


def test_a_time_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="48 bits"):
        uuid7(-1, 0)


def test_a_short_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 10 bytes, got 3"):
        uuid8(0, b"abc")
