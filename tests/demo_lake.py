"""The type of the fixture ``demo_lake``."""

from dataclasses import dataclass
from pathlib import Path

from tollhouse.demo.ledger import Ledger
from tollhouse.settings import FILE_NAME, Settings


@dataclass(frozen=True)
class DemoLake:
    """A lake of 600 calls over three days: its folder, settings, and what the generator counted."""

    root: Path
    settings: Settings
    ledger: Ledger

    @property
    def settings_file(self) -> str:
        return str(self.root / FILE_NAME)
