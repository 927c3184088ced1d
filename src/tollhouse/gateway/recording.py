"""From a call to its records."""

import base64
from typing import Any, NamedTuple

from tollhouse.gateway.attempt import AttemptState
from tollhouse.gateway.call import Call
from tollhouse.gateway.clock import now_us, rfc3339
from tollhouse.gateway.configuration.endpoint import Payloads
from tollhouse.gateway.redaction import Redactor
from tollhouse.spool.records import Admit, AttemptStart, CallOutcome, Outcome, PayloadState, StreamEvents

REQUEST_OVERSIZE = "MAX_REQUEST_SIZE_EXCEEDED"
RESPONSE_OVERSIZE = "MAX_RESPONSE_SIZE_EXCEEDED"


class Delivered(NamedTuple):
    """What the client got: ``body`` is whole, or a stream assembled; None where nothing is known of it.

    ``size``: bytes of the body as sent. ``raw_events``: what assembly could not hold. ``is_cut``: too long to keep.
    """

    status: int
    content_type: str | None = None
    size: int = 0
    body: bytes | None = None
    raw_events: bytes = b""
    events: StreamEvents | None = None
    is_cut: bool = False


class Ending(NamedTuple):
    """How a call ended."""

    outcome: Outcome
    error_code: str | None = None
    error_message: str | None = None
    finish_reason: str | None = None


def admit(call: Call, attempt: AttemptState) -> Admit:
    """The record before the first upstream call."""
    return Admit(rfc3339(now_us()), **call.fields(attempt.destination))


def attempt_start(call: Call, attempts: list[AttemptState]) -> AttemptStart:
    """The record before each further upstream call, the last of ``attempts``."""
    fields = call.fields(attempts[0].destination)
    return AttemptStart(rfc3339(now_us()), **fields, attempts=[attempt.record() for attempt in attempts])


def outcome(
    call: Call, attempts: list[AttemptState], ending: Ending, delivered: Delivered, redactor: Redactor
) -> CallOutcome:
    """The record that ends a call, with everything about it.

    ``redactor`` sees here what it could not see in the encoded record: bytes behind base64, pieces of events.
    """
    fields = call.fields(attempts[0].destination if attempts else None)
    return CallOutcome(
        rfc3339(now_us()),
        **fields,
        outcome=ending.outcome,
        status_code=delivered.status,
        attempts=[attempt.record() for attempt in attempts],
        latency_ms=call.elapsed_ms(),
        time_to_first_byte_ms=call.first_byte_ms,
        queue_ms=call.queue_ms,
        upstream_ms=call.upstream_ns // 1_000_000 if attempts else None,
        finish_reason=ending.finish_reason,
        error_code=ending.error_code,
        error_message=ending.error_message,
        response_bytes=delivered.size,
        response_content_type=delivered.content_type,
        request_headers=call.logged_headers,
        translation_losses=call.losses,
        stream_events=delivered.events,
        **_payload(call, delivered, redactor),
    )


def _payload(call: Call, delivered: Delivered, redactor: Redactor) -> dict[str, Any]:
    if call.grant is None:
        return {"payload_state": "unauthenticated", "redaction_count": call.redactions}
    payloads = call.payloads
    state = _state(call, payloads)
    codes = list(call.marks.logging_error_codes)
    known: dict[str, Any] = {
        "payload_state": state,
        "logging_error_codes": codes,
        "redaction_count": call.redactions,
    }
    if payloads.mode == "sampled":
        known["sampling_fraction"] = payloads.sampling_fraction
    if state != "logged":
        return known
    faults: list[str] = []
    if len(call.body) > payloads.max_bytes:
        faults.append(REQUEST_OVERSIZE)
    elif call.body:
        _add_body(known, "request_body", call.body, redactor)
    if delivered.is_cut or len(delivered.body or b"") + len(delivered.raw_events) > payloads.max_bytes:
        faults.append(RESPONSE_OVERSIZE)
    else:
        _add_body(known, "response_body", delivered.body or b"", redactor)
        _add_events(known, delivered.raw_events, redactor)
    if faults:
        known |= {"payload_state": "oversize", "logging_error_codes": [*codes, *faults]}
    return known


def _add_body(known: dict[str, Any], name: str, body: bytes, redactor: Redactor) -> None:
    if not body:
        return
    try:
        known[name] = body.decode()
    except UnicodeDecodeError:
        redacted, count = redactor.redact_bytes(body)
        known[name] = base64.b64encode(redacted).decode()
        known[f"{name}_encoding"] = "base64"
        known["redaction_count"] += count


def _add_events(known: dict[str, Any], events: bytes, redactor: Redactor) -> None:
    if events:
        redacted, count = redactor.redact_events(events)
        known["raw_events"] = redacted.decode(errors="replace")
        known["redaction_count"] += count


def _state(call: Call, payloads: Payloads) -> PayloadState:
    if payloads.mode == "off":
        return "off"
    return "logged" if payloads.mode == "on" or call.chance < payloads.sampling_fraction else "sampled_out"
