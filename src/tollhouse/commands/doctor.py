"""``tollhouse doctor``: is everything as it should be, and if not, what to do."""

import click

from tollhouse.commandline import tollhouse_command
from tollhouse.settings import load_settings


@click.command("doctor")
@click.pass_obj
def doctor(config: str | None) -> int:
    """Check settings, folders, tables and sums, and say what to do.

    Changes nothing. The exit code is 1 where there is a problem.
    """
    from tollhouse.lake.examination import examine

    settings = load_settings(config)
    problems = 0
    for finding in examine(settings, tollhouse_command(settings.file)):
        problems += not finding.is_ok
        click.echo(f"{'OK     ' if finding.is_ok else 'PROBLEM'}  {finding.subject:<32} {finding.detail}")
        if finding.remedy and not finding.is_ok:
            click.echo(f"{'':>42}→ {finding.remedy}")
    click.echo("Everything is as it should be." if not problems else f"Problems found: {problems}")
    return 1 if problems else 0
