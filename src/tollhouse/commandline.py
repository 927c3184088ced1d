"""What a person types to run Tollhouse again: printed commands run as printed."""

import os
import shlex
import shutil
import sys
from pathlib import Path


def tollhouse_command(settings_file: Path | str | None = None) -> str:
    """The program as this process was called, from the working directory, with ``--config`` where one is needed."""
    parts = [*_program()]
    if settings_file is not None and not _is_found_anyway(Path(settings_file)):
        parts += ["--config", _shown(Path(settings_file))]
    return shlex.join(parts)


def _program() -> list[str]:
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return [_shown(Path(sys.executable)), "-m", "tollhouse"]
    script = Path(sys.executable).parent / "tollhouse"
    program = called if called.name == "tollhouse" else script
    found = shutil.which("tollhouse")
    if found and Path(found).absolute() == program.absolute():
        return ["tollhouse"]
    return [_shown(program)]


def _is_found_anyway(settings_file: Path) -> bool:
    return settings_file.resolve() == Path.cwd().resolve() / "tollhouse.yml"


def _shown(path: Path) -> str:
    """Relative where it lies below the working directory; links are kept, since a venv's python is one."""
    absolute = path if path.is_absolute() else Path.cwd() / path
    below = os.path.relpath(absolute)
    return str(absolute) if below.startswith("..") else below
