"""From a call to its records."""

import base64
from operator import attrgetter
from typing import NamedTuple

from tollhouse.gateway.attempt import AttemptState
from tollhouse.gateway.call import Call
from tollhouse.gateway.clock import now_us, rfc3339
from tollhouse.gateway.configuration.endpoint import Payloads
from tollhouse.gateway.redaction import Redactor
from tollhouse.spool import records
from tollhouse.spool.records import Admit, AttemptStart, BodyEncoding, CallOutcome, Outcome, PayloadState, StreamEvents

REQUEST_OVERSIZE = "MAX_REQUEST_SIZE_EXCEEDED"
RESPONSE_OVERSIZE = "MAX_RESPONSE_SIZE_EXCEEDED"
_members_of_call = attrgetter(*records.Call.__struct_fields__)


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
    record = call.described(attempt.destination)
    record.recorded_at = rfc3339(now_us())
    return Admit(*_members_of_call(record))


def attempt_start(call: Call, attempts: list[AttemptState]) -> AttemptStart:
    """The record before each further upstream call, the last of ``attempts``."""
    record = call.described(attempts[0].destination)
    record.recorded_at = rfc3339(now_us())
    return AttemptStart(*_members_of_call(record), attempts=_records(call, attempts))


def outcome(
    call: Call, attempts: list[AttemptState], ending: Ending, delivered: Delivered, redactor: Redactor
) -> CallOutcome:
    """The record that ends a call, with everything about it.

    ``redactor`` sees here what it could not see in the encoded record: bytes behind base64, pieces of events.
    """
    record = call.described(attempts[0].destination if attempts else None)
    record.recorded_at = rfc3339(now_us())
    record.outcome, record.error_code, record.error_message, record.finish_reason = ending
    record.status_code = delivered.status
    record.latency_ms = call.elapsed_ms()
    if attempts:
        record.attempts = _records(call, attempts)
        record.upstream_ms = call.upstream_ns // 1_000_000
    record.response_bytes = delivered.size
    record.response_content_type = delivered.content_type
    record.stream_events = delivered.events
    if call.grant is None:
        record.payload_state = "unauthenticated"
    else:
        _add_payload(record, call, delivered, redactor)
    return record


def _records(call: Call, attempts: list[AttemptState]) -> list[records.Attempt]:
    """Bodies that went to providers and came from them are logged as the client's are."""
    payloads = call.payloads
    most = payloads.max_bytes if _state(call, payloads) == "logged" else -1
    return [attempt.record(most) for attempt in attempts]


def _add_payload(record: CallOutcome, call: Call, delivered: Delivered, redactor: Redactor) -> None:
    payloads = call.payloads
    record.payload_state = _state(call, payloads)
    record.logging_error_codes = list(call.marks.logging_error_codes)
    if payloads.mode == "sampled":
        record.sampling_fraction = payloads.sampling_fraction
    if record.payload_state != "logged":
        return
    faults: list[str] = []
    body, answer = call.body, delivered.body or b""
    if len(body) > payloads.max_bytes:
        faults.append(REQUEST_OVERSIZE)
    elif body:
        record.request_body, record.request_body_encoding = _text(record, body, redactor)
    if delivered.is_cut or len(answer) + len(delivered.raw_events) > payloads.max_bytes:
        faults.append(RESPONSE_OVERSIZE)
    else:
        _add_answer(record, answer, delivered.raw_events, redactor)
    if faults:
        record.payload_state = "oversize"
        record.logging_error_codes += faults


def _add_answer(record: CallOutcome, body: bytes, events: bytes, redactor: Redactor) -> None:
    if body:
        record.response_body, record.response_body_encoding = _text(record, body, redactor)
    if events:
        redacted, count = redactor.redact_events(events)
        record.raw_events = redacted.decode(errors="replace")
        record.redaction_count += count


def _text(record: CallOutcome, body: bytes, redactor: Redactor) -> tuple[str, BodyEncoding]:
    """A body as the record holds it, and how."""
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        redacted, count = redactor.redact_bytes(body)
        record.redaction_count += count
        return base64.b64encode(redacted).decode(), "base64"


def _state(call: Call, payloads: Payloads) -> PayloadState:
    if payloads.mode == "off":
        return "off"
    return "logged" if payloads.mode == "on" or call.chance < payloads.sampling_fraction else "sampled_out"
