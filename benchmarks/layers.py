"""Bytes of a lake by layer and table: live ones, which the newest version names, and all that lie on disk."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from logs import Log

from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.settings import load_settings

CALLS = "silver.invocations"
LAYERS = ("bronze", "silver", "gold")


@dataclass(frozen=True)
class Weight:
    """Bytes of one table."""

    table: str
    live_bytes: int
    disk_bytes: int

    @property
    def layer(self) -> str:
        """What stands before the point."""
        return self.table.split(".")[0]


def weigh(settings_file: Path, calls: int) -> list[Weight]:
    """Every table of the lake; what lies beside the tables counts as ``other``.

    Raises SystemExit where it does not hold ``calls`` calls.
    """
    with Lakehouse(load_settings(str(settings_file))) as lake:
        (rows,) = lake.connection.execute(f"SELECT count(*) FROM {lake.relation(CALLS)}").fetchone() or (0,)
        if rows != calls:
            sys.exit(f"{calls} calls were written, and {CALLS} has {rows} rows")
        tables = [_weight(lake, table) for table in lake.tables() if lake.exists(table)]
        rest = _disk(lake.root) - sum(each.disk_bytes for each in tables)
    return [*tables, Weight("other", 0, rest)]


def _weight(lake: Lakehouse, table: str) -> Weight:
    return Weight(table, sum(file.size for file in lake.state(table).files), _disk(lake.path(table)))


def _disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def layer_lines(log: Log, weights: Sequence[Weight]) -> list[str]:
    """Bytes per call by table, then by layer, and in all against the raw log."""
    calls, raw = log.facts.calls, log.facts.log_bytes
    lines = [f"{'bytes a call':<34} {'live':>9} {'on disk':>9} {'live / raw log':>15}"]
    groups = [(each.table, [each]) for each in weights if each.layer in LAYERS]
    groups += [(f"{layer} in all", [w for w in weights if w.layer == layer]) for layer in (*LAYERS, "other")]
    groups.append(("lake in all", list(weights)))
    for name, members in groups:
        live, disk = sum(w.live_bytes for w in members), sum(w.disk_bytes for w in members)
        lines.append(f"{name:<34} {live / calls:>9.1f} {disk / calls:>9.1f} {live / raw:>15.3f}")
    lines.append(f"{'raw log':<34} {raw / calls:>9.1f} {raw / calls:>9.1f} {1:>15.3f}")
    return lines


def live_share(log: Log, weights: Sequence[Weight]) -> float:
    """Live bytes of all tables over those of the raw log."""
    return sum(each.live_bytes for each in weights) / log.facts.log_bytes
