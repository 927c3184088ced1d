"""``tollhouse ingest``: another gateway's logs into bronze, at once."""

from datetime import UTC, datetime
from pathlib import Path

import click

from tollhouse.commandline import tollhouse_command
from tollhouse.settings import load_settings


@click.command("ingest")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "log_format", required=True, metavar="NAME", help="What wrote the log: litellm.")
@click.option(
    "--source",
    metavar="NAME",
    help="Name under which its records are kept; by default the settings' name for PATH, else the format.",
)
@click.option("--as-of", metavar="TIME", help="Moment of ingestion as ISO 8601, UTC unless it says; by default now.")
@click.pass_obj
def ingest(config: str | None, path: Path, log_format: str, source: str | None, as_of: str | None) -> None:
    """Read a log file or folder of another gateway into bronze, at once.

    The same file again changes nothing; one that has grown is read from where it ended. `tollhouse run` then brings
    the records into silver and gold.
    """
    from tollhouse.lake.bronze.objects import ingest_path
    from tollhouse.lake.lakehouse import Lakehouse

    settings = load_settings(config)
    with Lakehouse(settings) as lake:
        written = ingest_path(lake, path, log_format, source, parse_time(as_of))
    click.echo(f"{written.rows:,} records read into bronze, {written.rejected:,} rejected.")
    program = tollhouse_command(settings.file)
    if written.rejected:
        click.echo(f'Why: {program} sql "SELECT reason, object_path, position FROM bronze.rejected_records"')
    click.echo(f"Next: {program} run")


def parse_time(text: str | None) -> datetime:
    """An ISO 8601 time, naive ones in UTC; now for None. Raises a usage error naming the value."""
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not an ISO 8601 time such as 2026-03-01T12:00Z", param_hint="--as-of"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
