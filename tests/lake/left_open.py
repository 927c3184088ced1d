"""A gateway that dies: ``left_open.py SPOOL`` writes calls that never end, says so, and waits to be killed."""

import sys
import time
from datetime import timedelta

from lake.small_lake import NOON, admit, outcome

from tollhouse.spool.writer import SpoolWriter

if __name__ == "__main__":
    writer = SpoolWriter(sys.argv[1], spool_id="0a0a0a0a-0000-4000-8000-00000000000b")
    for number in (1, 2, 3):
        writer.append(admit(number, NOON + timedelta(seconds=number), minutes=60 * 24 * 30))
    writer.append(outcome(3, NOON + timedelta(seconds=3)))
    print("written", flush=True)
    time.sleep(600)
