"""The simulated providers as a process of their own, for every test that needs an upstream."""

import base64
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

GREETING = "Serving simulated providers at "
PATIENCE_SECONDS = 30


class SimulatedServer:
    """``with SimulatedServer() as server:`` runs it on a free port until the block ends."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self.url = ""

    def __enter__(self) -> Self:
        code = "import sys; from tollhouse.cli import main; sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", code, "serve", "simulated", "--port", "0", *self._arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        greeting = self.process.stdout.readline()
        if not greeting.startswith(GREETING):
            self.__exit__()
            raise AssertionError(f"the simulated server did not start: {greeting!r}")
        self.url = greeting.removeprefix(GREETING).strip()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise

    def behaving(self, behaviour: str) -> str:
        """The base URL under which every call behaves so."""
        return f"{self.url}/behave/{quote(behaviour, safe='=:')}"

    def behave(self, behaviour: str = "", *, count: int | None = 1, path: str = "*", model: str = "*") -> None:
        """Queue a behaviour for the next ``count`` calls whose path and model match; None is all of them."""
        self._queue({"behaviour": behaviour, "count": count, "path": path, "model": model})

    def answer(
        self,
        body: bytes,
        *,
        status: int = 200,
        headers: Iterable[tuple[str, str]] = (("content-type", "application/json"),),
        chunks: list[int] | None = None,
        behaviour: str = "",
        count: int | None = 1,
        path: str = "*",
        model: str = "*",
    ) -> None:
        """Queue an answer byte for byte; ``chunks`` are sizes, the rest of the body is the last chunk."""
        verbatim = {
            "status": status,
            "headers": [list(pair) for pair in headers],
            "body_base64": base64.b64encode(body).decode(),
            "chunks": chunks,
        }
        self._queue({"behaviour": behaviour, "count": count, "path": path, "model": model, "verbatim": verbatim})

    def _queue(self, queued: dict[str, Any]) -> None:
        self.ask("POST", "/-/behaviours", json.dumps(queued).encode())

    def ledger(self, since: int = 0) -> list[dict[str, Any]]:
        """All calls with a higher sequence number, newest last."""
        return self.ask("GET", f"/-/ledger?since={since}")

    def totals(self) -> dict[str, Any]:
        """The sums of the ledger."""
        return self.ask("GET", "/-/ledger?totals=1")

    def last(self) -> dict[str, Any]:
        """The newest call, once it has ended."""
        return self.await_ledger(lambda calls: bool(calls) and calls[-1]["finish"] != "open")[-1]

    def await_ledger(self, holds: Callable[[list[dict[str, Any]]], bool], since: int = 0) -> list[dict[str, Any]]:
        """The ledger as soon as ``holds`` is true of it; fails after half a minute."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds(calls := self.ledger(since)):
            assert time.monotonic() < deadline, f"the ledger stays {calls[-3:]}"
            time.sleep(0.005)
        return calls

    def clear(self) -> None:
        """Forget the ledger and all queued behaviours."""
        self.ask("DELETE", "/-/ledger")
        self.ask("DELETE", "/-/behaviours")

    def ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        """A request to the server itself; the JSON of its answer. A refusal raises urllib's HTTPError."""
        request = urllib.request.Request(self.url + path, body, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return json.loads(answer.read())
