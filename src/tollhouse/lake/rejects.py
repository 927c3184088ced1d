"""Records that a model could not map: taken out of its result, and kept with the reason."""

from tollhouse.lake.contracts import Contract
from tollhouse.lake.embedded import committing, writing
from tollhouse.lake.embedded.reading import literal
from tollhouse.lake.engine import Commit
from tollhouse.lake.lakehouse import Lakehouse


def drop_closed(lake: Lakehouse, closed_before: str) -> None:
    """Leaves closed dates alone in a table that keeps no rejects: the record is refused by silver.invocations."""
    lake.connection.execute(f"DELETE FROM incoming WHERE {_closed(closed_before)}")


def _closed(closed_before: str) -> str:
    return f"(event_date < DATE {literal(closed_before)} AND event_date <> DATE '1970-01-01')"


def split_rejects(lake: Lakehouse, contract: Contract, closed_before: str | None) -> None:
    """Moves the rows of ``incoming`` that have a rejection_reason, or a closed date, into ``rejected``."""
    connection = lake.connection
    if closed_before:
        reason = f"its date is closed: {contract.table} keeps nothing before {closed_before}"
        connection.execute(
            f"UPDATE incoming SET rejection_reason = {literal(reason)} "
            f"WHERE rejection_reason IS NULL AND {_closed(closed_before)}"
        )
    connection.execute(
        "CREATE OR REPLACE TABLE rejected AS SELECT ingest_sequence, ingest_date, "
        f"{literal(contract.table)} AS table_name, log_source, log_format, source_record_key, event_date, "
        "rejection_reason AS reason FROM incoming WHERE rejection_reason IS NOT NULL"
    )
    connection.execute("DELETE FROM incoming WHERE rejection_reason IS NOT NULL")
    connection.execute("ALTER TABLE incoming DROP COLUMN rejection_reason")


def append_rejects(lake: Lakehouse, contract: Contract, mark: str, high: int | None) -> int:
    """Commits ``rejected`` with the watermark of the table that refused them, once; returns how many there are.

    ``high`` is how far the table has read; None in a rebuild, where what is refused already stays as it is.
    """
    target = lake.contract(contract.document.rejects_to or "")
    app = f"{target.table}/{mark}"
    count = lake.connection.execute("SELECT count(*) FROM rejected").fetchall()[0][0]
    if not count:
        return 0
    with lake.lock(target.table):
        delta = lake.delta(target.table)
        # A run that died after this commit may find a longer slice next time: what is in already stays out.
        after = lake.state(target.table, [app], delta=delta).transaction(app)
        fresh = (
            f"ingest_sequence > {after}" if high is not None else f"ingest_sequence NOT IN ({_refused(lake, contract)})"
        )
        query = f"SELECT * FROM rejected WHERE {fresh}"
        added = writing.write_files(lake.connection, target, lake.path(target.table), query)
        if added:
            days = lake.connection.execute(f"SELECT DISTINCT ingest_date FROM ({query})").fetchall()
            facts = {"dirty_ingest_dates": sorted(str(row[0]) for row in days)}
            marks = {} if high is None else {app: high}
            committing.commit_files(delta, target, Commit(marks, facts), added=added)
    return count


def _refused(lake: Lakehouse, contract: Contract) -> str:
    target = contract.document.rejects_to or ""
    return f"SELECT ingest_sequence FROM {lake.relation(target)} WHERE table_name = {literal(contract.table)}"


def rejected_sequences(lake: Lakehouse, contract: Contract) -> list[int]:
    """Ingest sequences of the records that ``contract``'s table has refused so far."""
    return sorted(row[0] for row in lake.connection.execute(_refused(lake, contract)).fetchall())


def withdraw_rejects(lake: Lakehouse, contract: Contract) -> None:
    """Makes ``rejected`` all that the table has refused: what today's model takes is taken back."""
    target = lake.contract(contract.document.rejects_to or "")
    with lake.lock(target.table):
        delta = lake.delta(target.table)
        state = lake.state(target.table, delta=delta)
        others = f"SELECT * FROM {lake.relation(target.table)} WHERE table_name <> {literal(contract.table)}"
        query = f"SELECT * FROM rejected UNION ALL BY NAME ({others})"
        days = lake.connection.execute(f"SELECT DISTINCT ingest_date FROM {lake.relation(target.table)}").fetchall()
        added = writing.write_files(lake.connection, target, lake.path(target.table), query)
        facts = {"dirty_ingest_dates": sorted(str(row[0]) for row in days)}
        committing.commit_files(delta, target, Commit({}, facts), added=added, removed=state.files)
