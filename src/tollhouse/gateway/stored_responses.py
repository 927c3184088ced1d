"""Who may read a stored response of the Responses protocol again, and where it is.

All callers share a provider's credential, so the provider would show a stored response to any of them.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from tollhouse.errors import StorageError
from tollhouse.gateway.database import open_database, transaction

KEPT_SECONDS = 30 * 24 * 3600
PRUNE_SECONDS = 3600.0
LARGEST_BATCH = 256
_SCHEMA = """
CREATE TABLE responses (
    response_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    destination_name TEXT NOT NULL,
    provider TEXT NOT NULL,
    upstream_model TEXT NOT NULL,
    is_billed INTEGER NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (response_id, principal)
) WITHOUT ROWID;
CREATE INDEX responses_by_age ON responses (created_at)
"""
_REMEMBER = """
INSERT INTO responses VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (response_id, principal) DO UPDATE SET
    is_billed = excluded.is_billed OR (is_billed AND destination_name = excluded.destination_name),
    destination_name = excluded.destination_name, provider = excluded.provider,
    upstream_model = excluded.upstream_model
"""
_OWNER = """
SELECT destination_name, provider, upstream_model, is_billed FROM responses
WHERE response_id = ? AND principal = ? AND created_at >= ?
"""
_CLAIM = "UPDATE responses SET is_billed = 1 WHERE response_id = ? AND principal = ? AND NOT is_billed"
_FORGET = "DELETE FROM responses WHERE response_id = ? AND principal = ?"
_T = TypeVar("_T")


class Stored(NamedTuple):
    """Where a response is kept; ``is_billed`` says that its usage stands in a row already."""

    destination_name: str
    provider: str
    upstream_model: str
    is_billed: bool


def responses_path(state_dir: Path) -> Path:
    """Where the table is that all workers share."""
    return state_dir / "gateway" / "responses.sqlite"


class Job(NamedTuple):
    """Something to be done in the table's thread, and who waits for it."""

    work: Callable[[], Any]
    answer: "asyncio.Future[Any]"


class StoredResponses:
    """The table at ``path``, which all workers share; each call raises StorageError where file or disk refuses.

    What is written survives a SIGKILL. A response is forgotten after 30 days. The same id under another principal is
    another response. All work is done in one thread of its own, and what waits for it at once is one transaction.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._table = _Table(path, clock)
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="tollhouse-responses", daemon=True)
        self._thread.start()

    async def remember(self, response_id: str, principal: str, stored: Stored) -> None:
        """Note whose response it is. One that was known at the same destination stays billed if it was."""
        await self._ask(partial(self._table.remember, response_id, principal, stored))

    async def owner(self, response_id: str, principal: str) -> Stored | None:
        """Where the response is; None for anybody but its owner, and for one that is not known."""
        return await self._ask(partial(self._table.owner, response_id, principal))

    async def claim_billing(self, response_id: str, principal: str) -> bool:
        """True exactly once for a response that is not billed, in whatever worker; from then on it is."""
        return await self._ask(partial(self._table.claim_billing, response_id, principal))

    async def forget(self, response_id: str, principal: str) -> None:
        """The response is deleted at its provider."""
        await self._ask(partial(self._table.forget, response_id, principal))

    def close(self) -> None:
        """Leave the file once what was begun has ended."""
        if not self._is_closed:
            self._is_closed = True
            self._jobs.put(None)
            self._thread.join()

    async def _ask(self, work: Callable[[], _T]) -> _T:
        if self._is_closed:
            raise StorageError(f"{self._table.path} is closed", hint="this worker is ending; ask another")
        answer: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._jobs.put(Job(work, answer))
        return await answer

    def _work(self) -> None:
        is_ending = False
        while not is_ending:
            waiting = [self._jobs.get()]
            while len(waiting) < LARGEST_BATCH and not self._jobs.empty():
                waiting.append(self._jobs.get())
            is_ending = None in waiting
            self._finish([job for job in waiting if job is not None])
        self._table.close()

    def _finish(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        try:
            results = self._table.together(jobs)
        except StorageError as error:
            settle = partial(_fail, jobs, error)
        else:
            settle = partial(_fulfil, jobs, results)
        # A loop that has been closed has nobody who waits.
        with contextlib.suppress(RuntimeError):
            jobs[0].answer.get_loop().call_soon_threadsafe(settle)


def _fulfil(jobs: list[Job], results: list[Any]) -> None:
    for job, result in zip(jobs, results, strict=True):
        if not job.answer.done():
            job.answer.set_result(result)


def _fail(jobs: list[Job], error: StorageError) -> None:
    for job in jobs:
        if not job.answer.done():
            job.answer.set_exception(error)


class _Table:
    """The rows. Every method but ``together`` and ``close`` is called by ``together``."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.path = path
        self._now = clock
        self._prune_at = 0.0
        self._connection = open_database(path, (_SCHEMA,), is_power_safe=False)

    def close(self) -> None:
        self._connection.close()

    def together(self, jobs: Sequence[Job]) -> list[Any]:
        """What the jobs return, in one transaction. Raises StorageError."""
        with transaction(self._connection, self.path):
            return [job.work() for job in jobs]

    def remember(self, response_id: str, principal: str, stored: Stored) -> None:
        now = self._now()
        values = (_text(response_id), principal, *map(_text, stored[:3]), stored.is_billed, now)
        self._connection.execute(_REMEMBER, values)
        if now >= self._prune_at:
            self._connection.execute("DELETE FROM responses WHERE created_at < ?", (now - KEPT_SECONDS,))
            self._prune_at = now + PRUNE_SECONDS

    def owner(self, response_id: str, principal: str) -> Stored | None:
        oldest = self._now() - KEPT_SECONDS
        row = self._connection.execute(_OWNER, (_text(response_id), principal, oldest)).fetchone()
        return None if row is None else Stored(row[0], row[1], row[2], bool(row[3]))

    def claim_billing(self, response_id: str, principal: str) -> bool:
        return self._connection.execute(_CLAIM, (_text(response_id), principal)).rowcount == 1

    def forget(self, response_id: str, principal: str) -> None:
        self._connection.execute(_FORGET, (_text(response_id), principal))


def _text(value: str) -> str:
    """``value`` as SQLite can hold it: ids and models may come from a client, lone surrogates and all."""
    return value if value.isascii() else value.encode(errors="replace").decode()
