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
from tollhouse.spool.records import Gap, SpoolRecord
from tollhouse.spool.writer import Durability, SpoolWriter

OnFull = Literal["reject", "drop", "wait"]

_RETRY_SECONDS = 0.05
_RETRY_AFTER = ((b"retry-after", b"5"),)
# strict waits for the disk in a thread each, and those that wait at the same time share one sync.
_STRICT_THREADS = 64
_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


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
        self._threads = ThreadPoolExecutor(_STRICT_THREADS, "tollhouse-strict") if durability == "strict" else None
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
        error = await self._append(_encode(record))
        if error is None or self._on_full == "drop":
            return
        raise RefusalError(
            SPOOL_UNAVAILABLE,
            "the gateway cannot write its request log at present, so it takes no calls; try again",
            headers=_RETRY_AFTER,
        ) from error

    async def note(self, record: SpoolRecord) -> None:
        """Write a record that no call waits for; one that the disk refuses is counted as lost."""
        await self._append(_encode(record))

    def follow(self, on_full: OnFull, wait_seconds: float) -> None:
        """What a new configuration says."""
        self._on_full = on_full
        self._wait_seconds = wait_seconds

    async def conclude(self, record: SpoolRecord) -> int:
        """Write the record that ends a call, and return how many secrets were taken out of it.

        One that the disk refuses is counted as lost: the call stays in doubt by the record that announced it.
        """
        encoded, redactions = self.redactor.redact_line(_encode(record))
        await self._append_redacted(encoded)
        return redactions

    async def close(self) -> None:
        """Seal the open segment. Raises StorageError for what could not be sealed."""
        await asyncio.to_thread(self._writer.close)
        if self._threads is not None:
            self._threads.shutdown()

    async def _append(self, encoded: bytes) -> Exception | None:
        return await self._append_redacted(self.redactor.redact_line(encoded)[0])

    async def _append_redacted(self, encoded: bytes) -> Exception | None:
        error = await self._write(encoded)
        if error is None:
            return None
        if self._on_full == "wait":
            error = await self._write_patiently(encoded)
        if error is not None:
            self._note_loss(len(encoded))
        return error

    async def _write(self, encoded: bytes) -> Exception | None:
        try:
            if self._lost_records:
                await self._put(self._gap())
                self._lost_records = self._lost_bytes = 0
            await self._put(encoded)
        except (StorageError, SpoolError) as error:
            self.failed_appends += 1
            if self.error is None:
                _log.error("the request log cannot be written", extra={"error": str(error)})
            self.error = str(error)
            return error
        self.error = None
        return None

    async def _put(self, encoded: bytes) -> None:
        if self._threads is None:
            self._writer.append_encoded(encoded)
        else:
            # Shielded: a call that is cancelled now must not leave it open whether its record was written.
            loop = asyncio.get_running_loop()
            await asyncio.shield(loop.run_in_executor(self._threads, self._writer.append_encoded, encoded))

    async def _write_patiently(self, encoded: bytes) -> Exception | None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._wait_seconds
        while True:
            await asyncio.sleep(_RETRY_SECONDS)
            error = await self._write(encoded)
            if error is None or loop.time() >= deadline:
                return error

    def _note_loss(self, size: int) -> None:
        self.dropped_records += 1
        self._lost_records += 1
        self._lost_bytes += size

    def _gap(self) -> bytes:
        reason = f"the disk refused {self._lost_records} records of the gateway"
        return _encode(Gap(recorded_at=rfc3339(now_us()), reason=reason, lost_bytes=self._lost_bytes))
