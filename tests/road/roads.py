"""A lake of its own for each group of bad inputs: logs are laid down, the whole road is run, tables are asked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.run import StepReport, run_steps
from tollhouse.settings import FILE_NAME, Settings, load_settings
from tollhouse.settings_template import write_settings
from tollhouse.spool.frame import frame
from tollhouse.spool.records import FORMAT_VERSION, SpoolRecord
from tollhouse.spool.segment import Seal, SegmentHeader, encode_mark, segment_path
from tollhouse.spool.writer import SpoolWriter

AS_OF = datetime(2026, 3, 2, 12, tzinfo=UTC)
SPOOL_ID = "5b1f7a3e-0000-4000-8000-00000000000a"
NOON = "2026-03-02T12:00:00.000000Z"
Row = dict[str, Any]


@dataclass(frozen=True)
class Road:
    """A folder with settings, one spool and the log folder of one LiteLLM proxy, named ``proxy``."""

    root: Path
    settings: Settings

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def slot(self) -> Path:
        return self.settings.spool_dir / "slot-0"

    def drop(self, name: str, content: bytes, *, is_settled: bool = True) -> Path:
        """Lay down a log file that has not changed for an hour, or is being written."""
        path = self.logs / name
        path.write_bytes(content)
        if is_settled:
            settle(path)
        return path

    @contextmanager
    def writing(self, moment: datetime = AS_OF) -> Iterator[SpoolWriter]:
        """A writer of the one slot, whose clock stands at ``moment``; its segment is sealed at the end."""
        with SpoolWriter(self.settings.spool_dir, clock=lambda: moment, spool_id=SPOOL_ID) as writer:
            yield writer

    def append(self, *records: SpoolRecord | bytes, moment: datetime = AS_OF) -> list[int]:
        """Write one sealed segment of ``records``; returns their sequence numbers."""
        with self.writing(moment) as writer:
            return [writer.append(record) for record in records]

    def forge(self, number: int, *bodies: bytes) -> Path:
        """Lay down a sealed segment of records that our writer would refuse, with good checksums; returns its path."""
        header = SegmentHeader(
            format_version=FORMAT_VERSION, spool_id=SPOOL_ID, segment_number=number, first_sequence=1, created_at=NOON
        )
        lines = [encode_mark(header), *(frame(place, body) for place, body in enumerate(bodies, 1))]
        content = b"".join(lines)
        seal = Seal(
            spool_id=SPOOL_ID,
            segment_number=number,
            created_at=NOON,
            record_count=len(bodies),
            first_sequence=1,
            last_sequence=len(bodies),
            bytes=len(content),
            sha256=sha256(content).hexdigest(),
            sealed_at=NOON,
        )
        path = segment_path(self.slot, number, is_open=False)
        path.write_bytes(content + encode_mark(seal))
        return path

    def run(self, as_of: datetime = AS_OF) -> list[StepReport]:
        with Lakehouse(self.settings) as lake:
            return list(run_steps(lake, as_of))

    def ask(self, query: str) -> list[Row]:
        """Rows of one query; tables by their names."""
        with Lakehouse(self.settings) as lake:
            return lake.sql(query).to_dicts()

    def versions(self) -> dict[str, int]:
        """The Delta version of every table."""
        with Lakehouse(self.settings) as lake:
            return {table: lake.state(table).version for table in lake.tables()}

    def assert_sound(self, as_of: datetime = AS_OF) -> None:
        """Every record and byte is explained, and running again writes nothing at all."""
        rows = self.ask("SELECT * FROM gold.reconciliation")
        assert [row for row in rows if not row["is_balanced"]] == []
        before = self.versions()
        self.run(as_of)
        assert self.versions() == before

    def totals(self) -> Row:
        """gold.reconciliation's counts over all sources and days."""
        rows = self.ask("SELECT * FROM gold.reconciliation")
        counts = [name for name, value in rows[0].items() if type(value) is int] if rows else []
        return {name: sum(row[name] for row in rows) for name in counts}


def settle(path: Path) -> None:
    """Make a file look as if it had not changed for an hour."""
    an_hour_ago = datetime.now(UTC).timestamp() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))


def make_road(root: Path) -> Road:
    """A road whose settings name the folder ``logs`` as source ``proxy``."""
    file = root / FILE_NAME
    write_settings(file)
    source = "sources:\n  - {name: proxy, format: litellm, path: logs}\n"
    file.write_text(file.read_text().replace("sources: []\n", source))
    (root / "logs").mkdir()
    return Road(root, load_settings(str(file)))
