"""Processes that live and die together."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tollhouse.errors import TollhouseError

_GRACE_SECONDS = 10.0


class ServingError(TollhouseError):
    """A server that did not come up, or that ended by itself."""


@dataclass(frozen=True)
class Child:
    """One process; it leads a group of its own, which holds whatever it starts."""

    name: str
    process: "subprocess.Popen[bytes]"
    is_killed_at_once: bool = False


@dataclass
class Children:
    """The processes of one server, ended in the reverse order of their start.

    ``descriptors`` are handed on to all of them.
    """

    environment: Mapping[str, str]
    folder: Path
    descriptors: Sequence[int] = ()
    started: list[Child] = field(default_factory=list[Child])

    def start(self, name: str, command: Sequence[str], *, is_killed_at_once: bool = False) -> None:
        """Starts ``command`` in a group of its own, so that a Ctrl-C in the terminal reaches us alone."""
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            command,
            env=self.environment,
            cwd=self.folder,
            pass_fds=self.descriptors,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        self.started.append(Child(name, process, is_killed_at_once))

    def check(self) -> None:
        """Raises ServingError for one that has ended."""
        for child in self.started:
            code = child.process.poll()
            if code is not None:
                raise ServingError(f"the {child.name} ended by itself with code {code}", hint="its last lines say why")

    def end(self) -> None:
        """Ends one after the other, and whatever it has started; returns when none is left."""
        while self.started:
            child = self.started[-1]
            _signal(child, signal.SIGKILL if child.is_killed_at_once else signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(_GRACE_SECONDS)
            _signal(child, signal.SIGKILL)
            child.process.wait()
            self.started.pop()


def _signal(child: Child, number: signal.Signals) -> None:
    try:
        os.killpg(child.process.pid, number)
    except ProcessLookupError:
        return
