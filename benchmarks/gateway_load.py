"""Load over raw sockets: keep-alive connections, each with one call at a time. One process.

``python benchmarks/gateway_load.py`` reads a plan (JSON, ``Plan``) on standard input and prints the result
(JSON, ``Result``). With ``held`` it prints ``open`` once every stream has its first event, and leaves at the next line.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import cast

import httptools
import msgspec
import uvloop


class Plan(msgspec.Struct, kw_only=True):
    """``rate`` (calls a second) opens the loop: calls are due at even times, and one that waits for a free connection
    counts its waiting.

    Without it each of ``connections`` sends its next call as soon as the last has ended. ``warm_seconds`` come first
    and are not counted. ``body`` is sent as it stands, with ``headers``.
    """

    host: str
    port: int
    path: str
    headers: dict[str, str]
    body: str
    connections: int
    seconds: float
    warm_seconds: float = 0.5
    rate: float | None = None
    is_held: bool = False


class Result(msgspec.Struct, kw_only=True):
    """Latencies in milliseconds, of the counted calls; ``events`` are blank lines in the bodies."""

    calls: int
    seconds: float
    failures: int
    events: int
    p50_ms: float
    p99_ms: float
    first_p50_ms: float
    failure: str | None = None


class _Connection(asyncio.Protocol):
    """Sends the one request again and again; ``ended`` is called with itself at each answer's end."""

    def __init__(self, request: bytes, ended: "Callable[[_Connection], None]") -> None:
        self._request = request
        self._ended = ended
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self.begun = self.first = 0.0
        self.events = 0
        self.status = 0
        self.body = b""
        self.has_first = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        if not self.has_first.done():
            self.has_first.cancel()

    def send(self, due: float) -> None:
        """Latency counts from ``due``."""
        if self._transport is None:
            sys.exit(f"the server closed a connection: {self.status} {self.body[:300]!r}")
        self.begun, self.first, self.events, self.body = due, 0.0, 0, b""
        self._transport.write(self._request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        if not self.first:
            self.first = perf_counter()
            if not self.has_first.done():
                self.has_first.set_result(None)
        self.events += body.count(b"\n\n")
        self.body = body

    def on_message_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._ended(self)


class _Run:
    """What has been counted, and which connections are free."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._latencies: list[float] = []
        self._firsts: list[float] = []
        self._events = 0
        self._failures = 0
        self._failure: str | None = None
        self._counts = False
        self._free: deque[_Connection] = deque()
        self._due: deque[float] = deque()
        self._is_over = False

    async def run(self) -> Result:
        await self._connect(self._ended)
        loop = asyncio.get_running_loop()
        feeder = loop.create_task(self._feed()) if self._plan.rate else None
        if feeder is None:
            for connection in list(self._free):
                connection.send(perf_counter())
        await asyncio.sleep(self._plan.warm_seconds)
        self._counts, begun = True, perf_counter()
        print("counting", flush=True)
        await asyncio.sleep(self._plan.seconds)
        self._counts, self._is_over = False, True
        seconds = perf_counter() - begun
        print("counted", flush=True)
        if feeder is not None:
            feeder.cancel()
        return self._result(seconds)

    async def hold(self) -> None:
        """Opens all streams, says so, and waits for a line on standard input."""
        await self._connect(
            lambda connection: sys.exit(f"a held stream ended: {connection.status} {connection.body!r}")
        )
        for connection in self._free:
            connection.send(perf_counter())
        await asyncio.gather(*(connection.has_first for connection in self._free))
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

    async def _connect(self, ended: Callable[[_Connection], None]) -> None:
        plan, loop = self._plan, asyncio.get_running_loop()
        request = _request(plan)
        for _ in range(plan.connections):
            _, made = await loop.create_connection(lambda: _Connection(request, ended), plan.host, plan.port)
            self._free.append(made)

    async def _feed(self) -> None:
        """Makes calls due at even times; those that find no free connection wait, and their waiting counts."""
        gap = 1 / (self._plan.rate or 1)
        due = perf_counter()
        while True:
            now = perf_counter()
            while due <= now:
                if self._free:
                    self._free.popleft().send(now)
                else:
                    self._due.append(due)
                due += gap
            await asyncio.sleep(max(0.0, due - perf_counter()))

    def _ended(self, connection: _Connection) -> None:
        now = perf_counter()
        if self._counts:
            self._count(connection, now)
        if self._is_over:
            return
        if self._plan.rate is None:
            connection.send(now)
        elif self._due:
            connection.send(self._due.popleft())
        else:
            self._free.append(connection)

    def _count(self, connection: _Connection, now: float) -> None:
        self._latencies.append(now - connection.begun)
        self._firsts.append(connection.first - connection.begun)
        self._events += connection.events
        if connection.status != 200:
            self._failures += 1
            self._failure = f"{connection.status} {connection.body[:300]!r}"

    def _result(self, seconds: float) -> Result:
        return Result(
            calls=len(self._latencies),
            seconds=seconds,
            failures=self._failures,
            events=self._events,
            p50_ms=_at(self._latencies, 0.50),
            p99_ms=_at(self._latencies, 0.99),
            first_p50_ms=_at(self._firsts, 0.50),
            failure=self._failure,
        )


def _at(seconds: list[float], share: float) -> float:
    """The quantile in milliseconds; 0 of nothing."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


def _request(plan: Plan) -> bytes:
    body = plan.body.encode()
    fields = {"host": f"{plan.host}:{plan.port}", "content-type": "application/json", **plan.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {plan.path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


async def _main() -> None:
    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    run = _Run(plan)
    if plan.is_held:
        await run.hold()
    else:
        print(msgspec.json.encode(await run.run()).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(_main())
