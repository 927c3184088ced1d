"""Health, readiness and metrics, on a port of their own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tollhouse.gateway.services import Services

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Readiness:
    """Whether a worker takes calls, and what is wrong where it does not, or only does by what it knew before."""

    is_ready: bool
    problems: list[str]


def readiness(services: Services) -> Readiness:
    """A refused file or an unreadable identity store leaves what was in force before, so the worker stays ready."""
    blockers = [services.spool.error] if services.spool.error else []
    keeper = services.configuration
    problems = [problem for problem in (keeper.error, services.identity.error) if problem]
    problems += [f"{key} has changed; it takes a restart" for key in keeper.waiting_for_restart]
    return Readiness(not blockers, [*blockers, *problems])


def admin_application(services: Services, exposition: Callable[[], bytes]) -> Starlette:
    """``/healthz`` (the process answers), ``/readyz`` (it takes calls; 503 where not), ``/metrics`` (all workers')."""

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def ready(_: Request) -> Response:
        state = readiness(services)
        cooling = {found.key: round(found.cooling_seconds, 1) for found in services.health.snapshot()}
        said = {
            "is_ready": state.is_ready,
            "problems": state.problems,
            "config_hash": services.configuration.current.hash,
            "spool_id": services.spool.spool_id,
            "failing_destinations": cooling,
        }
        return JSONResponse(said, 200 if state.is_ready else 503)

    async def metrics(_: Request) -> Response:
        # Hundreds of series take tens of milliseconds, and calls go on meanwhile.
        return Response(await asyncio.to_thread(exposition), media_type=_METRICS_TYPE)

    return Starlette(
        routes=[
            Route("/healthz", health, methods=["GET"]),
            Route("/readyz", ready, methods=["GET"]),
            Route("/metrics", metrics, methods=["GET"]),
        ]
    )
