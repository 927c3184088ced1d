"""What a call through the gateway costs, beside going direct and LiteLLM's proxy. See benchmarks/README.md.

Every figure stands beside its bar. A figure that misses is no error: the exit code is 1 only where a call fails.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gateway_measures import Added, Costs, Pace, Target, added_latency, bare_us, burst_us, costs, held_mib, small_us
from gateway_processes import running, upstream
from gateway_servers import BareEcho, LiteLLM, Tollhouse, headers, install_litellm
from gateway_settling import medians, reload_seconds, revocation_seconds
from host import pace
from verdicts import Verdict, table

PARTS = "abcdef"
FAST, OTHERS = "sockets", ("aiohttp",)
SMALL_BAR, AGENT_BAR, EVENT_BAR, RATIO_BAR = 2500, 1200, 30_000, 20
P50_BAR_MS, P99_BAR_MS, MEMORY_BAR_MIB, SETTLE_BAR_SECONDS = 0.5, 3.0, 300, 1.0
LITELLM_CONNECTIONS, LITELLM_WARM_SECONDS = 4, 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what is asked for and prints it, the table of verdicts last."""
    options = _options(arguments)
    _say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="tollhouse-bench-", dir=options.work) as work:
        run = Run(options, Path(work))
        with running(run.upstream):
            _say(pace())
            verdicts = run.measure()
            _say("", pace())
    _say("", table(verdicts))
    return 0


class Run:
    """One run of the parts that were asked for."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self._pace = Pace(options.seconds, options.repeat)
        self._gateways = 0
        self.upstream, self._port = upstream(folder)
        self._direct = Target(self._port, headers("sk-direct"), self.upstream)

    def measure(self) -> list[Verdict]:
        verdicts: list[Verdict] = []
        parts = set(self._options.only)
        if parts & set("abf"):
            verdicts, (found, strict) = self._costs()
            if "b" in parts:
                verdicts += self._latencies(found.small_calls_a_second / 2, strict.small_calls_a_second / 2)
            if "f" in parts:
                verdicts += self._litellm(found.small_us)
        if "c" in parts:
            verdicts += self._memory()
        if "d" in parts:
            verdicts += self._settling()
        if "e" in parts:
            self._others()
        return verdicts

    def _gateway(self, transport: str = FAST, durability: str = "interval", workers: int = 1) -> Tollhouse:
        self._gateways += 1
        folder = self._folder / f"gateway-{self._gateways}"
        return Tollhouse(folder, self._port, transport, durability, workers)

    def _cost(self, transport: str, durability: str) -> Costs:
        gateway = self._gateway(transport, durability)
        with running(gateway.start()) as process:
            found = costs(Target(gateway.port, gateway.headers, process), self._pace)
        _say(
            f"{transport:<10} {durability:<9} {found.small_us:>6.0f} {found.agent_us:>7.0f} "
            f"{found.paced_event_us:>9.1f} {found.burst_event_us:>9.1f} {found.small_calls_a_second:>9.0f} "
            f"{found.resident_mib:>8.0f}"
        )
        return found

    def _costs(self) -> tuple[list[Verdict], tuple[Costs, Costs]]:
        _say("", "== (a) CPU of one worker, in µs; everything is logged")
        _say("transport  spool       2 kB   76 kB   event 4ms  event 0ms  calls/s  RSS MiB")
        found = self._cost(FAST, "interval")
        strict = self._cost(FAST, "strict")
        _say(pace())
        echo = BareEcho(self._folder / "echo")
        with running(echo.start()) as process:
            small, agent = bare_us(Target(echo.port, headers("sk-bare"), process), self._pace)
        _say(f"{'uvicorn, a bare echo':<20} {small:>6.0f} {agent:>7.0f}")
        return [
            Verdict("a: calls a second per core, 2 kB", 1e6 / found.small_us, SMALL_BAR, "/s", is_least=True),
            Verdict("a: calls a second per core, 76 kB", 1e6 / found.agent_us, AGENT_BAR, "/s", is_least=True),
            Verdict("a: events a second per core, 4 ms", 1e6 / found.paced_event_us, EVENT_BAR, "/s", is_least=True),
            Verdict("a: events a second per core, at once", 1e6 / found.burst_event_us, EVENT_BAR, "/s", is_least=True),
        ], (found, strict)

    def _others(self) -> None:
        _say("", "== (e) the same over the other transports")
        for transport in OTHERS:
            self._cost(transport, "interval")

    def _latency(self, durability: str, rate: float) -> Added:
        gateway = self._gateway(FAST, durability)
        with running(gateway.start()) as process:
            target = Target(gateway.port, gateway.headers, process)
            found = added_latency(target, self._direct, rate, self._pace)
        _say(
            f"{durability:<9} at {rate:.0f} calls/s, {found.answered_a_second:.0f} answered: "
            f"added p50 {found.p50_ms:.2f} ms, p99 {found.p99_ms:.2f} ms "
            f"(direct {found.direct_p50_ms:.2f} and {found.direct_p99_ms:.2f} ms)"
        )
        return found

    def _latencies(self, rate: float, strict_rate: float) -> list[Verdict]:
        _say("", "== (b) added latency, 2 kB, at half of the highest rate")
        found = self._latency("interval", rate)
        self._latency("strict", strict_rate)
        return [
            Verdict("b: added latency, p50", found.p50_ms, P50_BAR_MS, " ms"),
            Verdict("b: added latency, p99", found.p99_ms, P99_BAR_MS, " ms"),
        ]

    def _memory(self) -> list[Verdict]:
        gateway = self._gateway()
        with running(gateway.start()) as process:
            held = held_mib(Target(gateway.port, gateway.headers, process), self._pace)
        _say("", f"== (c) memory with 1,000 open streams: {held:.0f} MiB")
        return [Verdict("c: RSS with 1,000 open streams", held, MEMORY_BAR_MIB, " MiB")]

    def _settling(self) -> list[Verdict]:
        _say("", "== (d) two workers: how soon both obey")

        def revoked() -> float:
            gateway = self._gateway(workers=2)
            with running(gateway.start()) as process:
                return revocation_seconds(gateway, process)

        def reloaded() -> float:
            gateway = self._gateway(workers=2)
            with running(gateway.start()) as process:
                return reload_seconds(gateway, process)

        verdicts: list[Verdict] = []
        for name, measure in (("revocation", revoked), ("reload", reloaded)):
            middle, most = medians(measure, self._options.repeat)
            _say(f"{name}: median {middle:.2f} s, longest {most:.2f} s")
            verdicts.append(Verdict(f"d: {name} in both workers, longest", most, SETTLE_BAR_SECONDS, " s"))
        return verdicts

    def _litellm(self, small: float) -> list[Verdict]:
        _say("", "== (f) LiteLLM's proxy, bodies logged by a callback")
        program = install_litellm(self._options.keep or self._folder)
        if isinstance(program, str):
            _say(f"skipped: {program}")
            return []
        peer = LiteLLM(self._folder / "peer", self._port, program)
        with running(peer.start()) as process:
            target = Target(peer.port, peer.headers, process)
            pace = replace(self._pace, warm_seconds=LITELLM_WARM_SECONDS)
            cost = small_us(target, pace, LITELLM_CONNECTIONS)
            event = burst_us(target, pace, LITELLM_CONNECTIONS)
            memory = process.resident_bytes() / (1 << 20)
        _say(
            f"{cost:.0f} µs a call at 2 kB, {event:.0f} µs an event at once, {memory:.0f} MiB; "
            f"{peer.logged_calls:,} calls in its log; ours takes {small:.0f} µs"
        )
        return [Verdict("f: LiteLLM's CPU a call over ours, 2 kB", cost / small, RATIO_BAR, "x", is_least=True)]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=PARTS, help="parts, for example ab; by default abcdef")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each load is counted")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each load, whose median counts")
    parser.add_argument("--keep", type=Path, help="folder for LiteLLM's environment (0.6 GB), to use it again")
    parser.add_argument("--work", type=Path, help="folder for spools; by default the system's temporary one")
    parser.add_argument("--quick", action="store_true", help="a second each, once: does it work at all")
    options = parser.parse_args(arguments)
    if options.keep:
        options.keep = options.keep.absolute()
    if options.quick:
        options.seconds, options.repeat = 1.0, 1
    return options


def _say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
