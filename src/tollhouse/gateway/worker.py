"""One worker process: its parts from the start of its server to the end of the drain."""

import asyncio
import contextlib
import gc
import logging
import os
from importlib.metadata import version
from typing import Any

from tollhouse.errors import TollhouseError
from tollhouse.gateway.admin import admin_application
from tollhouse.gateway.app import Gateway
from tollhouse.gateway.clock import now_us, rfc3339
from tollhouse.gateway.configuration.configuration import Configuration
from tollhouse.gateway.configuration.reload import ConfigurationKeeper
from tollhouse.gateway.connections import CONFIGURATION
from tollhouse.gateway.identity.keeper import SnapshotKeeper
from tollhouse.gateway.identity.pepper import load_pepper
from tollhouse.gateway.identity.schema import store_path
from tollhouse.gateway.operations.logs import route_logs
from tollhouse.gateway.operations.metrics import Metrics
from tollhouse.gateway.operations.tracing import Tracer, hosts, open_tracer
from tollhouse.gateway.redaction import Redactor
from tollhouse.gateway.request_body import Receive, Send
from tollhouse.gateway.services import Services
from tollhouse.gateway.spooling import Spool
from tollhouse.gateway.stored_responses import StoredResponses, responses_path
from tollhouse.gateway.transports import Transports
from tollhouse.spool.records import Config

SETTINGS_VARIABLE = "TOLLHOUSE_GATEWAY_SETTINGS"
ADMIN_PORT_VARIABLE = "TOLLHOUSE_GATEWAY_ADMIN_PORT"
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# What a call that is cancelled at the end of the drain needs to write its record.
_LAST_WORDS_SECONDS = 5.0
_GARBAGE_THRESHOLD = 20_000
_logger = logging.getLogger(__name__)


def application() -> "Worker":
    """What uvicorn makes in each worker."""
    route_logs("info")  # until the settings say more
    return Worker(os.environ[SETTINGS_VARIABLE], int(os.environ[ADMIN_PORT_VARIABLE]))


class Worker:
    """Serves calls on one socket and the admin's routes on the other."""

    def __init__(self, settings_file: str, admin_port: int) -> None:
        self._settings_file = settings_file
        self._admin_port = admin_port
        self._parts: _Parts | None = None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._live(scope["state"], receive, send)
        elif scope["type"] == "http" and self._parts is not None:
            is_admin = scope["server"][1] == self._admin_port
            await (self._parts.admin if is_admin else self._parts.gateway)(scope, receive, send)

    async def _live(self, state: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        try:
            keeper = state[CONFIGURATION] = ConfigurationKeeper(self._settings_file)
            self._parts = await _Parts.open(keeper)
        except (TollhouseError, OSError) as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        _spare_the_collector()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._parts.close()
        await send({"type": "lifespan.shutdown.complete"})


def _spare_the_collector() -> None:
    """Look for garbage less often, and never in what was made at the start, which is there for good: a call leaves
    few cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD, 20, 50)


class _Parts:
    """Everything that a worker holds open."""

    def __init__(self, services: Services, metrics: Metrics, tracer: Tracer | None) -> None:
        self._services = services
        self._metrics = metrics
        self._tracer = tracer
        self._chores: list[asyncio.Task[None]] = []
        self.gateway = Gateway(services)
        self.admin = admin_application(services, metrics.exposition)

    @classmethod
    async def open(cls, keeper: ConfigurationKeeper) -> "_Parts":
        """Raises TollhouseError and OSError where a part cannot be had."""
        configuration = keeper.current
        document = configuration.document
        pepper = load_pepper(configuration.state_dir, configuration.pepper)
        metrics = Metrics()
        tracer = open_tracer(document.tracing, hosts(configuration))
        redactor = Redactor([*configuration.secrets, pepper])
        route_logs(document.log_level, redactor.redact_line)
        spool = Spool(
            configuration.spool_dir,
            document.spool.durability,
            document.spool.on_full,
            document.spool.wait_seconds,
            redactor,
        )
        services = Services(
            configuration=keeper,
            identity=SnapshotKeeper(store_path(configuration.state_dir), pepper),
            spool=spool,
            transports=Transports(document.transport),
            stored_responses=StoredResponses(responses_path(configuration.state_dir)),
            reporters=(metrics, tracer) if tracer else (metrics,),
        )
        metrics.watch(spool)
        parts = cls(services, metrics, tracer)
        await parts._begin(pepper)
        return parts

    async def _begin(self, pepper: bytes) -> None:
        services = self._services
        await self._announce(services.configuration.current)
        services.configuration.on_change.append(lambda new: self._take(new, pepper))
        services.configuration.on_refusal.append(self._refuse)
        self._chores = [
            asyncio.create_task(services.configuration.keep()),
            asyncio.create_task(services.identity.keep()),
        ]

    def _take(self, configuration: Configuration, pepper: bytes) -> None:
        """A new configuration is in force."""
        services = self._services
        services.spool.redactor = Redactor([*configuration.secrets, pepper])
        route_logs(configuration.document.log_level, services.spool.redactor.redact_line)
        services.spool.follow(configuration.document.spool.on_full, configuration.document.spool.wait_seconds)
        services.health.keep_only(
            target
            for endpoint in configuration.endpoints.values()
            for target in (*endpoint.primaries, *endpoint.fallbacks)
        )
        if self._tracer is not None:
            self._tracer.follow(hosts(configuration))
        self._metrics.configuration_reloaded(is_ok=True)
        _logger.info("configuration reloaded", extra={"config_hash": configuration.hash})
        self._chores.append(asyncio.create_task(self._announce(configuration)))

    def _refuse(self, reason: str) -> None:
        """A changed settings file is not taken; what was in force stays."""
        self._metrics.configuration_reloaded(is_ok=False)
        _logger.error("the changed settings are not taken", extra={"reason": reason})

    async def _announce(self, configuration: Configuration) -> None:
        record = Config(
            recorded_at=rfc3339(now_us()),
            config_hash=configuration.hash,
            gateway_version=version("tollhouse"),
            config=configuration.public(),
        )
        await self._services.spool.note(record)

    async def close(self) -> None:
        """Wait for the last calls' records, then close everything."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self.gateway.quiet()
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        services = self._services
        await services.transports.close()
        services.stored_responses.close()
        services.identity.close()
        for reporter in services.reporters:
            reporter.close()
        await services.spool.close()
