"""The server process: listens, says where, and ends on SIGTERM or Ctrl-C."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from tollhouse.errors import TollhouseError
from tollhouse.simulated.connection import Connection
from tollhouse.simulated.ledger import Ledger
from tollhouse.simulated.provider import Provider

_BACKLOG = 2048


class AddressError(TollhouseError):
    """An address that cannot be listened on."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """``key`` None accepts every credential; with ``has_ledger_detail`` off the ledger keeps sums only."""

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 1
    key: str | None = None
    has_ledger_detail: bool = True


def serve(options: Options, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; ``announce`` is given the URL. Raises AddressError."""
    _run(_serve(options, announce))


def _run(main: Coroutine[Any, Any, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop

        uvloop.run(main)


async def _serve(options: Options, announce: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    ledger = Ledger(has_detail=options.has_ledger_detail)
    provider = Provider(options.seed, options.key)
    server = await _listen(loop, options, lambda: Connection(provider, ledger))
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    host = f"[{options.host}]" if ":" in options.host else options.host
    announce(f"http://{host}:{server.sockets[0].getsockname()[1]}")
    await ended.wait()
    server.close()


async def _listen(
    loop: asyncio.AbstractEventLoop, options: Options, connect: Callable[[], Connection]
) -> asyncio.Server:
    try:
        return await loop.create_server(connect, options.host, options.port, backlog=_BACKLOG)
    except OSError as error:
        raise AddressError(
            f"cannot listen on {options.host}:{options.port}: {error.strerror}", hint="--port 0 takes a free port"
        ) from error
