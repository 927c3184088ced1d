"""gold.reconciliation: every record of every source, accounted for by ingest date."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date

from tollhouse.lake.embedded import committing, writing
from tollhouse.lake.embedded.reading import literal
from tollhouse.lake.embedded.snapshot import CLOSED_BEFORE
from tollhouse.lake.engine import Commit, DataFile, TableState, Written
from tollhouse.lake.evolution import writable
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.transform import view_name
from tollhouse.lake.watermarks import app_id
from tollhouse.sql.dialects import to_duckdb

TABLE = "gold.reconciliation"
SOURCES = (
    "bronze.raw_records",
    "bronze.rejected_records",
    "silver.invocations",
    "silver.rejected_records",
    "gold.costs",
)


def reconcile(lake: Lakehouse) -> Written:
    """Recomputes the ingest dates that commits to bronze and silver since the last time have touched."""
    marks = {name: app_id(TABLE, name) for name in SOURCES}
    with lake.lock(TABLE):
        state = lake.state(TABLE, list(marks.values()))
        states = {name: lake.state(name) for name in SOURCES}
        days: set[str] = set()
        for name, source in states.items():
            for _, facts in lake.history(name, state.transaction(marks[name]), source.version):
                days.update(facts.get("dirty_ingest_dates", []))
        reached = {marks[name]: source.version for name, source in states.items()}
        if all(state.transaction(mark) == version for mark, version in reached.items()):
            return Written()
        return replace_ingest_dates(lake, states, sorted(days), reached)


def replace_all(lake: Lakehouse) -> list[str]:
    """Recomputes every ingest date, with the table's lock held by the caller; returns the dates."""
    states = {name: lake.state(name) for name in SOURCES}
    days = {file.partition["ingest_date"] for file in [*states[SOURCES[0]].files, *states[SOURCES[1]].files]}
    days |= {file.partition["ingest_date"] for file in lake.state(TABLE).files}
    reached = {app_id(TABLE, name): source.version for name, source in states.items()}
    replace_ingest_dates(lake, states, sorted(days), reached)
    return sorted(days)


def replace_ingest_dates(
    lake: Lakehouse, states: dict[str, TableState], days: Sequence[str], transactions: dict[str, int]
) -> Written:
    """Replaces the partitions ``days`` (ISO dates of ingestion)."""
    contract = lake.contract(TABLE)
    delta = writable(lake, TABLE)
    # What was ingested before the first open date has left silver: gold keeps what it knew of it.
    days = [day for day in days if day >= states["silver.invocations"].properties.get(CLOSED_BEFORE, "")]
    added: Sequence[writing.NewFile] = []
    if days:
        with ExitStack() as stack:
            files = _files(lake, states, days)
            views = {
                name: stack.enter_context(lake.view(view_name(name), _rows(lake, name, chosen, days)))
                for name, chosen in files.items()
            }
            listed = ", ".join(f"DATE {literal(day)}" for day in days)
            sql = (
                f"SELECT * FROM ({to_duckdb(contract.queries[''].read_text(), views)}) WHERE ingest_date IN ({listed})"
            )
            added = writing.write_files(lake.connection, contract, lake.path(TABLE), sql)
    removed = committing.files_in(lake.state(TABLE, delta=delta).files, "ingest_date", days)
    commit = Commit(transactions, {"dirty_ingest_dates": list(days)})
    version = committing.commit_files(delta, contract, commit, added=added, removed=removed)
    lake.checkpoint(TABLE, version)
    return Written(sum(file.rows for file in added), [date.fromisoformat(d) for d in days], version)


def _files(lake: Lakehouse, states: dict[str, TableState], days: Sequence[str]) -> dict[str, Sequence[DataFile]]:
    """What can matter: a record is superseded only by one of the same or a later ingest date."""
    first = date.fromisoformat(days[0])
    invocations = [f for f in states["silver.invocations"].files if f.may_hold("ingest_date", low=first)]
    return {
        "bronze.raw_records": committing.files_in(states["bronze.raw_records"].files, "ingest_date", days),
        "bronze.rejected_records": committing.files_in(states["bronze.rejected_records"].files, "ingest_date", days),
        "bronze.source_objects": lake.state("bronze.source_objects").files,
        "silver.invocations": invocations,
        "silver.rejected_records": states["silver.rejected_records"].files,
        "gold.costs": [f for f in states["gold.costs"].files if f.may_hold("ingest_date", low=first)],
    }


def _rows(lake: Lakehouse, name: str, files: Sequence[DataFile], days: Sequence[str]) -> str:
    relation = lake.relation(name, files)
    if name != "bronze.source_objects":
        return relation
    listed = ", ".join(f"DATE {literal(day)}" for day in days)
    return f"(SELECT * FROM {relation} WHERE ingested_at::DATE IN ({listed}))"
