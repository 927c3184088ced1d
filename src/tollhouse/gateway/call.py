"""One call from its first byte to its record: what is known of it, as it becomes known."""

import hashlib
import random
import time
from collections.abc import Mapping
from typing import Any

from tollhouse.gateway.clients import Marks, marks
from tollhouse.gateway.clock import elapsed_ms, now_us, rfc3339
from tollhouse.gateway.configuration.configuration import Configuration
from tollhouse.gateway.configuration.endpoint import Endpoint, Payloads
from tollhouse.gateway.identity.snapshot import Grant
from tollhouse.gateway.request_head import NO_HEAD, Head
from tollhouse.gateway.routes import Route
from tollhouse.gateway.stored_responses import Stored
from tollhouse.gateway.wires import Operation, StreamStyle, Wire
from tollhouse.ids import uuid7
from tollhouse.spool.records import Destination

MODEL_SERVICE = "MODEL_PROVIDER_SERVICE"
UNMANAGED = "unmanaged"
_BITS_OF_ID = 74
_random_bits = random.SystemRandom().getrandbits
Scope = Mapping[str, Any]


class Call:
    """A request and what the gateway has found out about it. Times are readings of ``time.monotonic_ns``."""

    __slots__ = (
        "_marks",
        "answer_wire",
        "body",
        "configuration",
        "connection",
        "endpoint",
        "event_us",
        "first_byte_ms",
        "grant",
        "head",
        "headers",
        "invocation_id",
        "ip_address",
        "is_concluded",
        "is_stream",
        "known",
        "logged_headers",
        "logged_query",
        "losses",
        "method",
        "path",
        "query",
        "queue_ms",
        "redactions",
        "request_id",
        "requested_model",
        "route",
        "started_ns",
        "stored",
        "style",
        "subject",
        "upstream_ns",
        "user_agent",
        "wire",
    )

    def __init__(self, scope: Scope, configuration: Configuration) -> None:
        self.started_ns = time.monotonic_ns()
        self.event_us = now_us()
        self.invocation_id = uuid7(self.event_us // 1000, _random_bits(_BITS_OF_ID))
        self.configuration = configuration
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.ip_address: str | None = scope["client"][0] if scope.get("client") else None
        self.wire: Wire = "openai_chat"
        self.answer_wire: Wire = "openai_chat"
        self.route: Route | None = None
        self.subject: str | None = None
        self.grant: Grant | None = None
        self._marks: Marks | None = None
        self.user_agent: str | None = None
        self.connection: bytes | None = None
        self.request_id = self.invocation_id
        self.logged_query: str | None = None
        self.logged_headers: dict[str, str] = {}
        self.redactions = 0
        self.head: Head = NO_HEAD
        self.body = b""
        self.endpoint: Endpoint | None = None
        self.requested_model: str | None = None
        self.is_stream = False
        self.style: StreamStyle = "sse"
        self.losses: list[str] = []
        self.queue_ms: int | None = None
        self.first_byte_ms: int | None = None
        self.upstream_ns = 0
        self.is_concluded = False
        self.stored: Stored | None = None
        self.known: dict[str, Any] | None = None

    @property
    def operation(self) -> Operation:
        """What the route asks for."""
        return self.route.operation if self.route else "generate"

    @property
    def marks(self) -> Marks:
        """What headers and body say of the client; first asked for once the body's head is read, or never will be."""
        if self._marks is None:
            self._marks = marks(self.headers, self.head.metadata_user_id, self.head.prompt_cache_key)
        return self._marks

    @property
    def payloads(self) -> Payloads:
        """How bodies are logged: the endpoint's way, the gateway's where no endpoint was found."""
        if self.endpoint is not None:
            return self.endpoint.payloads
        common = self.configuration.document.payloads
        return Payloads(common.mode, common.sampling_fraction, common.max_bytes)

    @property
    def chance(self) -> float:
        """A number from 0 to below 1 that is drawn once a call."""
        return int(self.invocation_id[-8:], 16) / 2**32

    def elapsed_ms(self) -> int:
        """Milliseconds since the request came."""
        return elapsed_ms(self.started_ns)

    def fields(self, destination: Destination | None) -> dict[str, Any]:
        """The members of ``records.Call``, made once; ``destination`` is the first one that is tried."""
        if self.known is None:
            self.known = self._fields(destination)
        return self.known

    def _fields(self, destination: Destination | None) -> dict[str, Any]:
        marks, grant, endpoint = self.marks, self.grant, self.endpoint
        known: dict[str, Any] = {
            "invocation_id": self.invocation_id,
            "request_id": self.request_id,
            "event_time": rfc3339(self.event_us),
            "ip_address": self.ip_address,
            "user_agent": self.user_agent,
            "service_type": MODEL_SERVICE,
            "api_type": self.route.api_type if self.route else UNMANAGED,
            "method": self.method,
            "path": self.path,
            "query": self.logged_query,
            "requested_model": self.requested_model,
            "is_stream": self.is_stream,
            "client_kind": marks.client_kind,
            "session_id": marks.session_id,
            "turn_id": marks.turn_id,
            "trace_id": marks.trace_id,
            "span_id": marks.span_id,
            "request_tags": marks.request_tags,
            "config_hash": self.configuration.hash,
            "destination": destination,
        }
        if grant is not None:
            known |= {
                "requester": grant.principal,
                "requester_type": grant.principal_type,
                "auth_mode": grant.auth_mode,
                "key_id": grant.key_id,
                "team": grant.team,
                "groups": list(grant.groups),
                "cost_center": grant.cost_center,
                "project": grant.project,
            }
        if endpoint is not None:
            known["endpoint_name"] = endpoint.name
            known["endpoint_tags"] = dict(endpoint.tags)
            known["deadline"] = rfc3339(self.event_us + int(endpoint.timeouts.total * 1_000_000))
        if self.body:
            known["request_sha256"] = hashlib.sha256(self.body).hexdigest()
            known["request_bytes"] = len(self.body)
        return known
