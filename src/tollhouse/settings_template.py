"""The settings file that `tollhouse init` writes: every setting with its default and what it means."""

from importlib.resources import files
from pathlib import Path


def settings_template() -> str:
    """The text of the template."""
    return files("tollhouse").joinpath("settings.template.yml").read_text()


def write_settings(path: Path, heading: str = "") -> None:
    """Writes the template to ``path`` after ``heading``."""
    path.write_text(heading + settings_template())
