"""The records of the spool, one struct a kind.

A record is written as one JSON object on one line. Times are RFC 3339 strings in UTC with microseconds, durations are
whole milliseconds (``_ms``), sizes bytes (``_bytes``). Absent values are left out of the line, so that a line carries
only what is known. ``docs/spool-format.md`` holds the JSON Schema that is generated from these structs.
"""

from typing import Any, Literal

import msgspec

FORMAT_VERSION = 1

Source = Literal["client", "shadow", "judge", "replay", "monitor"]
Outcome = Literal["completed", "rejected", "failed", "cancelled", "cut"]
Action = Literal["INITIAL_ATTEMPT", "RETRY", "FALLBACK"]
UsageFormat = Literal["openai_chat", "openai_responses", "openai_embeddings", "anthropic_messages", "gemini"]
PayloadState = Literal["logged", "off", "sampled_out", "oversize", "unauthenticated"]
BodyEncoding = Literal["utf-8", "base64"]


class Record(msgspec.Struct, omit_defaults=True, tag_field="record"):
    """What every record says: when it was written (``recorded_at``)."""

    recorded_at: str


class Config(Record, tag="CONFIG", kw_only=True):
    """The effective configuration at start and after each reload, without secrets."""

    config_hash: str
    gateway_version: str
    config: dict[str, Any]


class Identity(Record, tag="IDENTITY", kw_only=True):
    """The new state of a principal or key, valid from ``valid_from`` until the next record of the same id."""

    principal: str
    principal_type: Literal["USER", "SERVICE_PRINCIPAL"]
    valid_from: str
    change: Literal["created", "updated", "revoked", "rotated", "deleted"]
    teams: list[str] = []
    groups: list[str] = []
    cost_center: str | None = None
    project: str | None = None
    key_id: str | None = None
    key_expires_at: str | None = None


class Destination(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A model at a provider: ``provider`` is genai-prices' provider id where it has one."""

    destination_name: str
    destination_type: str
    destination_model: str
    provider: str
    destination_id: str | None = None


class Attempt(Destination, kw_only=True):
    """One upstream call. ``usage`` is the provider's usage object verbatim, read by the rule of ``usage_format``."""

    attempt_number: int
    action: Action
    start_time: str
    latency_ms: int | None = None
    time_to_first_byte_ms: int | None = None
    status_code: int | None = None
    error_code: str | None = None
    usage: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    usage_format: UsageFormat | None = None
    is_usage_partial: bool = False
    estimated_input_tokens: int | None = None
    estimated_output_tokens: int | None = None
    service_tier: str | None = None
    is_batch: bool = False
    is_not_billable: bool = False
    response_model: str | None = None
    provider_request_id: str | None = None
    upstream_request_body: str | None = None
    upstream_response_body: str | None = None


class Call(Record):
    """What is known of a call once it is admitted; ADMIT, ATTEMPT and OUTCOME all carry it whole.

    ``invocation_id`` is a UUIDv7 made at ``event_time``, when the request was received. Team, groups, cost center and
    project are those as of admission.
    """

    invocation_id: str
    request_id: str
    event_time: str
    source: Source = "client"
    parent_invocation_id: str | None = None
    requester: str | None = None
    requester_type: Literal["USER", "SERVICE_PRINCIPAL"] | None = None
    auth_mode: str | None = None
    key_id: str | None = None
    team: str | None = None
    groups: list[str] = []
    cost_center: str | None = None
    project: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    client_kind: str | None = None
    session_id: str | None = None
    turn_id: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    service_type: str | None = None
    endpoint_name: str | None = None
    endpoint_tags: dict[str, str] = {}
    api_type: str | None = None
    method: str | None = None
    path: str | None = None
    query: str | None = None
    requested_model: str | None = None
    is_stream: bool = False
    request_tags: dict[str, str] = {}
    deadline: str | None = None
    config_hash: str | None = None
    request_sha256: str | None = None
    request_bytes: int | None = None
    destination: Destination | None = None


class Admit(Call, tag="ADMIT"):
    """Written before the first upstream call, without body."""


class AttemptStart(Call, tag="ATTEMPT", kw_only=True):
    """Written before each further upstream call: the call again, with all attempts so far and the one that starts."""

    attempts: list[Attempt]


class StreamEvents(msgspec.Struct, omit_defaults=True, kw_only=True):
    """When each event of a stream came, in milliseconds since ``event_time``, and its size in bytes."""

    milliseconds: list[int] = []
    bytes: list[int] = []


class CallOutcome(Call, tag="OUTCOME", kw_only=True):
    """The end of a call, with everything about it. A rejected call has no ADMIT before it.

    ``request_body`` and ``response_body`` are what the client sent and got, as JSON strings (base64 where not UTF-8);
    a stream is assembled into the provider's non-streaming shape and what that cannot hold is in ``raw_events``.
    """

    outcome: Outcome
    status_code: int
    attempts: list[Attempt] = []
    latency_ms: int | None = None
    time_to_first_byte_ms: int | None = None
    queue_ms: int | None = None
    upstream_ms: int | None = None
    finish_reason: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    response_bytes: int | None = None
    response_content_type: str | None = None
    request_headers: dict[str, str] = {}
    payload_state: PayloadState = "logged"
    sampling_fraction: float = 1.0
    logging_error_codes: list[str] = []
    redaction_count: int = 0
    translation_losses: list[str] = []
    stream_events: StreamEvents | None = None
    request_body: str | None = None
    request_body_encoding: BodyEncoding = "utf-8"
    response_body: str | None = None
    response_body_encoding: BodyEncoding = "utf-8"
    raw_events: str | None = None


class GuardrailVerdict(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What one guardrail said about one call; ``score`` is between 0 and 1."""

    guardrail_name: str
    phase: Literal["input", "output"]
    mode: Literal["enforce", "shadow"]
    verdict: Literal["pass", "flag", "mask", "block", "error"]
    category: str | None = None
    score: float | None = None
    entity_counts: dict[str, int] = {}
    latency_ms: int | None = None
    detail: str | None = None


class Event(Record, tag="EVENT", kw_only=True):
    """Anything that happens apart from a call's course: a guardrail's verdict, an audit event, agent telemetry."""

    event_id: str
    event_type: Literal["guardrail", "audit", "agent"]
    event_time: str
    invocation_id: str | None = None
    guardrail: GuardrailVerdict | None = None
    attributes: dict[str, Any] = {}


class Gap(Record, tag="GAP", kw_only=True):
    """Records that are known to be missing: ``first_sequence`` to ``last_sequence`` of this spool, or a segment."""

    reason: str
    first_sequence: int | None = None
    last_sequence: int | None = None
    segment_number: int | None = None
    lost_bytes: int | None = None


SpoolRecord = Config | Identity | Admit | AttemptStart | CallOutcome | Event | Gap
