"""The ASGI application: one call after another, each with one answer and one record."""

import asyncio
import logging
from typing import Any

from tollhouse.gateway.admission import destinations, identify, read_request
from tollhouse.gateway.attempt import AttemptState
from tollhouse.gateway.call import Call
from tollhouse.gateway.client import Client
from tollhouse.gateway.course import Course, conclude
from tollhouse.gateway.exchange import Exchange
from tollhouse.gateway.model_lists import model_list
from tollhouse.gateway.recording import Delivered, Ending
from tollhouse.gateway.refusals import (
    INTERNAL_ERROR,
    SHUTTING_DOWN,
    UPSTREAM_TIMEOUT,
    RefusalError,
    error_body,
)
from tollhouse.gateway.request_body import ClientLeftError, Receive, Send
from tollhouse.gateway.services import Services
from tollhouse.gateway.stream_delivery import CLIENT_DISCONNECTED, CLIENT_LEFT_STATUS
from tollhouse.gateway.watch import InterruptedCallError, Nursery, Watch

_JSON = (b"content-type", b"application/json")
_MODEL_LISTS = frozenset({"list_models", "show_model"})
_logger = logging.getLogger(__name__)


class Gateway:
    """Serves calls with the parts that a worker shares."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._nursery = Nursery()
        self._open_calls = 0
        self._is_quiet = asyncio.Event()
        self._is_quiet.set()

    async def quiet(self) -> None:
        """Return once no call is open."""
        await self._is_quiet.wait()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        self._open_calls += 1
        self._is_quiet.clear()
        try:
            await self._handle(scope, receive, send)
        finally:
            self._open_calls -= 1
            if not self._open_calls:
                self._is_quiet.set()

    async def _handle(self, scope: Any, receive: Receive, send: Send) -> None:
        call = Call(scope, self._services.configuration.current)
        for reporter in self._services.reporters:
            reporter.call_began()
        client = Client(call, send)
        attempts: list[AttemptState] = []
        watch = Watch(self._nursery, receive)
        try:
            await self._serve(call, client, receive, watch, attempts)
        except RefusalError as refusal:
            await self._refuse(call, client, attempts, refusal)
        except (ClientLeftError, InterruptedCallError):
            await self._leave(call, attempts)
        except asyncio.CancelledError:
            await self._interrupt(call, client, attempts, watch)
        except Exception as error:
            _logger.exception("a call failed inside the gateway", extra={"invocation_id": call.invocation_id})
            message = f"the gateway failed ({type(error).__name__}); its log says why"
            await self._refuse(call, client, attempts, RefusalError(INTERNAL_ERROR, message))

    async def _serve(
        self, call: Call, client: Client, receive: Receive, watch: Watch, attempts: list[AttemptState]
    ) -> None:
        identify(self._services, call)
        await read_request(self._services, call, receive)
        if call.operation in _MODEL_LISTS:
            await self._answer(call, client, model_list(call))
            return
        admitted = await destinations(self._services, call)
        endpoint = admitted.endpoint
        watch.begin(endpoint.timeouts.total, drains=endpoint.disconnect == "drain")
        course = Course(self._services, call, client, watch, endpoint, attempts)
        try:
            await Exchange(course).run(admitted.targets)
        finally:
            watch.end()

    async def _answer(self, call: Call, client: Client, body: bytes) -> None:
        headers = [_JSON, (b"content-length", b"%d" % len(body))]
        client.begin(200, headers)
        delivered = Delivered(200, client.content_type, len(body), body)
        await conclude(self._services, call, [], Ending("completed"), delivered)
        await client.send(headers, body)

    async def _refuse(self, call: Call, client: Client, attempts: list[AttemptState], refusal: RefusalError) -> None:
        """Our own answer. Where part of another one has gone out, or the record is written, only the end is left."""
        if client.has_started or call.is_concluded:
            await self._break(call, client, attempts, refusal)
            return
        kind = refusal.kind
        body = error_body(call.answer_wire, kind, refusal.message, param=refusal.param, request_id=call.invocation_id)
        headers = [_JSON, (b"content-length", b"%d" % len(body)), *refusal.headers]
        client.begin(kind.status, headers)
        delivered = Delivered(kind.status, client.content_type, len(body), body)
        await conclude(self._services, call, attempts, Ending(kind.outcome, kind.code, refusal.message), delivered)
        await client.send(headers, body)

    async def _break(self, call: Call, client: Client, attempts: list[AttemptState], refusal: RefusalError) -> None:
        if not call.is_concluded:
            ending = Ending("cut", refusal.kind.code, refusal.message)
            delivered = Delivered(client.status, client.content_type, client.size, is_cut=True)
            await conclude(self._services, call, attempts, ending, delivered)
        # Without an end of its own the server drops the connection, which is how the client learns of it.

    async def _leave(self, call: Call, attempts: list[AttemptState]) -> None:
        ending = Ending("cancelled", CLIENT_DISCONNECTED, "the client closed its connection")
        await conclude(self._services, call, attempts, ending, Delivered(CLIENT_LEFT_STATUS))

    async def _interrupt(self, call: Call, client: Client, attempts: list[AttemptState], watch: Watch) -> None:
        try:
            reason = watch.interruption().reason
        except asyncio.CancelledError:
            await self._refuse(call, client, attempts, RefusalError(SHUTTING_DOWN, "the gateway is shutting down"))
            return
        if reason == "client_left":
            await self._leave(call, attempts)
        else:
            message = f"the call was not done in time ({reason})"
            await self._refuse(call, client, attempts, RefusalError(UPSTREAM_TIMEOUT, message))
