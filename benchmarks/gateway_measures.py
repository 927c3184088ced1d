"""What is measured of a gateway, and its lines in the output."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from gateway_bodies import agent, chat
from gateway_load import Plan
from gateway_processes import Measured, Process, held_open, load
from gateway_servers import AGENT_MODEL, CHAT_PATH, MESSAGES_PATH

CONNECTIONS, STREAMS, HELD_STREAMS, OPEN_LOOP_CONNECTIONS = 16, 40, 1000, 128


@dataclass(frozen=True)
class Target:
    """Where load goes, and whose CPU counts."""

    port: int
    headers: Mapping[str, str]
    process: Process


@dataclass(frozen=True)
class Pace:
    """How long each load is counted, after ``warm_seconds``, and how often; the median counts."""

    seconds: float
    repeat: int
    warm_seconds: float = 0.5


@dataclass(frozen=True)
class Costs:
    """CPU of one worker: µs a call at 2 kB and 76 kB, µs an event of streams; and its calls a second at 2 kB."""

    small_us: float
    agent_us: float
    paced_event_us: float
    burst_event_us: float
    small_calls_a_second: float
    resident_mib: float


@dataclass(frozen=True)
class Added:
    """Latency of one worker less that of going direct, at ``rate`` calls a second."""

    rate: float
    answered_a_second: float
    p50_ms: float
    p99_ms: float
    direct_p50_ms: float
    direct_p99_ms: float


def costs(target: Target, pace: Pace) -> Costs:
    """All four loads, each in closed loop."""
    small = _runs(_plan(target, chat("unary"), CONNECTIONS, pace), target, pace)
    agents = _runs(_agent_plan(target, pace), target, pace)
    paced = _runs(_plan(target, chat("paced-100-4", is_stream=True), STREAMS, pace), target, pace)
    return Costs(
        small_us=median(each.cpu_us_a_call for each in small),
        agent_us=median(each.cpu_us_a_call for each in agents),
        paced_event_us=median(each.cpu_us_an_event for each in paced),
        burst_event_us=burst_us(target, pace, CONNECTIONS),
        small_calls_a_second=median(each.calls_a_second for each in small),
        resident_mib=target.process.resident_bytes() / (1 << 20),
    )


def bare_us(target: Target, pace: Pace) -> tuple[float, float]:
    """CPU of a call at 2 kB and at 76 kB."""
    agents = _runs(_agent_plan(target, pace), target, pace)
    return small_us(target, pace, CONNECTIONS), median(each.cpu_us_a_call for each in agents)


def small_us(target: Target, pace: Pace, connections: int) -> float:
    """CPU of a call at 2 kB."""
    return median(each.cpu_us_a_call for each in _runs(_plan(target, chat("unary"), connections, pace), target, pace))


def burst_us(target: Target, pace: Pace, connections: int) -> float:
    """CPU of an event of a stream whose events come at once."""
    plan = _plan(target, chat("burst-100", is_stream=True), connections, pace)
    return median(each.cpu_us_an_event for each in _runs(plan, target, pace))


def added_latency(target: Target, direct: Target, rate: float, pace: Pace) -> Added:
    """Pairs of runs at the same rate, one after the other; the medians of the pairs' differences."""
    p50: list[float] = []
    p99: list[float] = []
    bare: list[Measured] = []
    served: list[Measured] = []
    for _ in range(pace.repeat):
        bare.append(load(_plan(direct, chat("unary"), OPEN_LOOP_CONNECTIONS, pace, rate)))
        served.append(load(_plan(target, chat("unary"), OPEN_LOOP_CONNECTIONS, pace, rate)))
        p50.append(served[-1].result.p50_ms - bare[-1].result.p50_ms)
        p99.append(served[-1].result.p99_ms - bare[-1].result.p99_ms)
    return Added(
        rate=rate,
        answered_a_second=median(each.calls_a_second for each in served),
        p50_ms=median(p50),
        p99_ms=median(p99),
        direct_p50_ms=median(each.result.p50_ms for each in bare),
        direct_p99_ms=median(each.result.p99_ms for each in bare),
    )


def held_mib(target: Target, pace: Pace) -> float:
    """Resident memory of the gateway and all that it started, with 1,000 open streams."""
    with held_open(_plan(target, chat("held", is_stream=True), HELD_STREAMS, pace, is_held=True)):
        return target.process.resident_bytes() / (1 << 20)


def _runs(plan: Plan, target: Target, pace: Pace) -> list[Measured]:
    return [load(plan, target.process) for _ in range(pace.repeat)]


def _agent_plan(target: Target, pace: Pace) -> Plan:
    plan = _plan(target, agent(AGENT_MODEL), CONNECTIONS, pace)
    plan.path = MESSAGES_PATH
    return plan


def _plan(
    target: Target, body: str, connections: int, pace: Pace, rate: float | None = None, *, is_held: bool = False
) -> Plan:
    return Plan(
        host="127.0.0.1",
        port=target.port,
        path=CHAT_PATH,
        headers=dict(target.headers),
        body=body,
        connections=connections,
        seconds=pace.seconds,
        warm_seconds=pace.warm_seconds,
        rate=rate,
        is_held=is_held,
    )
