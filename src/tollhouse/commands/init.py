"""``tollhouse init``: a project of one's own."""

import shutil
from pathlib import Path

import click

from tollhouse.commandline import tollhouse_command
from tollhouse.errors import SettingsError
from tollhouse.project import project_dir
from tollhouse.settings import FILE_NAME
from tollhouse.settings_template import write_settings

CONTENT = ("models", "sql", "quality", "dashboards", "pipelines", "workspace.yaml")


@click.command("init")
@click.argument("folder", default=".", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Start a project of your own: models, SQL and a settings file that you can change.

    Copies the folders that Tollhouse runs (models, sql, quality, dashboards, pipelines) into DIR, by default the
    working directory, and writes tollhouse.yml with every setting. Overwrites nothing.
    """
    source = project_dir()
    names = [name for name in CONTENT if (source / name).exists()]
    _refuse_to_overwrite(folder, [*names, FILE_NAME])
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        _copy(source / name, folder / name)
    write_settings(folder / FILE_NAME)
    click.echo(f"A project of your own is in {folder.resolve()}: {', '.join(names)} and {FILE_NAME}.")
    click.echo(f"Next: set `sources:` or `spool:` in {folder / FILE_NAME}, then type")
    click.echo(f"  {tollhouse_command(folder / FILE_NAME)} run")


def _refuse_to_overwrite(folder: Path, names: list[str]) -> None:
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise SettingsError(
            f"{folder.resolve()} already holds {', '.join(there)}, which would be overwritten",
            hint="name another folder: tollhouse init DIR",
        )


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        shutil.copyfile(source, target)
    else:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
