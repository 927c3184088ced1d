"""The demo's folder: settings, the spool with its traffic, and what was counted while it was written."""

import datetime as dt
import shutil
from pathlib import Path

import msgspec

from tollhouse.demo.ledger import Ledger
from tollhouse.demo.spooling import SEED, write_spool
from tollhouse.errors import SettingsError
from tollhouse.settings import FILE_NAME, Settings, load_settings
from tollhouse.settings_template import write_settings

MARKER = "demo.json"
_MADE = ("spool", "lake", ".tollhouse", FILE_NAME, ".gitignore", "provider-key", "servers.log")


class Totals(msgspec.Struct, frozen=True):
    """Calls, those that never ended among them, and tokens of each call's last attempt."""

    calls: int
    open_calls: int
    input_tokens: int
    output_tokens: int


class Live(msgspec.Struct, frozen=True):
    """Calls that were sent through a gateway between two moments, ``refused`` of them by it on purpose.

    ``attempts`` and tokens are those of the simulated providers' own ledger, whose URL was ``upstream``.
    """

    begun: dt.datetime
    ended: dt.datetime
    upstream: str
    calls: int
    refused: int
    attempts: int
    input_tokens: int
    output_tokens: int


class Staged(msgspec.Struct, frozen=True):
    """What a demo's folder holds: the arguments it was made with, and the ledger's totals once all is written.

    ``live`` is None until live calls were sent.
    """

    calls: int
    days: int
    end: dt.datetime
    totals: Totals | None = None
    segments: int = 0
    spool_bytes: int = 0
    live: Live | None = None


def last_midnight(now: dt.datetime) -> dt.datetime:
    """The last midnight in UTC: a demo's traffic ends there."""
    return now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def staged(folder: Path) -> Staged | None:
    """What lies in ``folder``; None where it is no demo's. Raises SettingsError where something else is in it."""
    marker = folder / MARKER
    if marker.is_file():
        return msgspec.json.decode(marker.read_bytes(), type=Staged)
    if folder.exists() and any(folder.iterdir()):
        raise SettingsError(
            f"{folder.resolve()} is not empty and holds no demo", hint="name another folder: tollhouse demo DIR"
        )
    return None


def is_same(found: Staged, calls: int, days: int) -> bool:
    """Whether a demo is whole and was made with these arguments; its last day may be any."""
    return found.totals is not None and (found.calls, found.days) == (calls, days)


def stage(folder: Path, calls: int, days: int, end: dt.datetime) -> Staged:
    """Writes settings and traffic into ``folder`` in place of an earlier demo's; the same arguments, the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    planned = Staged(calls, days, end)
    _mark(folder, planned)
    _clear(folder)
    (folder / ".gitignore").write_text("*\n")
    write_settings(folder / FILE_NAME, heading="# Made by `tollhouse demo`.\n")
    spool = demo_settings(folder).spool_dir
    ledger = write_spool(spool, end=end, calls=calls, days=days, seed=SEED)
    segments = [path.stat().st_size for path in spool.rglob("*.jsonl")]
    written = msgspec.structs.replace(
        planned, totals=_totals(ledger), segments=len(segments), spool_bytes=sum(segments)
    )
    _mark(folder, written)
    return written


def note_live(folder: Path, found: Staged, live: Live) -> Staged:
    """What lies in ``folder`` from now on: the live calls too."""
    noted = msgspec.structs.replace(found, live=live)
    _mark(folder, noted)
    return noted


def demo_settings(folder: Path) -> Settings:
    """The settings of the demo in ``folder``."""
    return load_settings(str(folder / FILE_NAME))


def _totals(ledger: Ledger) -> Totals:
    return Totals(ledger.calls, len(ledger.in_doubt), ledger.tokens.input, ledger.tokens.output)


def _mark(folder: Path, what: Staged) -> None:
    """In one rename: a demo that is killed here is still known as one."""
    fresh = folder / f"{MARKER}.new"
    fresh.write_bytes(msgspec.json.encode(what))
    fresh.replace(folder / MARKER)


def _clear(folder: Path) -> None:
    for name in _MADE:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
