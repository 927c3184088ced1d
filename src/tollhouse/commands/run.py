"""``tollhouse run``: every step of the road, in this process."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import click

from tollhouse.commandline import tollhouse_command
from tollhouse.commands.ingest import parse_time
from tollhouse.settings import load_settings

if TYPE_CHECKING:
    from datetime import datetime

    from tollhouse.lake.lakehouse import Lakehouse
    from tollhouse.lake.run import StepReport

SHOWN_IDS = 5
CALLS = "silver.invocations"


@click.command("run")
@click.option("--as-of", metavar="TIME", help="Moment that decides what is overdue, ISO 8601; by default now.")
@click.option("--job", type=click.Choice(["ingest", "transform"]), help="Only these steps; by default all.")
@click.pass_obj
def run(config: str | None, as_of: str | None, job: str | None) -> None:
    """Bring every table up to date: read new logs, then transform.

    Safe at any time, also beside a running scheduler: each step reads only what is new, and one that was killed is
    done again.
    """
    from tollhouse.lake.lakehouse import Lakehouse

    settings = load_settings(config)
    program = tollhouse_command(settings.file)
    with Lakehouse(settings) as lake:
        doubts = run_shown(lake, parse_time(as_of), job)
        _show_doubts(doubts, program)
        _warn_of_stale_tables(lake, program)
    click.echo(f'Next: {program} sql "SELECT endpoint_name, sum(cost_usd) AS cost_usd FROM gold.costs GROUP BY ALL"')
    click.echo(f"      {program} doctor")


@dataclass(frozen=True)
class Doubts:
    """Calls that turned in doubt in this run, and the first of their ids."""

    calls: int = 0
    ids: Sequence[str] = field(default_factory=list[str])


def run_shown(lake: "Lakehouse", as_of: "datetime", job: str | None = None) -> Doubts:
    """Does the steps, showing each as it ends: a progress bar on a terminal, plain lines elsewhere."""
    from tollhouse.lake.run import STEPS, run_steps

    names = [step.name for step in STEPS if job in (None, step.job)]
    before = _changes(lake)
    with _display(names) as display:
        for report in run_steps(lake, as_of, job=job):
            display.ended(report)
    return _new_doubts(lake, before)


class _Display(Protocol):
    def ended(self, report: "StepReport") -> None: ...


class _Lines:
    """One line a step."""

    def ended(self, report: "StepReport") -> None:
        click.echo(step_line(report))


@contextmanager
def _display(names: Sequence[str]) -> Generator[_Display]:
    if not sys.stdout.isatty():
        click.echo(f"{'step':<30} {'rows':>10} {'rejected':>9} {'seconds':>8}")
        yield _Lines()
        return
    from tollhouse.commands.progress import StepBar

    with StepBar(names) as bar:
        yield bar


def step_line(report: "StepReport") -> str:
    """A step's name, rows, rejected records and seconds in columns."""
    written = report.written
    return f"{report.step:<30} {written.rows:>10,} {written.rejected:>9,} {report.seconds:>8.2f}"


def _changes(lake: "Lakehouse") -> int:
    """The number of the last commit that changed a call; -1 where there is none."""
    from tollhouse.lake.watermarks import CHANGE_SEQUENCE

    return lake.state(CALLS, [CHANGE_SEQUENCE]).transaction(CHANGE_SEQUENCE) if lake.exists(CALLS) else -1


def _new_doubts(lake: "Lakehouse", before: int) -> Doubts:
    """Calls in doubt that a commit after ``before`` has written."""
    if _changes(lake) == before:
        return Doubts()
    fresh = [f for f in lake.state(CALLS).files if f.may_hold("change_sequence", low=before + 1)]
    rows = lake.connection.execute(
        f"SELECT invocation_id, count(*) OVER () FROM {lake.relation(CALLS, fresh)} WHERE "
        f"invocation_state = 'in_doubt' AND change_sequence > {before} ORDER BY invocation_id LIMIT {SHOWN_IDS}"
    ).fetchall()
    return Doubts(rows[0][1], [row[0] for row in rows]) if rows else Doubts()


def _show_doubts(doubts: Doubts, program: str) -> None:
    if not doubts.calls:
        return
    more = ", …" if doubts.calls > len(doubts.ids) else ""
    click.echo(f"{doubts.calls:,} calls are newly in doubt (admitted, never ended): {', '.join(doubts.ids)}{more}")
    click.echo(
        f'  all of them: {program} sql "SELECT invocation_id, event_time, requester, endpoint_name '
        "FROM silver.invocations WHERE invocation_state = 'in_doubt'\""
    )


def _warn_of_stale_tables(lake: "Lakehouse", program: str) -> None:
    from tollhouse.lake.evolution import stale_tables

    for table, days in stale_tables(lake).items():
        click.echo(
            f"Warning: {len(days)} dates of {table}, {days[0]} to {days[-1]}, were made by an older model. "
            f"To make them anew:\n  {program} maintain rebuild {table} --from {days[0]} --to {days[-1]}",
            err=True,
        )
