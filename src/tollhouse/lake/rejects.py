"""Records that a model could not map: taken out of its result, and kept with the reason."""

from tollhouse.lake.contracts import Contract
from tollhouse.lake.embedded import committing, writing
from tollhouse.lake.embedded.reading import literal
from tollhouse.lake.engine import Commit
from tollhouse.lake.lakehouse import Lakehouse


def split_rejects(lake: Lakehouse, contract: Contract, closed_before: str | None) -> None:
    """Moves the rows of ``incoming`` that have a rejection_reason, or a closed date, into ``rejected``."""
    connection = lake.connection
    if closed_before:
        reason = f"its date is closed: {contract.table} keeps nothing before {closed_before}"
        connection.execute(
            f"UPDATE incoming SET rejection_reason = {literal(reason)} "
            f"WHERE rejection_reason IS NULL AND event_date < DATE {literal(closed_before)} "
            "AND event_date <> DATE '1970-01-01'"
        )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE rejected AS SELECT ingest_sequence, ingest_date, "
        f"{literal(contract.table)} AS table_name, log_source, log_format, source_record_key, event_date, "
        "rejection_reason AS reason FROM incoming WHERE rejection_reason IS NOT NULL"
    )
    connection.execute("DELETE FROM incoming WHERE rejection_reason IS NOT NULL")
    connection.execute("ALTER TABLE incoming DROP COLUMN rejection_reason")


def append_rejects(lake: Lakehouse, contract: Contract, mark: str, high: int) -> int:
    """Commits ``rejected`` with the watermark of the table that refused them, once; returns how many there are."""
    target = lake.contract(contract.document.rejects_to or "")
    app = f"{target.table}/{mark}"
    count = lake.connection.execute("SELECT count(*) FROM rejected").fetchall()[0][0]
    if not count:
        return 0
    with lake.lock(target.table):
        delta = lake.delta(target.table)
        # A run that died after this commit may find a longer slice next time: what is in already stays out.
        after = lake.state(target.table, [app], delta=delta).transaction(app)
        query = f"SELECT * FROM rejected WHERE ingest_sequence > {after}"
        added = writing.write_files(lake.connection, target, lake.path(target.table), query)
        if added:
            days = lake.connection.execute(f"SELECT DISTINCT ingest_date FROM ({query})").fetchall()
            facts = {"dirty_ingest_dates": sorted(str(row[0]) for row in days)}
            committing.commit_files(delta, target, Commit({app: high}, facts), added=added)
    return count
