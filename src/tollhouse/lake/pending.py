"""Time that passes is an input too: open calls turn in doubt."""

from datetime import date, datetime

from tollhouse.lake.embedded import committing, merging
from tollhouse.lake.embedded.reading import literal
from tollhouse.lake.engine import Commit, Written
from tollhouse.lake.evolution import writable
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.watermarks import CHANGE_SEQUENCE

INVOCATIONS, OBJECTS = "silver.invocations", "bronze.source_objects"


def resolve_pending(lake: Lakehouse, as_of: datetime) -> Written:
    """Turns to in_doubt each pending call whose deadline is before ``as_of``, or whose gateway has died.

    A gateway has died when the segment that holds the call, or a later one of its slot, was sealed as recovered.
    An outcome that comes after all completes the call.
    """
    contract = lake.contract(INVOCATIONS)
    with lake.lock(INVOCATIONS):
        delta = writable(lake, INVOCATIONS)
        state = lake.state(INVOCATIONS, [CHANGE_SEQUENCE], delta=delta)
        # 'pending' sorts after 'final' and 'in_doubt': statistics tell which files hold none.
        open_files = [file for file in state.files if file.may_hold("invocation_state", low="pending")]
        if not open_files:
            return Written()
        number = state.transaction(CHANGE_SEQUENCE) + 1
        lake.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT t.* REPLACE ('in_doubt' AS invocation_state, "
            f"{number}::BIGINT AS {CHANGE_SEQUENCE}) FROM {lake.relation(INVOCATIONS, open_files)} t "
            f"LEFT JOIN ({_recovered(lake)}) d ON d.spool_id = t.spool_id WHERE t.invocation_state = 'pending' AND "
            f"(coalesce(t.deadline, t.event_time + INTERVAL 1 HOUR) < TIMESTAMPTZ {literal(as_of.isoformat())} "
            "OR t.spool_segment <= d.spool_segment)"
        )
        plan = merging.plan_merge(lake, contract, open_files, "incoming")
        if not plan.rows:
            return Written()
        facts = {"dirty_dates": plan.dates, "step": "resolve_pending", "as_of": as_of.isoformat()}
        version = committing.commit_files(
            delta, contract, Commit({CHANGE_SEQUENCE: number}, facts), added=plan.added, removed=plan.removed
        )
    return Written(plan.rows, [date.fromisoformat(text) for text in plan.dates], version)


def _recovered(lake: Lakehouse) -> str:
    return (
        "SELECT spool_id, max(spool_segment) AS spool_segment "
        f"FROM {lake.relation(OBJECTS)} WHERE is_recovered GROUP BY spool_id"
    )
