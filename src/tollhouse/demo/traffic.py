"""The demo's traffic: spool records of several workers, in the order of their times."""

import datetime as dt
import hashlib
import heapq
from collections.abc import Iterator
from itertools import accumulate, count
from typing import Any, Literal

import msgspec

from tollhouse.demo import company, endings, verdicts
from tollhouse.demo.callers import Callers
from tollhouse.demo.calls import Call, Switchboard
from tollhouse.demo.company import Principal
from tollhouse.demo.dice import Dice
from tollhouse.demo.endings import ENDINGS, Ending
from tollhouse.demo.endpoints import ENDPOINTS
from tollhouse.demo.lean import trimmed
from tollhouse.demo.moments import microseconds, rfc3339
from tollhouse.demo.shape import arrivals
from tollhouse.spool.records import Config, Identity, SpoolRecord

# Both bodies together.
BODY_BYTES = 1_300
DERIVED_SHARE = 0.01
DERIVED_SOURCES = ("judge", "shadow", "replay", "monitor")
GATEWAY_VERSION = "0.1.0"

Routed = tuple[int, SpoolRecord]
_ENDINGS = tuple(ending for ending, _ in ENDINGS)
_WEIGHTS = tuple(accumulate(weight for _, weight in ENDINGS))
_BLOCKED_PHASES: dict[Ending, Literal["input", "output"]] = {
    endings.blocked_before: "input",
    endings.blocked_after: "output",
}


def generate(
    *,
    calls: int,
    days: float,
    seed: int,
    end: dt.datetime,
    workers: int,
    body_bytes: int = BODY_BYTES,
    is_lean: bool = False,
) -> Iterator[Routed]:
    """Records of exactly ``calls`` calls that arrive in the ``days`` before ``end``, each with its worker's index.

    Records come in the order of ``recorded_at``; those of one call all come from one worker. Each worker starts with
    its CONFIG, the first one with every principal's IDENTITY; half-way one team moves to another cost center. The same
    arguments give the same records. The last outcomes may be recorded a few minutes after ``end``. ``body_bytes`` is
    the mean size of a request and response body together;
    ``is_lean`` gives the log of a plain gateway.
    """
    rng = Dice(seed)
    start = end - dt.timedelta(days=days)
    callers = Callers(rng)
    config = _config(microseconds(start))
    yield from ((worker, config) for worker in range(workers))
    yield from ((0, _identity(who, start, "created")) for who in callers.principals)
    board = Switchboard(rng, callers, workers, body_bytes, config.config_hash, is_lean=is_lean)
    yield from _merged(board, arrivals(calls, start, end, rng), start + (end - start) / 2)


def play(board: Switchboard, us: int) -> tuple[Call, list[tuple[int, SpoolRecord]]]:
    """One call at ``us`` and its records, each with its time in microseconds since 1970."""
    rng = board.rng
    call = board.draw(us)
    _derive(call, board)
    (ending,) = rng.choices(_ENDINGS, cum_weights=_WEIGHTS)
    records: list[tuple[int, SpoolRecord]] = [*ending(call, rng)]
    last_us = records[-1][0]
    phase = _BLOCKED_PHASES.get(ending)
    if phase:
        records += verdicts.blocking(call, last_us, phase, rng)
    elif ending is endings.completed:
        board.callers.remember(call.invocation_id)
        records += verdicts.background(call, last_us, rng)
    return call, [(at, trimmed(record)) for at, record in records] if board.is_lean else records


def _merged(board: Switchboard, moments: Iterator[int], middle: dt.datetime) -> Iterator[Routed]:
    """Records of overlapping calls, by time: a heap holds those of calls that are still open."""
    open_records: list[tuple[int, int, int, SpoolRecord]] = []
    order = count()
    middle_us, has_moved = microseconds(middle), False
    for us in moments:
        if us >= middle_us and not has_moved:
            has_moved = True
            moved = board.callers.move_team(company.MOVING_TEAM, company.MOVED_TO)
            for who in moved:
                heapq.heappush(open_records, (middle_us, next(order), 0, _identity(who, middle, "updated")))
        while open_records and open_records[0][0] <= us:
            yield _popped(open_records)
        call, records = play(board, us)
        for at, record in records:
            heapq.heappush(open_records, (at, next(order), call.worker, record))
    while open_records:
        yield _popped(open_records)


def _popped(open_records: list[tuple[int, int, int, SpoolRecord]]) -> Routed:
    _, _, worker, record = heapq.heappop(open_records)
    return worker, record


def _derive(call: Call, board: Switchboard) -> None:
    """Now and then the gateway itself is the caller: it judges, shadows or replays an earlier call, or probes."""
    if board.rng.random() >= DERIVED_SHARE:
        return
    source = board.rng.choice(DERIVED_SOURCES)
    parent = board.callers.recent()
    if source == "monitor":
        call.fields["source"] = source
    elif parent:
        call.fields |= {"source": source, "parent_invocation_id": parent}


def _config(us: int) -> Config:
    config: dict[str, Any] = {
        "endpoints": {name: {"destination": at.destination.destination_name} for name, at in ENDPOINTS.items()},
        "guardrails": [{"name": rail.name, "mode": rail.mode} for rail in verdicts.GUARDRAILS],
    }
    digest = hashlib.sha256(msgspec.json.encode(config)).hexdigest()
    return Config(recorded_at=rfc3339(us), config_hash=digest[:16], gateway_version=GATEWAY_VERSION, config=config)


def _identity(who: Principal, since: dt.datetime, change: Any) -> Identity:
    at = rfc3339(microseconds(since))
    return Identity(
        recorded_at=at,
        principal=who.name,
        principal_type=who.kind,
        valid_from=at,
        change=change,
        teams=[who.team.name],
        groups=list(who.groups),
        cost_center=who.team.cost_center,
        project=who.team.project,
    )
