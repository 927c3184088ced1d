"""``tollhouse demo``: a lake out of generated traffic, and what one can ask it."""

import gc
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from tollhouse.commandline import tollhouse_command
from tollhouse.errors import LakeError, SettingsError
from tollhouse.settings import FILE_NAME

if TYPE_CHECKING:
    from tollhouse.demo.pipelines import Pipelines
    from tollhouse.demo.staging import Live, Staged, Totals
    from tollhouse.settings import Settings
    from tollhouse.sql.door import Door

CALLS, DAYS, LIVE_CALLS = 20_000, 14, 500


@click.command("demo")
@click.argument("folder", default="demo", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False))
@click.option("--calls", default=CALLS, show_default=True, type=click.IntRange(1), help="Calls to generate.")
@click.option("--days", default=DAYS, show_default=True, type=click.IntRange(1), help="Days they are spread over.")
@click.option("--live", default=LIVE_CALLS, show_default=True, type=click.IntRange(0), help="Calls to send besides.")
@click.option("--fresh", is_flag=True, help="Make it anew where DIR holds a demo already.")
def demo(folder: Path, calls: int, days: int, live: int, fresh: bool) -> None:
    """Make a lake out of generated traffic and answer three questions with it.

    Writes the request log that three workers of a gateway would have written until last midnight (UTC), sends live
    calls through a gateway to simulated providers, runs the Dagster job `all` over both and asks the lake. A demo that
    is already in DIR (./demo by default) is used again.
    """
    from tollhouse.demo.live import sdk_process, send_live
    from tollhouse.demo.staging import demo_settings

    found = _found(folder, calls, days, is_fresh=fresh)
    is_sending = live > 0 and not (found and found.live) and _has_sdks()
    with sdk_process() if is_sending else nullcontext() as process:
        staged = found or _stage(folder, calls, days)
        settings = demo_settings(folder)
        sending = process.submit(send_live, folder, live) if process else None
        pipelines = _load_pipelines(settings)
        if sending:
            staged = _note_live(folder, staged, sending.result())
    _run(pipelines)
    _answer(settings, staged)
    _show_next(folder, staged.live)


def _found(folder: Path, calls: int, days: int, *, is_fresh: bool) -> "Staged | None":
    """The demo that is in ``folder`` already and can be used again."""
    from tollhouse.demo.staging import is_same, staged

    found = staged(folder)
    if found is None or is_fresh:
        return None
    if is_same(found, calls, days):
        click.echo(f"{folder}/ holds this demo already, up to {found.end:%Y-%m-%d}; --fresh would make it anew.")
        return found
    if found.totals:
        raise SettingsError(
            f"{folder}/ holds a demo of {found.calls:,} calls over {found.days} days, not {calls:,} over {days}",
            hint="add --fresh to replace it, or name another folder",
        )
    return None


def _has_sdks() -> bool:
    from tollhouse.demo.live_sdks import missing_sdks

    missing = missing_sdks()
    if missing:
        click.echo(f"No live calls: {' and '.join(missing)} not installed (`uv sync` in a checkout installs all).")
    return not missing


def _stage(folder: Path, calls: int, days: int) -> "Staged":
    from tollhouse.demo.staging import last_midnight, stage

    begun = perf_counter()
    made = stage(folder, calls, days, last_midnight(datetime.now(UTC)))
    click.echo(
        f"Wrote {calls:,} calls over {days} days up to {made.end:%Y-%m-%d} into {folder}/spool: "
        f"{made.segments} segments, {made.spool_bytes / 1e6:.1f} MB of request log, in {perf_counter() - begun:.1f} s."
    )
    return made


def _note_live(folder: Path, staged: "Staged", live: "Live") -> "Staged":
    from tollhouse.demo.staging import note_live

    click.echo(
        f"Sent {live.calls:,} live calls with openai, anthropic and google-genai through a gateway to simulated "
        f"providers, in {(live.ended - live.begun).total_seconds():.1f} s."
    )
    return note_live(folder, staged, live)


def _load_pipelines(settings: "Settings") -> "Pipelines":
    gc.disable()  # loading makes no garbage, and to look for it took a sixth of the time
    try:
        from tollhouse.demo.pipelines import Pipelines

        return Pipelines(settings)
    finally:
        gc.enable()


def _run(pipelines: "Pipelines") -> None:
    begun = perf_counter()
    click.echo("\nRunning the Dagster job `all`:")
    for made in pipelines.run():
        click.echo(f"  {made.table:<30} {made.rows:>9,} rows, Delta version {made.version}")
    click.echo(f"Every table is up to date after {perf_counter() - begun:.1f} s.")


def _answer(settings: "Settings", staged: "Staged") -> None:
    from tollhouse.demo.answers import QUESTIONS
    from tollhouse.lake.lakehouse import Lakehouse
    from tollhouse.sql.door import Door

    with Lakehouse(settings) as lake:
        door = Door(lake)
        for question in QUESTIONS:
            click.echo(f"\n── {question.text}\n")
            click.echo(_indented(question.sql.splitlines()))
            click.echo()
            click.echo(_indented(_table(door, question.sql)))
        if staged.totals:
            lines = _proof(door, staged.totals, staged.end)
            lines += _live_proof(door, staged.live) if staged.live else []
            click.echo(f"\n── Does it add up?\n\n{_indented(lines)}")


def _table(door: "Door", query: str) -> list[str]:
    from tollhouse.sql.printing import table_lines

    with door.stream(query) as rows:
        return list(table_lines(rows))


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _proof(door: "Door", totals: "Totals", end: datetime) -> list[str]:
    """Lines that set what was written beside what is in the lake. Raises LakeError where they differ."""
    import msgspec

    from tollhouse.demo.answers import BALANCE, TOTALS
    from tollhouse.demo.staging import Totals

    found = msgspec.convert(door.query(TOTALS.format(end=end.isoformat())).row(0, named=True), Totals)
    balance = door.query(BALANCE).row(0, named=True)
    if found != totals or balance["unbalanced"]:
        raise LakeError(
            f"the generator wrote {totals} and the lake holds {found}; {balance['unbalanced']} unbalanced rows",
            hint="this is a bug; please report it with the output of `tollhouse doctor`",
        )
    return [
        f"generator: {_summary(totals)}",
        f"lake:      {_summary(found)} → equal",
        f"records:   {balance['in_source']:,} in the segments' footers = {balance['in_bronze']:,} in bronze"
        f" + {balance['rejected']:,} rejected",
    ]


def _live_proof(door: "Door", live: "Live") -> list[str]:
    """Lines that set the live calls beside their rows and the providers' ledger. Raises LakeError where they differ."""
    from tollhouse.demo.answers import LIVE

    query = LIVE.format(begun=live.begun.isoformat(), ended=live.ended.isoformat())
    found = door.query(query).row(0, named=True)
    differing = [name for name, count in found.items() if count != getattr(live, name)]
    if differing:
        raise LakeError(
            f"live calls: {live} was counted and the lake holds {found}; they differ in {', '.join(differing)}",
            hint="this is a bug; please report it with the output of `tollhouse doctor`",
        )
    return [
        f"live:      {live.calls:,} calls sent = {found['calls']:,} rows in the lake, {live.refused:,} of them refused",
        f"provider:  {live.attempts:,} calls, {live.input_tokens:,} input and {live.output_tokens:,} output tokens in "
        "its own ledger",
        f"lake:      {found['attempts']:,} attempts, {found['input_tokens']:,} input and {found['output_tokens']:,} "
        "output tokens → equal",
    ]


def _summary(totals: "Totals") -> str:
    return (
        f"{totals.calls:,} calls, {totals.open_calls:,} of them in doubt, {totals.input_tokens:,} input and "
        f"{totals.output_tokens:,} output tokens"
    )


def _show_next(folder: Path, live: "Live | None") -> None:
    program = tollhouse_command(folder / FILE_NAME)
    click.echo("\n── What next? Type\n")
    for arguments in (
        'sql "SELECT api_type, count(*) AS calls, sum(total_tokens) AS tokens FROM system.ai_gateway.usage GROUP BY 1"',
        "views --dialect snowflake",
        "doctor",
        "run",
        "serve pipelines",
        *([f"serve simulated --port {live.upstream.rpartition(':')[2]}", "serve gateway"] if live else []),
    ):
        click.echo(f"  {program} {arguments}")
