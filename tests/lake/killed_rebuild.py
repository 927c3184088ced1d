"""``killed_rebuild.py SETTINGS TABLE AS_OF``: rebuilds date by date, and kills itself after the first."""

import datetime as dt
import os
import signal
import sys

from tollhouse.lake import rebuild
from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.settings import load_settings

if __name__ == "__main__":
    settings, table, as_of = sys.argv[1:]
    rebuild._CHUNK_ROWS = 1  # pyright: ignore[reportPrivateUsage]
    with Lakehouse(load_settings(settings)) as lake:
        for _ in rebuild.rebuild(lake, table, None, None, dt.datetime.fromisoformat(as_of)):
            os.kill(os.getpid(), signal.SIGKILL)
