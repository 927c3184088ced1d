"""``tollhouse run`` in a process of its own: as a user without root, or with a disk that is soon full."""

import os
import resource
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from road.roads import Road

NOBODY = 65534


@dataclass(frozen=True)
class Ended:
    """Exit code and standard error of a command."""

    code: int
    error: str


def run_as_nobody(road: Road, *, owns_lake: bool = True) -> Ended:
    """Run as somebody who may read and write under the road's folder, but is not root."""
    if os.getuid() == 0:
        for path in [road.root, *road.root.rglob("*")]:
            if owns_lake or path != road.settings.lake_dir:
                os.chown(path, NOBODY, NOBODY)
        for folder in road.root.parents[:2]:
            folder.chmod(0o755)
    return _in_child(road, _drop_root)


def run_with_files_up_to(road: Road, size: int) -> Ended:
    """Run where no file can grow beyond ``size`` bytes, as on a disk that is full."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return _in_child(road, limit)


def _drop_root() -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
