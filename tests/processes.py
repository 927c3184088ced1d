"""What tests ask of processes that they have ended."""

import os
import time
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def has_ended(pid: int) -> bool:
    """Whether a process ends: a signal to a group is delivered to each member in its own time."""
    for _ in range(3000):
        if not is_alive(pid):
            return True
        time.sleep(0.01)
    return False
