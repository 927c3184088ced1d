"""Making history anew: with a changed model (rebuild) or with today's prices (reprice), partition by partition."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from tollhouse.errors import LakeError
from tollhouse.lake.contracts import Contract
from tollhouse.lake.embedded import committing, merging, writing
from tollhouse.lake.embedded.reading import literal
from tollhouse.lake.embedded.snapshot import CLOSED_BEFORE
from tollhouse.lake.engine import Commit, DataFile
from tollhouse.lake.evolution import partition_dates, set_stale_dates, stale_dates, writable
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.lookups import refresh_matches, refresh_prices
from tollhouse.lake.pending import resolve_pending
from tollhouse.lake.reconciliation import replace_all
from tollhouse.lake.rejects import append_rejects, rejected_sequences, split_rejects, withdraw_rejects
from tollhouse.lake.transform import compute, recompute_dates, replace_dates
from tollhouse.lake.watermarks import CHANGE_SEQUENCE, Slice, app_id

_CHUNK_ROWS = 150_000
COSTS, RECONCILIATION, INVOCATIONS = "gold.costs", "gold.reconciliation", "silver.invocations"


def rebuild(
    lake: Lakehouse, table: str, first: date | None, last: date | None, as_of: datetime
) -> Iterator[tuple[str, Sequence[str]]]:
    """Recomputes the dates ``first`` to ``last`` of ``table`` and of what is downstream; yields (table, dates) as done.

    What is still to do is noted in the table first, so a rebuild that was killed goes on where it was when the same
    command is given again. Raises LakeError for a table that is not made by a model.
    """
    contract = lake.contract(table)
    if not contract.queries:
        rebuildable = ", ".join(name for name, c in lake.contracts.items() if c.queries)
        raise LakeError(f"{table} is not made by a model", hint=f"rebuild one of {rebuildable}")
    if table == RECONCILIATION:
        with lake.lock(table):
            yield table, replace_all(lake)
        return
    yield from _rebuild_table(lake, contract, first, last)
    if table == INVOCATIONS:
        resolve_pending(lake, as_of)
    for name, below in lake.contracts.items():
        if below.document.driving == table and below.queries and name != RECONCILIATION:
            yield from rebuild(lake, name, first, last, as_of)
    if table == COSTS:
        yield from rebuild(lake, RECONCILIATION, None, None, as_of)


def _rebuild_table(
    lake: Lakehouse, contract: Contract, first: date | None, last: date | None
) -> Iterator[tuple[str, Sequence[str]]]:
    table = contract.table
    is_from_bronze = (contract.document.driving or "").startswith("bronze.")
    with lake.lock(table):
        writable(lake, table)
        if is_from_bronze and contract.document.rejects_to:
            _retry_rejects(lake, contract)
        stale = _open_dates(lake, contract, stale_dates(lake, table))
        waiting = [day for day in stale if _within(day, first, last)]
        if not waiting:
            waiting = [day for day in _known_dates(lake, contract) if _within(day, first, last)]
        set_stale_dates(lake, table, [*stale, *waiting])
        is_whole = set(waiting) >= set(_known_dates(lake, contract))
        reached = lake.state(contract.document.driving or "").version
        for chunk in _chunks(lake, contract, waiting):
            if is_from_bronze:
                _rebuild_from_bronze(lake, contract, chunk)
            else:
                _recompute(lake, contract, chunk)
            set_stale_dates(lake, table, [day for day in stale_dates(lake, table) if day not in chunk])
            yield table, chunk
        if is_whole and contract.document.write == "replace_partitions":
            _note_reached(lake, contract, reached)


def _note_reached(lake: Lakehouse, contract: Contract, version: int) -> None:
    """A rollup whose source's log has expired reads on from ``version``, since every date has been made anew."""
    mark = app_id(contract.table, contract.document.driving or "")
    committing.commit_files(lake.delta(contract.table), contract, Commit({mark: version}, {"step": "rebuild"}))


def _within(day: str, first: date | None, last: date | None) -> bool:
    moment = date.fromisoformat(day)
    return (first is None or moment >= first) and (last is None or moment <= last)


def _known_dates(lake: Lakehouse, contract: Contract) -> list[str]:
    driving = contract.document.driving or ""
    above = [] if driving.startswith("bronze.") else partition_dates(lake, driving)
    return _open_dates(lake, contract, sorted({*partition_dates(lake, contract.table), *above}))


def _open_dates(lake: Lakehouse, contract: Contract, days: Sequence[str]) -> list[str]:
    """Gold keeps what it knew of the dates that silver has closed: there is nothing to make them from."""
    driving = contract.document.driving or ""
    closed_before = lake.state(driving).properties.get(CLOSED_BEFORE, "") if driving.startswith("silver.") else ""
    return [day for day in days if day >= closed_before or day == "1970-01-01"]


def _chunks(lake: Lakehouse, contract: Contract, days: Sequence[str]) -> Iterator[list[str]]:
    """Neighbouring dates together, up to a bounded number of rows."""
    sizes: dict[str, int] = {}
    for file in lake.state(contract.table).files:
        day = file.partition["event_date"]
        sizes[day] = sizes.get(day, 0) + file.rows
    chunk, rows = list[str](), 0
    for day in sorted(days):
        if chunk and rows + sizes.get(day, 0) > _CHUNK_ROWS:
            yield chunk
            chunk, rows = [], 0
        chunk.append(day)
        rows += sizes.get(day, 0)
    if chunk:
        yield chunk


def _rebuild_from_bronze(lake: Lakehouse, contract: Contract, days: Sequence[str]) -> None:
    driving = contract.document.driving or ""
    mark = app_id(contract.table, driving)
    delta = writable(lake, contract.table)
    state = lake.state(contract.table, [mark, CHANGE_SEQUENCE], delta=delta)
    replaced = committing.files_in(state.files, "event_date", days)
    number = state.transaction(CHANGE_SEQUENCE) + 1
    low, high = _sequences(replaced)
    files = [f for f in lake.state(driving).files if f.may_hold("ingest_sequence", low, high)]
    listed = ", ".join(f"DATE {literal(day)}" for day in days)
    part = Slice(low - 1, min(high, state.transaction(mark)), files)
    compute(lake, contract, part, change=number, where=f"event_date IN ({listed})")
    if contract.document.rejects_to:
        split_rejects(lake, contract, None)
        append_rejects(lake, contract, mark, None)
    merging.keep_greatest(lake.connection, contract, "incoming")
    added = writing.write_files(lake.connection, contract, lake.path(contract.table), "SELECT * FROM incoming")
    facts = {"dirty_dates": list(days), "dirty_ingest_dates": [], "step": "rebuild"}
    commit = Commit({CHANGE_SEQUENCE: number}, facts)
    committing.commit_files(delta, contract, commit, added=added, removed=replaced)


def _sequences(files: Sequence[DataFile]) -> tuple[int, int]:
    """The rows that speak today are all that can speak after a rebuild: the greatest of each key by sequence."""
    lows = [file.minimum["ingest_sequence"] for file in files if file.rows]
    highs = [file.maximum["ingest_sequence"] for file in files if file.rows]
    return (min(lows), max(highs)) if lows else (0, -1)


def _retry_rejects(lake: Lakehouse, contract: Contract) -> None:
    """Gives the records that an older model refused to today's; what it takes is merged, the rest stays refused."""
    sequences = rejected_sequences(lake, contract)
    if not sequences:
        return
    driving = contract.document.driving or ""
    mark = app_id(contract.table, driving)
    files = [f for f in lake.state(driving).files if any(f.may_hold("ingest_sequence", n, n) for n in sequences)]
    delta = writable(lake, contract.table)
    state = lake.state(contract.table, [mark, CHANGE_SEQUENCE], delta=delta)
    number = state.transaction(CHANGE_SEQUENCE) + 1
    listed = ", ".join(map(str, sequences))
    part = Slice(min(sequences) - 1, max(sequences), files)
    compute(lake, contract, part, change=number, where=f"ingest_sequence IN ({listed})")
    split_rejects(lake, contract, state.properties.get(CLOSED_BEFORE))
    plan = merging.plan_merge(lake, contract, state.files, "incoming")
    if plan.rows:
        facts = {"dirty_dates": plan.dates, "dirty_ingest_dates": plan.ingest_dates, "step": "rebuild"}
        commit = Commit({CHANGE_SEQUENCE: number}, facts)
        committing.commit_files(delta, contract, commit, added=plan.added, removed=plan.removed)
    withdraw_rejects(lake, contract)


def _recompute(lake: Lakehouse, contract: Contract, days: Sequence[str]) -> None:
    recompute_dates(lake, contract, lake.state(contract.document.driving or ""), days, {})


def reprice(lake: Lakehouse, first: date | None, last: date | None) -> Iterator[tuple[str, Sequence[str]]]:
    """Recomputes gold.costs of the dates with today's prices, and the rollups that read it; yields (table, dates)."""
    refresh_prices(lake)
    refresh_matches(lake)
    contract = lake.contract(COSTS)
    with lake.lock(COSTS):
        days = [day for day in _known_dates(lake, contract) if _within(day, first, last)]
        for chunk in _chunks(lake, contract, days):
            _recompute(lake, contract, chunk)
            yield COSTS, chunk
    for name, below in lake.contracts.items():
        if below.document.driving == COSTS:
            yield name, [str(day) for day in replace_dates(lake, name).dates]
    with lake.lock(RECONCILIATION):
        yield RECONCILIATION, replace_all(lake)
