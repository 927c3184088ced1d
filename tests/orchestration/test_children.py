import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import has_ended

from tollhouse.orchestration.children import Children, ServingError

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# Its own child outlives it, as a run outlives a code server that is killed.
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "open('grandchild', 'w').write(str(p.pid)); time.sleep(60)",
]


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    started = Children(dict(os.environ), tmp_path)
    yield started
    started.end()


def test_ending_ends_all_of_them(children: Children) -> None:
    children.start("one", SLEEP)
    children.start("two", SLEEP, is_killed_at_once=True)
    pids = [child.process.pid for child in children.started]
    children.check()
    children.end()

    assert [has_ended(pid) for pid in pids] == [True, True]


def test_ending_ends_what_they_have_started(children: Children, tmp_path: Path) -> None:
    children.start("parent", PARENT, is_killed_at_once=True)
    note = tmp_path / "grandchild"
    while not (note.exists() and note.read_text()):
        children.check()
    children.end()

    assert has_ended(int(note.read_text()))


def test_one_that_ends_by_itself_is_named_with_its_code(children: Children) -> None:
    children.start("webserver", [sys.executable, "-c", "raise SystemExit(3)"])
    children.started[0].process.wait()

    with pytest.raises(ServingError, match="the webserver ended by itself with code 3"):
        children.check()
