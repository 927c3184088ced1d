"""How much of its best speed a shared host gives at the moment."""

from statistics import median
from time import perf_counter, perf_counter_ns

_SECONDS = 1.0
_ROUNDS = 2000


def pace() -> str:
    """A line on one second of the same Python loop: its quickest and its median time, which neighbours raise."""
    taken: list[int] = []
    end = perf_counter() + _SECONDS
    while perf_counter() < end:
        begun = perf_counter_ns()
        _work()
        taken.append(perf_counter_ns() - begun)
    quickest, middle = min(taken) / 1000, median(taken) / 1000
    return f"host: a loop of Python takes {middle:.0f} µs, at best {quickest:.0f} µs ({middle / quickest:.2f} times)"


def _work() -> int:
    total = 0
    for number in range(_ROUNDS):
        total += number * number
    return total
