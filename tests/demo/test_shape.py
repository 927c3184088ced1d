import datetime as dt
from collections import Counter
from itertools import pairwise

from tollhouse.demo.dice import Dice
from tollhouse.demo.moments import EPOCH, microseconds, rfc3339
from tollhouse.demo.shape import CHAT_OUTPUT, CODE_INPUT, arrivals

START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
END = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)


def drawn(calls: int) -> list[dt.datetime]:
    return [EPOCH + dt.timedelta(microseconds=us) for us in arrivals(calls, START, END, Dice(3))]


def test_arrivals_are_exactly_as_many_as_asked_for_in_order_and_within_bounds() -> None:
    moments = drawn(5_000)

    assert len(moments) == 5_000
    assert moments == sorted(moments)
    assert moments[0] >= START
    assert moments[-1] < END


def test_few_calls_are_spread_too() -> None:
    assert len(drawn(1)) == 1
    assert drawn(0) == []


def test_working_hours_and_weekdays_have_most_calls() -> None:
    moments = drawn(20_000)
    hours = Counter(moment.hour for moment in moments)
    days = Counter(moment.weekday() for moment in moments)

    assert hours[15] > 8 * hours[2]
    assert min(days[day] for day in range(5)) > 2 * max(days[5], days[6])


def test_calls_come_in_clumps() -> None:
    moments = drawn(20_000)
    gaps = sorted(later - earlier for earlier, later in pairwise(moments))

    assert gaps[len(gaps) // 5] < dt.timedelta(seconds=1) < gaps[len(gaps) // 2]


def test_lengths_have_the_quantiles_of_the_trace() -> None:
    rng = Dice(1)
    lengths = sorted(CODE_INPUT.draw(rng.random()) for _ in range(20_000))

    assert 1350 < lengths[10_000] < 1600
    assert 4_900 < lengths[18_000] < 5_400
    assert (CHAT_OUTPUT.draw(0.0), CHAT_OUTPUT.draw(0.5), CHAT_OUTPUT.draw(0.99)) == (7, 129, 601)


def test_a_moment_is_written_in_utc_with_microseconds() -> None:
    moment = dt.datetime(2026, 1, 31, 23, 59, 59, 7, tzinfo=dt.UTC)

    assert rfc3339(microseconds(moment)) == "2026-01-31T23:59:59.000007Z"
