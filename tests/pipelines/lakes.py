"""Lakes of their own for tests of the pipelines."""

import datetime as dt
from pathlib import Path

from tollhouse.settings import Settings, SourceSettings, SpoolSettings

AS_OF = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)


def settings_in(folder: Path, spool: Path | str = "spool") -> Settings:
    """A lake under ``folder`` with one LiteLLM source, over a spool that may be shared."""
    (folder / "logs").mkdir(parents=True)
    source = SourceSettings(name="proxy", format="litellm", path="logs")
    return Settings(root=str(folder), sources=[source], spool=SpoolSettings(path=str(spool)))
