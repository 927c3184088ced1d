import random
from datetime import UTC, datetime

import pytest

from tollhouse.gateway.configuration.document import Retries
from tollhouse.gateway.retry import may_go_on, retry_after_seconds, wait_before_retry

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
RETRIES = Retries(attempts=3, base_ms=100, max_ms=250)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        ([("retry-after", "7")], 7.0),
        ([("retry-after", " 1.5 ")], 1.5),
        ([("retry-after", "0")], 0.0),
        ([("retry-after-ms", "250")], 0.25),
        ([("retry-after", "7"), ("retry-after-ms", "250")], 0.25),
        ([("retry-after", "7"), ("retry-after-ms", "soon")], 7.0),
        ([("retry-after", "Mon, 23 Nov 2026 12:00:30 GMT")], 30.0),
        ([("retry-after", "Mon, 23 Nov 2026 12:00:30 -0000")], 30.0),
        ([("retry-after", "Mon, 23 Nov 2026 14:00:30 +0200")], 30.0),
        ([("retry-after", "Mon, 23 Nov 2026 11:00:00 GMT")], 0.0),
        ([("retry-after", "-1")], None),
        ([("retry-after", "nan")], None),
        ([("retry-after", "inf")], None),
        ([("retry-after", "1e9")], None),
        ([("retry-after", "٣")], None),
        ([("retry-after", "1.")], 1.0),
        ([("retry-after", "")], None),
        ([("retry-after", "tomorrow")], None),
        ([("retry-after", "Mon, 99 Nov 2026 12:00:30 GMT")], None),
        ([("x-retry-after", "7")], None),
    ],
)
def test_a_provider_says_how_long_to_wait(headers: list[tuple[str, str]], seconds: float | None) -> None:
    assert retry_after_seconds(headers, NOW) == seconds


def test_a_wait_is_random_below_a_bound_that_doubles_up_to_the_longest() -> None:
    dice = random.Random(1)
    waits = [[wait_before_retry(attempt, None, RETRIES, dice) or 0.0 for _ in range(500)] for attempt in (1, 2, 3)]

    assert [0 <= min(found) < 0.01 for found in waits] == [True] * 3
    assert [round(max(found), 2) for found in waits] == pytest.approx([0.1, 0.2, 0.25], abs=0.011)


def test_after_so_many_retries_it_goes_on() -> None:
    assert wait_before_retry(3, None, RETRIES, random.Random(1)) is not None
    assert wait_before_retry(4, None, RETRIES, random.Random(1)) is None
    assert wait_before_retry(1, None, Retries(attempts=0), random.Random(1)) is None
    assert wait_before_retry(4, 0.0, RETRIES, random.Random(1)) is None


def test_a_retry_after_is_obeyed_and_not_all_come_at_once() -> None:
    dice = random.Random(1)
    waits = [wait_before_retry(1, 0.2, RETRIES, dice) or 0.0 for _ in range(100)]

    assert 0.2 <= min(waits) < max(waits) <= 0.3


def test_a_retry_after_beyond_the_longest_wait_goes_on_at_once() -> None:
    assert wait_before_retry(1, 0.25, RETRIES, random.Random(1)) is not None
    assert wait_before_retry(1, 0.251, RETRIES, random.Random(1)) is None


@pytest.mark.parametrize(
    ("status", "may"),
    [(200, False), (400, False), (401, False), (404, False), (408, False), (429, True), (500, True), (529, True)],
)
def test_another_attempt_helps_after_429_and_5xx(status: int, may: bool) -> None:
    assert may_go_on(status) is may
