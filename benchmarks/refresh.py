"""One refresh of 10,000 records on a short and on a long history: does the past cost anything?

Both histories end at the same midnight, and the short one is the end of the long one: a day's calls are drawn from
its date. Each day is written, read (``as_of`` a quarter of an hour later) and maintained as the daily schedule does it.
"""

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from logs import END, SEED, traffic
from road import settings_file

from tollhouse.demo import late
from tollhouse.demo.lean import LEAN_BODY_BYTES
from tollhouse.demo.ledger import Ledger
from tollhouse.demo.spooling import WORKERS, write_records
from tollhouse.demo.traffic import BODY_BYTES, Routed
from tollhouse.lake import maintenance
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.run import run_steps
from tollhouse.settings import Settings, load_settings
from tollhouse.spool.records import Identity

GRACE = dt.timedelta(minutes=15)
# The last days' open calls are those that refreshes resolve.
OPEN_DAYS = 10


@dataclass
class History:
    """A lake with a past, and the refreshes measured on it: seconds by step.

    ``calls`` and ``open_calls`` are what the lake must hold, all calls and those in doubt.
    """

    days: int
    settings: Settings
    ledger: Ledger
    calls: int = 0
    open_calls: int = 0
    files: int = 0
    built_seconds: float = 0.0
    refreshes: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    cpu_seconds: list[float] = field(default_factory=list[float])

    @property
    def seconds(self) -> float:
        """The median refresh as a whole."""
        return median(sum(steps.values()) for steps in self.refreshes)

    def step(self, name: str) -> float:
        """The median of one step."""
        return median(steps[name] for steps in self.refreshes)


@dataclass(frozen=True)
class Plan:
    """Sizes of the measurement; ``repeat`` refreshes follow each other hour by hour."""

    days: Sequence[int]
    calls_a_day: int
    repeat: int
    is_lean: bool


def measure(plan: Plan, folder: Path) -> list[History]:
    """Builds every history, then refreshes them in turns, so that the machine's moods meet all alike."""
    histories = [_build(plan, days, folder / f"history-{days}") for days in plan.days]
    for number in range(plan.repeat):
        for history in histories:
            history.refreshes.append(_refresh(plan, history, number))
    return histories


def _build(plan: Plan, days: int, folder: Path) -> History:
    begun = perf_counter()
    settings = load_settings(str(settings_file(folder, folder / "spool")))
    history = History(days, settings, Ledger())
    for ago in range(days, 0, -1):
        end = END - dt.timedelta(days=ago - 1)
        records = traffic(plan.calls_a_day, 1, end, SEED + ago, is_lean=plan.is_lean)
        known = write_records(settings.spool_dir, _told_once(records, is_first=ago == days), at=end, seed=SEED)
        history.calls += known.calls
        history.open_calls += len(known.open_calls)
        if ago <= OPEN_DAYS:
            history.ledger.open_calls |= known.open_calls
            history.ledger.sample.extend(known.sample)
        with Lakehouse(settings) as lake:
            list(run_steps(lake, end + GRACE))
            maintenance.daily(lake, end + GRACE)
        if ago % 10 == 1:
            print(
                f"history of {days} days: {ago - 1} to go, {perf_counter() - begun:.0f} s", file=sys.stderr, flush=True
            )
    with Lakehouse(settings) as lake:
        history.files = sum(len(lake.state(table).files) for table in lake.tables())
        _check(lake, history)
    history.built_seconds = perf_counter() - begun
    return history


def _told_once(records: Iterator[Routed], *, is_first: bool) -> Iterator[Routed]:
    """Principals are told of on the first day; later days would only say the same."""
    return (pair for pair in records if is_first or not isinstance(pair[1], Identity))


def _refresh(plan: Plan, history: History, number: int) -> dict[str, float]:
    end = END + dt.timedelta(hours=number)
    resolved = min(late.RESOLVED, len(history.ledger.open_calls) // (plan.repeat - number))
    size = LEAN_BODY_BYTES if plan.is_lean else BODY_BYTES
    records = late.refresh_records(
        history.ledger, end=end, seed=SEED + number, workers=WORKERS, resolved=resolved, body_bytes=size,
        is_lean=plan.is_lean,
    )  # fmt: skip
    until = end + dt.timedelta(hours=late.FRESH_HOURS)
    write_records(history.settings.spool_dir, records, at=until, seed=SEED)
    for name in list(history.ledger.open_calls)[:resolved]:
        del history.ledger.open_calls[name]
    history.calls += late.FRESH + late.LATE
    history.open_calls -= resolved
    begun, spent = perf_counter(), process_time()
    with Lakehouse(history.settings) as lake:
        steps = {report.step: report.seconds for report in run_steps(lake, until)}
    steps["open and close"] = perf_counter() - begun - sum(steps.values())
    history.cpu_seconds.append(process_time() - spent)
    with Lakehouse(history.settings) as lake:
        _check(lake, history)
    return steps


def _check(lake: Lakehouse, history: History) -> None:
    """Raises SystemExit where the lake does not hold each call once: a figure of a wrong result is worth nothing."""
    query = (
        "SELECT count(*), count(DISTINCT invocation_id), count(*) FILTER (WHERE invocation_state = 'in_doubt') FROM "
    )
    (found,) = lake.connection.execute(query + lake.relation("silver.invocations")).fetchall()
    if found != (history.calls, history.calls, history.open_calls):
        sys.exit(
            f"{history.calls} calls were written, {history.open_calls} of them open; rows, calls, in doubt: {found}"
        )


def refresh_lines(histories: Sequence[History]) -> list[str]:
    """Medians by history, whole and by step."""
    short, long = histories[0], histories[-1]
    lines = [
        f"history of {history.days} days: {history.files:,} live files, built in {history.built_seconds:.0f} s; "
        "refreshes "
        + ", ".join(f"{sum(steps.values()):.2f}" for steps in history.refreshes)
        + f" s, median {history.seconds:.2f} s, of all cores {median(history.cpu_seconds):.2f} s"
        for history in histories
    ]
    lines.append(f"  {'median seconds by step':<32} {short.days:>6} days {long.days:>6} days")
    steps = short.refreshes[0]
    return lines + [f"  {name:<32} {short.step(name):>11.2f} {long.step(name):>11.2f}" for name in steps]
