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
from tollhouse.gateway.introduction import NOBODY, Introduction
from tollhouse.gateway.request_head import NO_HEAD, Head
from tollhouse.gateway.routes import Route
from tollhouse.gateway.stored_responses import Stored
from tollhouse.gateway.wires import Operation, StreamStyle, Wire
from tollhouse.ids import uuid7
from tollhouse.spool.records import CallOutcome, Destination

MODEL_SERVICE = "MODEL_PROVIDER_SERVICE"
UNMANAGED = "unmanaged"
_BITS_OF_ID = 74
# Seeded by the system in each worker: ids must differ, not be hard to guess.
_random_bits = random.Random().getrandbits  # noqa: S311
Scope = Mapping[str, Any]


class Call:
    """A request and what the gateway has found out about it. Times are readings of ``time.monotonic_ns``.

    ``record`` is the OUTCOME as it grows: what the log says of the call stands there and nowhere else.
    """

    wire: Wire = "openai_chat"
    answer_wire: Wire = "openai_chat"
    operation: Operation = "generate"
    style: StreamStyle = "sse"
    route: Route | None = None
    subject: str | None = None
    grant: Grant | None = None
    introduction: Introduction = NOBODY
    content_length = b""
    head: Head = NO_HEAD
    body = b""
    endpoint: Endpoint | None = None
    stored: Stored | None = None
    upstream_ns = 0
    is_concluded = False
    _marks: Marks | None = None
    _is_described = False

    def __init__(self, scope: Scope, configuration: Configuration) -> None:
        self.started_ns = time.monotonic_ns()
        self.event_us = now_us()
        self.invocation_id = uuid7(self.event_us // 1000, _random_bits(_BITS_OF_ID))
        self.configuration = configuration
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: list[tuple[bytes, bytes]] = scope["headers"]
        client = scope.get("client")
        self.record = CallOutcome(
            "",
            self.invocation_id,
            self.invocation_id,
            rfc3339(self.event_us),
            ip_address=client[0] if client else None,
            service_type=MODEL_SERVICE,
            api_type=UNMANAGED,
            method=self.method,
            path=self.path,
            config_hash=configuration.hash,
            outcome="rejected",
            status_code=0,
        )

    @property
    def marks(self) -> Marks:
        """What headers and body say of the client; first asked for once the body's head is read, or never will be."""
        if self._marks is None:
            known, head = self.introduction.marks, self.head
            if known.session_id is None and (head.metadata_user_id or head.prompt_cache_key):
                known = marks(self.introduction.named, head.metadata_user_id, head.prompt_cache_key)
            self._marks = known
        return self._marks

    @property
    def announced_bytes(self) -> int:
        """The content length; 0 where none was given."""
        return int(self.content_length) if self.content_length.isdigit() else 0

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

    def described(self, destination: Destination | None) -> CallOutcome:
        """The record with all that is known at admission; ``destination`` is the first one that is tried."""
        record = self.record
        if not self._is_described:
            self._is_described = True
            record.destination = destination
            self._describe(record)
        return record

    def _describe(self, record: CallOutcome) -> None:
        marks, grant, endpoint = self.marks, self.grant, self.endpoint
        record.client_kind = marks.client_kind
        record.session_id = marks.session_id
        record.turn_id = marks.turn_id
        record.trace_id = marks.trace_id
        record.span_id = marks.span_id
        record.request_tags = marks.request_tags
        if grant is not None:
            record.requester = grant.principal
            record.requester_type = grant.principal_type
            record.auth_mode = grant.auth_mode
            record.key_id = grant.key_id
            record.team = grant.team
            record.groups = list(grant.groups)
            record.cost_center = grant.cost_center
            record.project = grant.project
        if endpoint is not None:
            record.endpoint_name = endpoint.name
            record.endpoint_tags = dict(endpoint.tags)
            record.deadline = rfc3339(self.event_us + int(endpoint.timeouts.total * 1_000_000))
        if self.body:
            record.request_sha256 = hashlib.sha256(self.body).hexdigest()
            record.request_bytes = len(self.body)
