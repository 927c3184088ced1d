"""``tollhouse maintain``: what keeps tables small, and what makes history anew."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from tollhouse.commands.ingest import parse_time
from tollhouse.settings import load_settings

if TYPE_CHECKING:
    from tollhouse.lake.lakehouse import Lakehouse

_DAY = click.DateTime(["%Y-%m-%d"])
_first = click.option("--from", "first", type=_DAY, help="First event date; by default the oldest.")
_last = click.option("--to", "last", type=_DAY, help="Last event date; by default the newest.")


@click.group("maintain")
def maintain() -> None:
    """Compact, vacuum, rebuild and reprice tables.

    All of it is safe beside running readers and writers, and can be killed and given again.
    """


@maintain.command("compact")
@click.argument("table", required=False)
@click.pass_obj
def compact_tables(config: str | None, table: str | None) -> None:
    """Join small files into larger ones; of TABLE, or of all. No row changes."""
    from tollhouse.lake.lakehouse import Lakehouse
    from tollhouse.lake.maintenance import compact

    with Lakehouse(load_settings(config)) as lake:
        for done in compact(lake, known(lake, table)):
            click.echo(f"{done.table:<30} {done.files_before:>6} → {done.files_after} files")


@maintain.command("vacuum")
@click.argument("table", required=False)
@click.option("--retention-hours", type=int, help="Keep files of versions younger than this; 168 or more.")
@click.option("--dry-run", is_flag=True, help="Only count what would be deleted.")
@click.pass_obj
def vacuum_tables(config: str | None, table: str | None, retention_hours: int | None, dry_run: bool) -> None:
    """Delete files that no recent version needs; of TABLE, or of all."""
    from tollhouse.lake.lakehouse import Lakehouse
    from tollhouse.lake.maintenance import vacuum

    with Lakehouse(load_settings(config)) as lake:
        deleted = vacuum(lake, known(lake, table), retention_hours=retention_hours, is_dry_run=dry_run)
    verb = "would be deleted" if dry_run else "deleted"
    for name, files in deleted.items():
        click.echo(f"{name:<30} {files:>6} files {verb}")


@maintain.command("rebuild")
@click.argument("table")
@_first
@_last
@click.option("--as-of", metavar="TIME", help="Moment that decides what is overdue, ISO 8601; by default now.")
@click.pass_obj
def rebuild_table(
    config: str | None, table: str, first: datetime | None, last: datetime | None, as_of: str | None
) -> None:
    """Make TABLE and what is downstream anew, date by date, with today's models.

    A rebuild that was killed goes on where it was when the same command is given again.
    """
    from tollhouse.lake.lakehouse import Lakehouse
    from tollhouse.lake.rebuild import rebuild

    with Lakehouse(load_settings(config)) as lake:
        _show_dates(rebuild(lake, table, _day(first), _day(last), parse_time(as_of)))


@maintain.command("reprice")
@_first
@_last
@click.pass_obj
def reprice_costs(config: str | None, first: datetime | None, last: datetime | None) -> None:
    """Make gold.costs and its rollups anew with today's prices."""
    from tollhouse.lake.lakehouse import Lakehouse
    from tollhouse.lake.rebuild import reprice

    with Lakehouse(load_settings(config)) as lake:
        _show_dates(reprice(lake, _day(first), _day(last)))


def known(lake: "Lakehouse", table: str | None) -> str | None:
    """``table`` as it is. Raises LakeError listing the choices where there is no such table."""
    return table and lake.contract(table).table


def _day(moment: datetime | None) -> date | None:
    return moment and moment.date()


def _show_dates(done: Iterable[tuple[str, Sequence[str]]]) -> None:
    for table, days in done:
        span = f"{days[0]} to {days[-1]}, {len(days)} dates" if days else "nothing to do"
        click.echo(f"{table:<30} {span}")
