"""Taking a changed settings file into force, in each worker by itself."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from tollhouse.errors import SettingsError
from tollhouse.gateway.configuration.configuration import PEPPER, Configuration, Origin, compile_configuration
from tollhouse.gateway.configuration.findings import ConfigurationError
from tollhouse.gateway.configuration.loading import load_configuration

POLL_SECONDS = 0.25
# Sockets, processes, clients and exporters that are made once, at start.
NEEDS_RESTART = ("listen", "admin", "workers", "transport", "identity", "tracing")

_Stamps = dict[Path, tuple[int, int, int] | None]


class ConfigurationKeeper:
    """Holds the configuration in force. ``current`` is replaced as a whole; who took it before keeps what he took.

    ``error``: why the file as it is now is not in force, None where it is. ``waiting_for_restart``: keys whose values
    in the file are not in force. ``on_change`` is called with each new configuration, ``on_refusal`` with why a changed
    file is not taken, both in the event loop.
    """

    def __init__(self, path: Path | str) -> None:
        """Raises SettingsError where the file cannot be used: there is nothing before it to go on with."""
        self._file = Path(path).absolute()
        before = _stamps([self._file])
        self.current: Configuration = load_configuration(self._file)
        self._seen: _Stamps = _stamps(self.current.origin.watched) | before
        self._changing: _Stamps | None = None
        self._nudged = asyncio.Event()
        self.error: str | None = None
        self.waiting_for_restart: tuple[str, ...] = ()
        self.on_change: list[Callable[[Configuration], None]] = []
        self.on_refusal: list[Callable[[str], None]] = []

    def nudge(self) -> None:
        """Read the file again at once, changed or not. In the event loop's thread only."""
        self._nudged.set()

    async def keep(self, interval: float = POLL_SECONDS) -> None:
        """Look for changes every ``interval`` seconds, and on SIGHUP, until cancelled."""
        with _on_hangup(self.nudge):
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._nudged.wait(), interval)
                await self.look()

    async def look(self) -> None:
        """Take the file into force where it has changed, and has not since the last look.

        The second condition leaves a file alone while an editor or a copy still writes it: what is there of it by
        then may be valid and mean something else.
        """
        now = _stamps(self._seen)
        if not self._nudged.is_set():
            is_settled = now == self._changing
            self._changing = None if now == self._seen else now
            if self._changing is None or not is_settled:
                return
        self._nudged.clear()
        self._changing = None
        await self._take(now)

    async def _take(self, before: _Stamps) -> None:
        try:
            loaded = await asyncio.to_thread(load_configuration, self._file)
        except SettingsError as error:
            self.error = str(error)
            named = error.watched if isinstance(error, ConfigurationError) else ()
            self._seen = _stamps([*self.current.origin.watched, *named]) | before
            for refused in self.on_refusal:
                refused(self.error)
            return
        self._seen = _only(_stamps(loaded.origin.watched) | before, loaded.origin.watched)
        self.error = None
        self.waiting_for_restart = tuple(_waiting(loaded, self.current))
        kept = _keeping(loaded, self.current) if self.waiting_for_restart else loaded
        if not kept.is_same_as(self.current):
            self.current = kept
            for call in self.on_change:
                call(kept)


def _waiting(loaded: Configuration, running: Configuration) -> Iterator[str]:
    for name in NEEDS_RESTART:
        if getattr(loaded.document, name) != getattr(running.document, name):
            yield f"gateway.{name}"
    if loaded.pepper != running.pepper and loaded.document.identity == running.document.identity:
        yield "gateway.identity"
    if loaded.document.spool.durability != running.document.spool.durability:
        yield "gateway.spool.durability"
    if loaded.spool_dir != running.spool_dir:
        yield "spool.path"
    if loaded.state_dir != running.state_dir:
        yield "state"


def _keeping(loaded: Configuration, running: Configuration) -> Configuration:
    """``loaded`` with what only a restart can change as it is in ``running``."""
    old, new = running.document, loaded.document
    document = replace(
        new,
        spool=replace(new.spool, durability=old.spool.durability),
        **{name: getattr(old, name) for name in NEEDS_RESTART},
    )
    secrets = {path: value for path, value in loaded.secret_values.items() if path != PEPPER}
    if running.pepper is not None:
        secrets[PEPPER] = running.pepper
    origin = Origin(loaded.file, loaded.origin.watched, running.spool_dir, running.state_dir)
    return compile_configuration(document, secrets, origin)


def _stamps(files: Iterable[Path]) -> _Stamps:
    """What shows that a file has changed: time of its change (ns), size, inode; None for one that is not there."""
    return {file: _stamp(file) for file in files}


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _only(stamps: _Stamps, files: Iterable[Path]) -> _Stamps:
    return {file: stamps[file] for file in files}


@contextlib.contextmanager
def _on_hangup(call: Callable[[], None]) -> Generator[None]:
    """SIGHUP calls ``call`` meanwhile, where this is the main thread: only that one may handle signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGHUP)
    loop.add_signal_handler(signal.SIGHUP, call)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)
