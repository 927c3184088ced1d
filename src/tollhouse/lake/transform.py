"""Filling silver and gold: each step reads what is new in its driving table and commits it with its watermark."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, timedelta

from tollhouse.lake.contracts import Contract
from tollhouse.lake.embedded import committing, merging, snapshot, writing
from tollhouse.lake.embedded.reading import literal
from tollhouse.lake.engine import Commit, DataFile, TableState, Written
from tollhouse.lake.evolution import writable
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.rejects import append_rejects, drop_closed, split_rejects
from tollhouse.lake.watermarks import CHANGE_SEQUENCE, Slice, app_id, sequence_column, slices
from tollhouse.sql.dialects import to_duckdb


def merge_new(lake: Lakehouse, table: str, prepare: Callable[[], None] | None = None) -> Written:
    """Merges what is new in the driving table, slice by slice, each in one commit with its watermark.

    ``prepare`` may change the computed rows in the DuckDB table ``incoming`` before they are merged.
    """
    contract = lake.contract(table)
    driving = _driving(contract)
    mark = app_id(table, driving)
    done = Written()
    with lake.lock(table):
        source = lake.state(driving)
        after = lake.state(table, [mark]).transaction(mark)
        until = _looked_up(lake, contract, driving)
        for part in slices(source.files, sequence_column(driving), after, lake.settings.engine.batch_mib, until):
            written = _merge_slice(lake, contract, part, prepare)
            done = Written(
                done.rows + written.rows,
                sorted({*done.dates, *written.dates}),
                written.version or done.version,
                done.rejected + written.rejected,
            )
    return done


def _looked_up(lake: Lakehouse, contract: Contract, driving: str) -> int | None:
    """How far the lookups that are made from the driving table have read it; None where there is no such lookup.

    Another run may have committed rows whose lookups are still to come: they wait for the next run.
    """
    marks = {
        name: app_id(name, driving)
        for name in contract.document.lookups
        if driving in (lake.contract(name).document.driving, *lake.contract(name).document.lookups)
    }
    return min((lake.state(name, [mark]).transaction(mark) for name, mark in marks.items()), default=None)


def _driving(contract: Contract) -> str:
    driving = contract.document.driving
    if driving is None:
        raise ValueError(f"{contract.table} has no driving table")
    return driving


def _merge_slice(lake: Lakehouse, contract: Contract, part: Slice, prepare: Callable[[], None] | None) -> Written:
    driving = _driving(contract)
    mark = app_id(contract.table, driving)
    delta = writable(lake, contract.table)
    state = lake.state(contract.table, [mark, CHANGE_SEQUENCE], delta=delta)
    number = state.transaction(CHANGE_SEQUENCE) + 1
    compute(lake, contract, part, change=number)
    rejected = 0
    closed = state.properties.get(snapshot.CLOSED_BEFORE)
    if contract.document.rejects_to:
        split_rejects(lake, contract, closed)
        rejected = append_rejects(lake, contract, mark, part.high)
    elif closed:
        drop_closed(lake, closed)
    if prepare is not None:
        prepare()
    plan = merging.plan_merge(lake, contract, state.files, "incoming")
    transactions = {mark: part.high} | ({CHANGE_SEQUENCE: number} if has_column(contract, CHANGE_SEQUENCE) else {})
    metadata = {"dirty_dates": plan.dates, "dirty_ingest_dates": plan.ingest_dates}
    version = committing.commit_files(
        delta, contract, Commit(transactions, metadata), added=plan.added, removed=plan.removed
    )
    lake.checkpoint(contract.table, version)
    lake.connection.execute("DROP TABLE IF EXISTS incoming")
    return Written(plan.rows, [date.fromisoformat(text) for text in plan.dates], version, rejected)


def has_column(contract: Contract, column: str) -> bool:
    """Whether the contract declares ``column``."""
    return any(c.name == column for c in contract.columns)


def compute(lake: Lakehouse, contract: Contract, part: Slice, *, change: int, where: str = "true") -> None:
    """Runs the table's models over a slice into the DuckDB table ``incoming``, one format after the other.

    Raises ContractError where a result does not match the contract; nothing is written then.
    """
    driving = _driving(contract)
    column = sequence_column(driving)
    rows = (
        f"(SELECT * FROM {lake.relation(driving, part.files)} WHERE {column} > {part.low} AND {column} <= {part.high})"
    )
    connection = lake.connection
    reason = ["rejection_reason"] if contract.document.rejects_to else []
    connection.execute(f"CREATE OR REPLACE TABLE incoming AS FROM {lake.relation(contract.table, [], extra=reason)}")
    replace = (
        f" REPLACE (CAST({change} AS BIGINT) AS {CHANGE_SEQUENCE})" if has_column(contract, CHANGE_SEQUENCE) else ""
    )
    with ExitStack() as stack:
        views = {
            name: stack.enter_context(lake.view(view_name(name), lake.relation(name))) for name in lookups(contract)
        }
        for name, query in _queries(contract, lake, rows):
            source = rows if not name else f"(SELECT * FROM {rows} WHERE format = {literal(name)})"
            views[driving] = stack.enter_context(lake.view(view_name(driving), source))
            sql = f"SELECT *{replace} FROM ({to_duckdb(query, views)}) WHERE {where}"
            writing.check_columns(connection, contract, sql, extra=reason)
            connection.execute(f"INSERT INTO incoming BY NAME {sql}")


def lookups(contract: Contract) -> list[str]:
    """The tables that the models read beside the driving one."""
    return [*contract.document.lookups, *contract.document.lookup_by_date]


def view_name(table: str) -> str:
    """The DuckDB view under which a model finds ``table``."""
    return "in_" + table.replace(".", "_")


def _queries(contract: Contract, lake: Lakehouse, rows: str) -> Iterator[tuple[str, str]]:
    if set(contract.queries) == {""}:
        yield "", contract.queries[""].read_text()
        return
    formats = {row[0] for row in lake.connection.execute(f"SELECT DISTINCT format FROM {rows}").fetchall()}
    for name, path in contract.queries.items():
        if name in formats:
            yield name, path.read_text()


def replace_dates(lake: Lakehouse, table: str) -> Written:
    """Recomputes the dates that commits to its sources since the watermarks have touched, in one commit."""
    contract = lake.contract(table)
    driving = _driving(contract)
    sources = {name: lake.state(name) for name in (driving, *contract.document.lookup_by_date)}
    reached = {app_id(table, name): source.version for name, source in sources.items()}
    with lake.lock(table):
        state = lake.state(table, list(reached))
        if all(state.transaction(mark) >= version for mark, version in reached.items()):
            return Written()
        dates = _dirty_dates(lake, sources[driving], state.transaction(app_id(table, driving)))
        present = {file.partition["event_date"] for file in sources[driving].files}
        for name in contract.document.lookup_by_date:
            changed = _dirty_dates(lake, sources[name], state.transaction(app_id(table, name)))
            dates |= {day for text in changed for day in (text, _next_day(text)) if day in present}
        return recompute_dates(lake, contract, sources[driving], sorted(dates), reached)


def _dirty_dates(lake: Lakehouse, source: TableState, after: int) -> set[str]:
    commits = lake.history(source.table, after, source.version)
    return {day for _, facts in commits for day in facts.get("dirty_dates", [])}


def _next_day(day: str) -> str:
    """What began on a day may go on into the next one."""
    return str(date.fromisoformat(day) + timedelta(days=1))


def recompute_dates(
    lake: Lakehouse, contract: Contract, source: TableState, dates: Sequence[str], transactions: Mapping[str, int]
) -> Written:
    """Replaces the partitions ``dates`` by what the model makes of the driving table's rows of those dates."""
    delta = writable(lake, contract.table)
    state = lake.state(contract.table, [CHANGE_SEQUENCE], delta=delta)
    number = state.transaction(CHANGE_SEQUENCE) + 1
    marks = dict(transactions)
    added: Sequence[writing.NewFile] = []
    if dates:
        with ExitStack() as stack:
            views = _dated_views(lake, contract, source, dates, stack)
            (query,) = contract.queries.values()
            sql = to_duckdb(query.read_text(), views)
            if has_column(contract, CHANGE_SEQUENCE):
                sql = f"SELECT * REPLACE (CAST({number} AS BIGINT) AS {CHANGE_SEQUENCE}) FROM ({sql})"
                marks[CHANGE_SEQUENCE] = number
            added = writing.write_files(lake.connection, contract, lake.path(contract.table), sql)
    removed = committing.files_in(state.files, "event_date", dates)
    version = committing.commit_files(
        delta, contract, Commit(marks, {"dirty_dates": list(dates)}), added=added, removed=removed
    )
    lake.checkpoint(contract.table, version)
    return Written(sum(file.rows for file in added), [date.fromisoformat(d) for d in dates], version)


def _dated_views(
    lake: Lakehouse, contract: Contract, source: TableState, dates: Sequence[str], stack: ExitStack
) -> dict[str, str]:
    files: dict[str, Sequence[DataFile]] = {name: lake.state(name).files for name in contract.document.lookups}
    # What belongs to a row of one day may have begun on the day before.
    near = {day for text in dates for day in (text, str(date.fromisoformat(text) - timedelta(days=1)))}
    for name in contract.document.lookup_by_date:
        files[name] = committing.files_in(lake.state(name).files, "event_date", near)
    files[source.table] = committing.files_in(source.files, "event_date", dates)
    return {
        name: stack.enter_context(lake.view(view_name(name), lake.relation(name, chosen)))
        for name, chosen in files.items()
    }
