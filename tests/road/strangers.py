"""``tollhouse run`` in a process of its own: as a user without root, or where the disk is soon full."""

import os
import subprocess
import sys
from dataclasses import dataclass

from road.roads import AS_OF, Road

NOBODY = 65534
# What is imported later could lie where only root may read: everything is loaded first.
_PROGRAM = """
import importlib, os, pkgutil, resource, signal, sys
import deltalake, duckdb, genai_prices, polars, pyarrow.parquet, sqlglot, sqlglot.dialects.databricks
import tollhouse.commands.run, tollhouse.lake.run, tollhouse.sql.functions
from tollhouse.cli import main
user, size, *arguments = sys.argv[1:]
if size != "-":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
if user != "-" and os.getuid() == 0:
    os.setgroups([])
    os.setgid(int(user))
    os.setuid(int(user))
sys.exit(main(arguments))
"""


@dataclass(frozen=True)
class Ended:
    """Exit code and standard error of a command."""

    code: int
    error: str


def run_as_nobody(road: Road) -> Ended:
    """``tollhouse run`` as a user who is not root."""
    return _run(road, str(NOBODY), "-")


def run_with_files_up_to(road: Road, size: int) -> Ended:
    """``tollhouse run`` where no file can grow beyond ``size`` bytes, as on a disk that is full."""
    return _run(road, "-", str(size))


def give_to_nobody(road: Road) -> None:
    """Make the user of ``run_as_nobody`` the owner of everything under the road's folder."""
    if os.getuid() == 0:
        for path in [road.root, *road.root.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)


def _run(road: Road, user: str, size: str) -> Ended:
    arguments = ["--config", str(road.root / "tollhouse.yml"), "run", "--as-of", AS_OF.isoformat()]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, user, size, *arguments], capture_output=True, text=True, check=False
    )
    return Ended(done.returncode, done.stderr)
