"""Lengths and arrivals in the shape of real traffic.

The numbers are fitted to the Azure LLM inference trace of 2023 (Azure Public Dataset, CC-BY 4.0): 8,819 code and
19,366 conversation requests of one hour. Only its distributions are here, none of its rows.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from tollhouse.demo.dice import Dice
from tollhouse.demo.moments import microseconds

QUANTILES = (0.0, 0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 1.0)
SLOT_SECONDS = 300
# Coefficient of variation of arrivals per five minutes: 0.48 for code, 0.24 for conversations; the mean of both.
SLOT_SIGMA = 0.35
# Half of the code requests come within 64 ms of the one before, at a mean distance of 390 ms.
CLUMP_SHARE = 0.25
CLUMP_MEAN_US = 60_000
DAY_SECONDS = 86_400
# Share of a day's calls by hour of the day in UTC: offices in Europe, then America, and jobs at night.
HOURS = (4, 3, 3, 3, 4, 6, 12, 26, 42, 50, 52, 48, 44, 52, 58, 60, 56, 48, 40, 34, 26, 18, 11, 6)
WEEKDAYS = (1.0, 1.08, 1.1, 1.05, 0.88, 0.28, 0.22)


@dataclass(frozen=True)
class Lengths:
    """A distribution of token counts by its quantiles, linear between them."""

    values: tuple[int, ...]

    def draw(self, uniform: float) -> int:
        """The value at the quantile ``uniform`` in [0, 1)."""
        at = bisect_right(QUANTILES, uniform) - 1
        share = (uniform - QUANTILES[at]) / (QUANTILES[at + 1] - QUANTILES[at])
        return int(self.values[at] + share * (self.values[at + 1] - self.values[at]))


CODE_INPUT = Lengths((3, 17, 75, 147, 578, 1469, 2745, 5186, 7302, 7436, 7437))
CODE_OUTPUT = Lengths((6, 6, 6, 7, 9, 13, 24, 55, 90, 252, 1899))
CHAT_INPUT = Lengths((2, 29, 181, 207, 396, 1020, 1189, 2735, 4083, 4142, 14050))
CHAT_OUTPUT = Lengths((7, 16, 41, 54, 85, 129, 395, 424, 451, 601, 1000))


def arrivals(calls: int, start: dt.datetime, end: dt.datetime, rng: Dice) -> Iterator[int]:
    """Exactly ``calls`` arrival times between ``start`` and ``end``, rising, in microseconds since 1970.

    Five-minute slots are weighted by hour and weekday and by a log-normal factor; within a slot, calls clump.
    """
    first = microseconds(start)
    width = min(SLOT_SECONDS * 1_000_000, microseconds(end) - first)
    slots = max(1, (microseconds(end) - first) // width)
    weights = [_weight(first + slot * width, rng) for slot in range(slots)]
    total = sum(weights)
    reached, given = 0.0, 0
    for slot, weight in enumerate(weights):
        reached += weight
        due = calls if slot == slots - 1 else int(calls * reached / total)
        yield from _within(first + slot * width, width, due - given, rng)
        given = due


def _weight(slot_us: int, rng: Dice) -> float:
    seconds = slot_us // 1_000_000
    weekday = (seconds // DAY_SECONDS + 3) % 7
    hour = seconds % DAY_SECONDS // 3600
    return HOURS[hour] * WEEKDAYS[weekday] * rng.lognormvariate(0.0, SLOT_SIGMA)


def _within(slot_us: int, width: int, count: int, rng: Dice) -> list[int]:
    moments = [int(rng.random() * width) for _ in range(count)]
    for at in range(1, count):
        if rng.random() < CLUMP_SHARE:
            moments[at] = min(width - 1, moments[at - 1] + int(rng.expovariate(1 / CLUMP_MEAN_US)))
    return sorted(slot_us + moment for moment in moments)
