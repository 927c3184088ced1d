"""What ``tollhouse doctor`` looks at; nothing here changes anything."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tollhouse.errors import TollhouseError
from tollhouse.lake.embedded import snapshot
from tollhouse.lake.evolution import stale_tables
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.settings import Settings

RECONCILIATION = "gold.reconciliation"
_SMALLEST_FREE_BYTES = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is as it should be, what was seen, and what to do where it is not."""

    subject: str
    is_ok: bool
    detail: str
    remedy: str | None = None


def examine(settings: Settings, program: str = "tollhouse") -> Iterator[Finding]:
    """Every finding, in the order in which a person would mend them; it ends early where the lake cannot be opened.

    ``program`` is what a person types to call Tollhouse, for the remedies.
    """
    yield Finding("settings", is_ok=True, detail=settings.file or "defaults: there is no tollhouse.yml")
    for name, folder in (("lake", settings.lake_dir), ("state", settings.state_dir), ("spool", settings.spool_dir)):
        yield _folder(name, folder)
    yield _space(settings.lake_dir)
    yield _sources(settings)
    try:
        lake = Lakehouse(settings)
    except TollhouseError as error:
        yield Finding("engine", is_ok=False, detail=str(error))
        return
    with lake:
        yield Finding("engine", is_ok=True, detail=f"{settings.engine.name}, {len(lake.tables())} table contracts")
        yield _locks(settings.state_dir / "locks")
        yield from (_protocol(lake, table) for table in lake.tables() if lake.exists(table))
        yield from _stale(lake, program)
        yield _balance(lake, program)


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _folder(name: str, folder: Path) -> Finding:
    place = _nearest(folder)
    if os.access(place, os.R_OK | os.W_OK | os.X_OK):
        detail = str(folder) if place == folder else f"{folder} (made when it is needed)"
        return Finding(f"{name} folder", is_ok=True, detail=detail)
    remedy = f"make {place} readable and writable for this user, or set `{name}:` to a folder of your own"
    return Finding(f"{name} folder", is_ok=False, detail=f"no permission for {place}", remedy=remedy)


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(_nearest(folder)).free
    detail = f"{free / (1 << 30):.1f} GiB free at {folder}"
    return Finding("space", free >= _SMALLEST_FREE_BYTES, detail, "free some space: writes need at least 1 GiB")


def _sources(settings: Settings) -> Finding:
    missing = [source for source in settings.sources if not settings.path(source.path).exists()]
    if missing:
        detail = f"{missing[0].name}: there is nothing at {settings.path(missing[0].path)}"
        return Finding("sources", is_ok=False, detail=detail, remedy="mend or remove it under `sources:`")
    return Finding("sources", is_ok=True, detail=f"{len(settings.sources)} beside the spool")


def _locks(folder: Path) -> Finding:
    held = [path.stem for path in sorted(folder.glob("*.lock")) if _is_held(path)]
    detail = f"held now: {', '.join(held)} (a run is at work)" if held else "none held"
    return Finding("locks", is_ok=True, detail=detail)


def _is_held(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _protocol(lake: Lakehouse, table: str) -> Finding:
    opened = snapshot.open_table(lake.path(table))
    if opened is None:
        return Finding(
            table, is_ok=False, detail=f"no Delta table at {lake.path(table)}", remedy="restore its _delta_log"
        )
    try:
        snapshot.assert_portable(opened, table)
    except TollhouseError as error:
        return Finding(table, is_ok=False, detail=str(error))
    protocol = opened.protocol()
    rows = lake.state(table, delta=opened).rows
    versions = f"Delta reader {protocol.min_reader_version}, writer {protocol.min_writer_version}"
    return Finding(table, is_ok=True, detail=f"version {opened.version()}, {rows:,} rows, {versions}")


def _stale(lake: Lakehouse, program: str) -> Iterator[Finding]:
    for table, days in stale_tables(lake).items():
        yield Finding(
            f"model of {table}",
            is_ok=False,
            detail=f"{len(days)} dates were made by an older model",
            remedy=f"{program} maintain rebuild {table} --from {days[0]} --to {days[-1]}",
        )


def _balance(lake: Lakehouse, program: str) -> Finding:
    if not lake.exists(RECONCILIATION):
        return Finding("reconciliation", is_ok=True, detail=f"nothing has been read yet: {program} run")
    query = (
        "SELECT count(*), count(*) FILTER (WHERE NOT is_balanced), coalesce(sum(source_records), 0), "
        f"first(source ORDER BY is_balanced, source) FROM {lake.relation(RECONCILIATION)}"
    )
    ((days, unbalanced, records, source),) = lake.connection.execute(query).fetchall()
    if unbalanced:
        detail = f"{unbalanced} of {days} rows do not add up, {source} among them"
        query = f'sql "SELECT * FROM {RECONCILIATION} WHERE NOT is_balanced"'
        remedy = f"{program} run; if that does not help: {program} {query}"
        return Finding("reconciliation", is_ok=False, detail=detail, remedy=remedy)
    return Finding("reconciliation", is_ok=True, detail=f"{records:,} records of the sources are all accounted for")
