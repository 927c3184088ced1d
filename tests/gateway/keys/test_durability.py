"""What a call waits for: with each durability the gateway runs on a disk whose syncs can be held up."""

import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from parallel_calls import chat
from running_gateway import RunningGateway
from simulated_server import SimulatedServer

# Runs at the start of the gateway's process: each sync is noted, and waits while it is held.
SLOW_DISK = """
import os
import time
from pathlib import Path

folder = Path(__file__).parent


def slow(sync):
    def wait(descriptor):
        with (folder / "syncs").open("a") as syncs:
            syncs.write(".")
        while (folder / "held").exists():
            time.sleep(0.01)
        sync(descriptor)

    return wait


os.fsync, os.fdatasync = slow(os.fsync), slow(os.fdatasync)
"""


class SlowDisk:
    """A gateway of this durability, and the syncs of its disk."""

    def __init__(self, folder: Path, upstream: str, durability: str) -> None:
        self._folder = folder / "disk"
        self._folder.mkdir()
        (self._folder / "sitecustomize.py").write_text(SLOW_DISK)
        (self._folder / "syncs").touch()
        path = [str(self._folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {"PYTHONPATH": os.pathsep.join(path)}
        self.gateway = RunningGateway(folder, upstream, environment, spool={"durability": durability})

    @property
    def syncs(self) -> int:
        """How many have begun."""
        return (self._folder / "syncs").stat().st_size

    @contextmanager
    def held(self) -> Generator[None]:
        """No sync ends before the block does."""
        mark = self._folder / "held"
        mark.touch()
        try:
            yield
        finally:
            mark.unlink()


@pytest.mark.changes("gateway.spool.durability")
def test_strict_lets_a_call_wait_for_the_disk(tmp_path: Path, simulated: SimulatedServer) -> None:
    disk = SlowDisk(tmp_path, simulated.url, "strict")
    with disk.gateway, ThreadPoolExecutor(1) as pool:
        before, calls = disk.syncs, simulated.totals()["calls"]
        with disk.held():
            waiting = pool.submit(chat, disk.gateway)
            disk.gateway.await_effect(lambda: disk.syncs > before, "a sync")
            assert not waiting.done()
            assert simulated.totals()["calls"] == calls
        assert waiting.result().status == 200


@pytest.mark.changes("gateway.spool.durability")
def test_interval_answers_before_the_disk_has_the_record(tmp_path: Path, simulated: SimulatedServer) -> None:
    disk = SlowDisk(tmp_path, simulated.url, "interval")
    with disk.gateway, disk.held():
        before = disk.syncs
        assert chat(disk.gateway).status == 200
        disk.gateway.await_effect(lambda: disk.syncs > before, "a sync")


@pytest.mark.changes("gateway.spool.durability")
def test_os_never_syncs(tmp_path: Path, simulated: SimulatedServer) -> None:
    disk = SlowDisk(tmp_path, simulated.url, "os")
    with disk.gateway:
        before = disk.syncs
        assert chat(disk.gateway).status == 200
        assert disk.gateway.stop() == 0
    assert disk.syncs == before
