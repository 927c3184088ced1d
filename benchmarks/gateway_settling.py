"""How long the workers of a gateway take to obey a revoked key and a changed settings file."""

import http.client
import sys
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from statistics import median

from gateway_bodies import chat
from gateway_processes import Process
from gateway_servers import CHAT_PATH, Tollhouse

_CONNECTIONS, _MOST_CONNECTIONS, _LEAST_EACH = 16, 256, 4
_ACCEPT_SECONDS = 0.2
_ROUNDS_AFTER = 5
_PATIENCE_SECONDS = 20.0


def revocation_seconds(gateway: Tollhouse, process: Process) -> float:
    """From the end of a revocation to the last call that any worker still took."""

    def revoke() -> None:
        with gateway.store() as store:
            store.revoke_key(gateway.key_id)

    return _settle(gateway, process, revoke, HTTPStatus.UNAUTHORIZED)


def reload_seconds(gateway: Tollhouse, process: Process) -> float:
    """From the rename of a settings file without the endpoint to the last call that any worker still took."""

    def change() -> None:
        gateway.document["endpoints"]["chat"]["models"] = ["another"]
        gateway.write()

    return _settle(gateway, process, change, HTTPStatus.NOT_FOUND)


def medians(measure: Callable[[], float], repeat: int) -> tuple[float, float]:
    """The median and the greatest of several."""
    found = [measure() for _ in range(repeat)]
    return median(found), max(found)


def _settle(gateway: Tollhouse, process: Process, change: Callable[[], None], expected: HTTPStatus) -> float:
    connections: list[http.client.HTTPConnection] = []
    try:
        _reach_all(gateway, process, connections)
        if {_call(gateway, each) for each in connections} != {HTTPStatus.OK}:
            sys.exit("a call failed before anything was changed")
        change()
        return _last_call_taken(gateway, connections, expected)
    finally:
        for each in connections:
            each.close()


def _reach_all(gateway: Tollhouse, process: Process, connections: list[http.client.HTTPConnection]) -> None:
    """Connects until every worker has taken connections; which of them takes one is up to the system."""
    before = _sockets(process)
    while len(connections) < _MOST_CONNECTIONS:
        opened = [http.client.HTTPConnection("127.0.0.1", gateway.port) for _ in range(_CONNECTIONS)]
        for each in opened:
            each.connect()
        connections += opened
        time.sleep(_ACCEPT_SECONDS)
        grown = (now - then for now, then in zip(_sockets(process), before, strict=True))
        if sum(more >= _LEAST_EACH for more in grown) >= gateway.workers:
            return
    sys.exit(f"{_MOST_CONNECTIONS} connections did not reach {gateway.workers} workers; run it again")


def _last_call_taken(
    gateway: Tollhouse, connections: Sequence[http.client.HTTPConnection], expected: HTTPStatus
) -> float:
    changed = last = time.monotonic()
    rounds = 0
    while rounds < _ROUNDS_AFTER:
        rounds += 1
        for each in connections:
            if _call(gateway, each) != expected:
                last, rounds = time.monotonic(), 0
        if time.monotonic() - changed > _PATIENCE_SECONDS:
            sys.exit(f"calls are still not answered with {expected} after {_PATIENCE_SECONDS:g} s")
    return last - changed


def _call(gateway: Tollhouse, connection: http.client.HTTPConnection) -> int:
    sent = {**gateway.headers, "content-type": "application/json"}
    connection.request("POST", CHAT_PATH, chat("unary"), sent)
    response = connection.getresponse()
    response.read()
    return response.status


def _sockets(process: Process) -> list[int]:
    """Open files of each process, by which one sees who took a connection."""
    return [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in sorted(process.pids)]
