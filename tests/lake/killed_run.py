"""A run that kills itself: ``killed_run.py SETTINGS AS_OF MOMENT``.

A moment is the time before or after one of the calls that write: files, the batch's list, a commit, the forgetting of a
batch. They are numbered from 1 in the order in which the run meets them; moment 0 never comes. Each is printed as it
is met, so that an undisturbed run tells how many there are. The code that runs is the real one, wrapped from outside.
"""

import datetime as dt
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

import deltalake

from tollhouse.lake.bronze import batch
from tollhouse.lake.embedded import committing, writing
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.lake.run import run_steps
from tollhouse.settings import load_settings

WRITES = [(writing, "write_files"), (committing, "commit_files"), (batch, "_save"), (batch, "_apply")]
moments = count(1)


def meet(what: str, last: int) -> None:
    """Prints the moment, and ends the process without a word where it is the last."""
    number = next(moments)
    print(number, what, flush=True)
    if number == last:
        os.kill(os.getpid(), signal.SIGKILL)


def wrapped(real: Callable[..., Any], name: str, last: int) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        meet(f"before {name}", last)
        result = real(*arguments, **named)
        meet(f"after {name}", last)
        return result

    return call


def wrap(last: int) -> None:
    """Puts the wrapped calls wherever a module of the lake has the real ones, and around delta-rs's own commit too."""
    for owner, name in WRITES:
        real = getattr(owner, name)
        for module in [m for key, m in sys.modules.items() if key.startswith("tollhouse.lake")]:
            if getattr(module, name, None) is real:
                setattr(module, name, wrapped(real, name, last))
    table = deltalake.DeltaTable
    table.create_write_transaction = wrapped(table.create_write_transaction, "create_write_transaction", last)


if __name__ == "__main__":
    settings, as_of, last = sys.argv[1:]
    wrap(int(last))
    print("ready", flush=True)
    with Lakehouse(load_settings(settings)) as lake:
        for report in run_steps(lake, dt.datetime.fromisoformat(as_of)):
            print("done", report.step, flush=True)
