"""The worker's own place in the spool: records are redacted, written before anything goes on, and counted."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import msgspec

from tollhouse.errors import SpoolError, StorageError
from tollhouse.gateway.clock import now_us, rfc3339
from tollhouse.gateway.redaction import Redactor
from tollhouse.gateway.refusals import SPOOL_UNAVAILABLE, RefusalError
from tollhouse.spool.open_segment import OpenSegment
from tollhouse.spool.records import Gap, SpoolRecord
from tollhouse.spool.writer import Durability, SpoolWriter, Written

OnFull = Literal["reject", "drop", "wait"]

_RETRY_SECONDS = 0.05
_RETRY_AFTER = ((b"retry-after", b"5"),)
_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


class GroupSync:
    """Waits for the disk in a thread, once for all records that were written meanwhile."""

    def __init__(self, writer: SpoolWriter) -> None:
        self._writer = writer
        self._thread = ThreadPoolExecutor(1, "tollhouse-strict")
        self._waiting: dict[asyncio.Future[None], Written] = {}
        self._working: asyncio.Task[None] | None = None

    async def wait(self, written: Written) -> None:
        """Return once the record is on the disk. Raises StorageError where the disk refuses."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting[done] = written
        if self._working is None:
            self._working = loop.create_task(self._work())
        await done

    def close(self) -> None:
        self._thread.shutdown()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting, {}
            last = {written.segment: written for written in group.values()}
            failures = await loop.run_in_executor(self._thread, self._sync, list(last.values()))
            for done, written in group.items():
                error = failures.get(written.segment)
                if not done.done():
                    done.set_result(None) if error is None else done.set_exception(error)
        self._working = None

    def _sync(self, group: list[Written]) -> dict[OpenSegment, StorageError]:
        failures: dict[OpenSegment, StorageError] = {}
        for written in group:
            try:
                self._writer.sync(written)
            except StorageError as error:
                failures[written.segment] = error
        return failures


class Spool:
    """Appends records of one worker.

    ``on_full`` says what happens where the disk refuses: ``reject`` refuses the call, ``drop`` goes on and counts what
    is lost, ``wait`` tries again for ``wait_seconds`` and then refuses. What is lost stands in the log as a GAP as soon
    as the disk takes records again.
    """

    def __init__(
        self, root: Path, durability: Durability, on_full: OnFull, wait_seconds: float, redactor: Redactor
    ) -> None:
        self._writer = SpoolWriter(root, durability=durability)
        self._syncs = GroupSync(self._writer) if durability == "strict" else None
        self._on_full: OnFull = on_full
        self._wait_seconds = wait_seconds
        self.redactor = redactor
        self.dropped_records = 0
        self.failed_appends = 0
        self.error: str | None = None
        self._lost_records = 0
        self._lost_bytes = 0

    @property
    def spool_id(self) -> str:
        """The id of this worker's slot."""
        return self._writer.spool_id

    async def announce(self, record: SpoolRecord) -> None:
        """Write a record that must be durable before the call goes on. Raises RefusalError where it cannot be."""
        error = await self._append(self.redactor.redact_line(_encode(record))[0])
        if error is None or self._on_full == "drop":
            return
        raise RefusalError(
            SPOOL_UNAVAILABLE,
            "the gateway cannot write its request log at present, so it takes no calls; try again",
            headers=_RETRY_AFTER,
        ) from error

    async def note(self, record: SpoolRecord) -> None:
        """Write a record that no call waits for; one that the disk refuses is counted as lost."""
        await self._append(self.redactor.redact_line(_encode(record))[0])

    def follow(self, on_full: OnFull, wait_seconds: float) -> None:
        """What a new configuration says."""
        self._on_full = on_full
        self._wait_seconds = wait_seconds

    async def conclude(self, record: SpoolRecord) -> int:
        """Write the record that ends a call, and return how many secrets were taken out of it.

        One that the disk refuses is counted as lost: the call stays in doubt by the record that announced it.
        """
        encoded, redactions = self.redactor.redact_line(_encode(record))
        await self._append(encoded)
        return redactions

    async def close(self) -> None:
        """Seal the open segment. Raises StorageError for what could not be sealed."""
        await asyncio.to_thread(self._writer.close)
        if self._syncs is not None:
            self._syncs.close()

    async def _append(self, encoded: bytes) -> Exception | None:
        """After a refusal again and again where the configuration says so; then the record is lost."""
        error = await self._try(encoded)
        if error is None:
            return None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._wait_seconds
        while self._on_full == "wait" and loop.time() < deadline:
            await asyncio.sleep(_RETRY_SECONDS)
            error = await self._try(encoded)
            if error is None:
                return None
        self._note_loss(len(encoded))
        return error

    async def _try(self, encoded: bytes) -> Exception | None:
        """Nothing is awaited before the record is written: a call that is cancelled then is in the log."""
        try:
            if self._lost_records:
                self._writer.write(self._gap())
                self._lost_records = self._lost_bytes = 0
            written = self._writer.write(encoded)
            if self._syncs is not None:
                await self._syncs.wait(written)
        except (StorageError, SpoolError) as error:
            self.failed_appends += 1
            if self.error is None:
                _log.error("the request log cannot be written", extra={"error": str(error)})
            self.error = str(error)
            return error
        self.error = None
        return None

    def _note_loss(self, size: int) -> None:
        self.dropped_records += 1
        self._lost_records += 1
        self._lost_bytes += size

    def _gap(self) -> bytes:
        reason = f"the disk refused {self._lost_records} records of the gateway"
        return _encode(Gap(recorded_at=rfc3339(now_us()), reason=reason, lost_bytes=self._lost_bytes))
