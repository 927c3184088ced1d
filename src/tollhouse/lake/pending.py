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
            f"CREATE OR REPLACE TABLE incoming AS SELECT * REPLACE ({number}::BIGINT AS {CHANGE_SEQUENCE}) "
            f"FROM {lake.relation(INVOCATIONS, open_files)} WHERE invocation_state = 'pending'"
        )
        expire(lake, as_of)
        lake.connection.execute("DELETE FROM incoming WHERE invocation_state = 'pending'")
        plan = merging.plan_merge(lake, contract, open_files, "incoming")
        if not plan.rows:
            return Written()
        facts = {"dirty_dates": plan.dates, "step": "resolve_pending", "as_of": as_of.isoformat()}
        version = committing.commit_files(
            delta, contract, Commit({CHANGE_SEQUENCE: number}, facts), added=plan.added, removed=plan.removed
        )
    return Written(plan.rows, [date.fromisoformat(text) for text in plan.dates], version)


def expire(lake: Lakehouse, as_of: datetime) -> None:
    """Turns to in_doubt what is pending in the DuckDB table ``incoming`` and has expired.

    A merge does so with its own rows: a call that is in doubt already need not be written twice.
    """
    lake.connection.execute(
        "UPDATE incoming SET invocation_state = 'in_doubt' WHERE invocation_state = 'pending' AND ("
        f"coalesce(deadline, event_time + INTERVAL 1 HOUR) < TIMESTAMPTZ {literal(as_of.isoformat())} OR EXISTS ("
        f"SELECT 1 FROM ({_recovered(lake)}) d WHERE d.spool_id = incoming.spool_id "
        "AND incoming.spool_segment <= d.spool_segment))"
    )


def _recovered(lake: Lakehouse) -> str:
    return (
        "SELECT spool_id, max(spool_segment) AS spool_segment "
        f"FROM {lake.relation(OBJECTS)} WHERE is_recovered GROUP BY spool_id"
    )
