"""How quick, how lean in memory and how small on disk the road from a log to gold is. See benchmarks/README.md.

Exit code 1 where a figure misses its bar.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
from layers import layer_lines, live_share, weigh
from logs import log_line, make_log
from refresh import Plan, measure, refresh_lines
from road import Road, dagster_seconds, road_lines, travel
from verdicts import Verdict, table

PARTS = "abcd"
RATIO_BAR, REFRESH_BAR, GROWTH_BAR, PEAK_BAR_GIB, LIVE_BAR = 3.0, 1.3, 1.3, 2.0, 0.6


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what is asked for and prints it, the table of verdicts last."""
    options = _options(arguments)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    _say(f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="tollhouse-bench-", dir=options.work) as work:
        folder = Path(work)
        if set(options.only) & set("acd"):
            verdicts += _roads(options, folder)
        if "b" in options.only:
            verdicts += _refreshes(options, folder)
    _say("", table(verdicts))
    return 0 if all(verdict.is_met for verdict in verdicts) else 1


def _roads(options: argparse.Namespace, folder: Path) -> list[Verdict]:
    """(a), (c) and (d) come from the same runs."""
    kept = options.keep or folder / "logs"
    verdicts: list[Verdict] = []
    roads: list[Road] = []
    for calls in sorted(options.calls):
        log = make_log(kept, calls, is_lean=options.log == "lean")
        _say("", f"== {calls:,} calls", log_line(log))
        road = travel(log, folder, options.repeat)
        file = folder / "lake" / "tollhouse.yml"
        weights = weigh(file, calls)
        _say(*road_lines(road), f"Dagster's start-up, not in the run: {dagster_seconds(file):.2f} s")
        _say(*layer_lines(log, weights))
        roads.append(road)
        verdicts.append(Verdict(f"a: log to gold, {calls:,} calls, times the floor", road.ratio, RATIO_BAR))
        verdicts.append(
            Verdict(f"d: live bytes over the raw log, {calls:,} calls", live_share(log, weights), LIVE_BAR, "")
        )
    return sorted([*verdicts, *_memory(roads)], key=lambda verdict: verdict.subject[0])


def _memory(roads: Sequence[Road]) -> list[Verdict]:
    short, long = roads[0], roads[-1]
    peak = max(road.peak_bytes for road in roads) / (1 << 30)
    found = [Verdict("c: peak RSS of the process tree", peak, PEAK_BAR_GIB, " GiB")]
    if len(roads) > 1:
        name = f"c: peak RSS, {long.log.facts.calls:,} calls over {short.log.facts.calls:,}"
        found.append(Verdict(name, long.peak_bytes / short.peak_bytes, GROWTH_BAR))
    return found


def _refreshes(options: argparse.Namespace, folder: Path) -> list[Verdict]:
    plan = Plan(sorted(options.history_days), options.calls_a_day, options.refreshes, options.log == "lean")
    _say(
        "",
        f"== one refresh of 10,000 records on {' and '.join(map(str, plan.days))} days of {plan.calls_a_day:,} calls",
    )
    histories = measure(plan, folder)
    _say(*refresh_lines(histories))
    short, long = histories[0], histories[-1]
    return [Verdict(f"b: refresh, {long.days} days over {short.days}", long.seconds / short.seconds, REFRESH_BAR)]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="+", default=[100_000, 1_000_000], help="sizes of the logs")
    parser.add_argument("--only", default=PARTS, help="parts, for example ac; by default abcd")
    parser.add_argument("--log", choices=("lean", "demo"), default="lean", help="short calls, or those of the demo")
    parser.add_argument("--repeat", type=int, default=3, help="runs of floor and road, the best counts")
    parser.add_argument("--history-days", type=int, nargs=2, default=[10, 100], help="days of the two histories")
    parser.add_argument("--calls-a-day", type=int, default=10_000, help="calls of a day of the histories")
    parser.add_argument("--refreshes", type=int, default=3, help="refreshes of each history, their median counts")
    parser.add_argument("--keep", type=Path, help="folder of the logs, to use them again")
    parser.add_argument("--work", type=Path, help="folder for the lakes; by default the system's temporary one")
    parser.add_argument("--quick", action="store_true", help="20,000 calls, 2 and 6 days: does it work at all")
    options = parser.parse_args(arguments)
    if options.quick:
        options.calls, options.history_days, options.repeat = [5_000, 20_000], [2, 6], 1
    return options


def _say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
