import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tollhouse.settings import Settings, SourceSettings, SpoolSettings

# As `working_directory: .` does for Dagster: the code location is no part of the installed package.
PROJECT = str(Path(__file__).parents[2])
if PROJECT not in sys.path:
    sys.path.append(PROJECT)


@pytest.fixture
def settings_over(tmp_path: Path) -> Callable[[Path], Settings]:
    """A lake of its own with one LiteLLM source, over a spool that may be shared."""

    def make(spool: Path) -> Settings:
        (tmp_path / "logs").mkdir()
        source = SourceSettings(name="proxy", format="litellm", path="logs")
        return Settings(root=str(tmp_path), sources=[source], spool=SpoolSettings(path=str(spool)))

    return make
