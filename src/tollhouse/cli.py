"""The command line: a verb is a module of ``tollhouse.commands``, imported when it is called.

A verb's module holds a click command or group of the verb's name. It finds the value of ``--config`` in its context's
object: ``@click.pass_obj def run(config: str | None, ...)``, and opens the lake with ``Lakehouse.open(config)``.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from tollhouse.errors import TollhouseError

# The first line of each verb's help stands here too, so that `tollhouse --help` imports no verb.
VERBS = {
    "init": "Start a project of your own: models, SQL and a settings file that you can change.",
    "demo": "Make a lake out of generated traffic and answer three questions with it.",
    "serve": "Run a server: the gateway, the pipelines (Dagster) or simulated providers.",
    "keys": "Make, rotate and revoke virtual keys; change principals and teams.",
    "ingest": "Read a log file or folder of another gateway into bronze, at once.",
    "run": "Bring every table up to date: read new logs, then transform.",
    "sql": "Run one SELECT over the lake's tables and views; '-' reads it from standard input.",
    "views": "Print all views as CREATE statements.",
    "maintain": "Compact, vacuum, rebuild and reprice tables.",
    "doctor": "Check settings, folders, tables and sums, and say what to do.",
}
USAGE_ERROR, INTERRUPTED = 2, 130


class Verbs(click.Group):
    """A group whose commands are modules, imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*VERBS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(importlib.import_module(f"tollhouse.commands.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, VERBS[name]) for name in self.list_commands(ctx)])


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import version

        click.echo(f"tollhouse {version('tollhouse')}")
        ctx.exit()


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", metavar="FILE", help="Settings file; by default $TOLLHOUSE_CONFIG, then the nearest upward.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.pass_context
def cli(ctx: click.Context, config: str | None) -> None:
    """An open AI gateway and the telemetry lakehouse behind it."""
    ctx.obj = config


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code: 0, 1 for an error, 2 for wrong usage, 130 for Ctrl-C."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result: Any = cli.main(given, prog_name="tollhouse", standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        return _hush()
    except TollhouseError as error:
        if "--debug" in given:
            traceback.print_exc()
        click.echo(f"Error: {error}", err=True)
        return 1
    return result if isinstance(result, int) else 0


def _hush() -> int:
    """Whoever read our output has had enough: what is still in the buffer goes nowhere at the interpreter's end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
