"""One refresh of a lake that has a history: new calls, late ones, repeats, and ends of calls that were in doubt."""

import datetime as dt
from collections.abc import Iterator
from itertools import cycle, islice

from tollhouse.demo import company
from tollhouse.demo.callers import Callers
from tollhouse.demo.calls import Switchboard
from tollhouse.demo.dice import Dice
from tollhouse.demo.ledger import Ledger
from tollhouse.demo.moments import microseconds, rfc3339
from tollhouse.demo.shape import arrivals
from tollhouse.demo.traffic import BODY_BYTES, Routed, play
from tollhouse.errors import SpoolError
from tollhouse.spool.records import Admit, CallOutcome

FRESH, LATE, REPEATED, RESOLVED = 8_000, 1_450, 500, 50
LATE_DAYS = 7
FRESH_HOURS = 1


def refresh_records(
    history: Ledger,
    *,
    end: dt.datetime,
    seed: int,
    workers: int,
    fresh: int = FRESH,
    late: int = LATE,
    repeated: int = REPEATED,
    resolved: int = RESOLVED,
    body_bytes: int = BODY_BYTES,
    is_lean: bool = False,
) -> Iterator[Routed]:
    """OUTCOME records for one refresh after the ``history`` that ended at ``end``: by default 10,000.

    ``fresh`` calls of the hour after ``end``, ``late`` ones spread over the seven days before it, ``repeated``
    outcomes of the history again as they were, and ``resolved`` outcomes of calls that the history left open. All are
    written in the hour after ``end``; each call is one record, since an OUTCOME says all that its ADMIT said.
    Raises SpoolError when the history has too few open calls or no outcome to repeat.
    """
    if len(history.open_calls) < resolved or (repeated and not history.sample):
        raise SpoolError(
            f"the history has {len(history.open_calls)} open calls and {len(history.sample)} sampled outcomes, "
            f"but {resolved} calls are to be resolved and {repeated} outcomes repeated",
            hint="generate a longer history, or ask for fewer",
        )
    rng = Dice(seed)
    callers = Callers(rng)
    callers.move_team(company.MOVING_TEAM, company.MOVED_TO)
    board = Switchboard(rng, callers, workers, body_bytes, "refresh", is_lean=is_lean)
    until = end + dt.timedelta(hours=FRESH_HOURS)
    yield from _outcomes(board, arrivals(late, end - dt.timedelta(days=LATE_DAYS), end, rng))
    yield from ((0, record) for record in islice(cycle(history.sample), repeated))
    yield from ((0, _resolved(record, until)) for record in islice(history.open_calls.values(), resolved))
    yield from _outcomes(board, arrivals(fresh, end, until, rng))


def _outcomes(board: Switchboard, moments: Iterator[int]) -> Iterator[Routed]:
    """One outcome a moment; a call that would stay in doubt is drawn again."""
    for us in moments:
        ended: list[Routed] = []
        while not ended:
            call, records = play(board, us)
            ended = [(call.worker, record) for _, record in records if isinstance(record, CallOutcome)]
        yield from ended


def _resolved(record: Admit, until: dt.datetime) -> CallOutcome:
    """The late end of a call that was in doubt: the provider never answered."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__ if name != "recorded_at"}
    return CallOutcome(
        recorded_at=rfc3339(microseconds(until)),
        outcome="failed",
        status_code=504,
        error_code="gateway_restarted",
        error_message="The gateway restarted while the call was open",
        **fields,
    )
