"""From a drawn call to the spool's records."""

from typing import Any

import msgspec

from tollhouse.demo.calls import Call
from tollhouse.demo.dialogue import Dialogue, Json
from tollhouse.demo.dice import Dice
from tollhouse.demo.endpoints import Endpoint
from tollhouse.demo.lean import plain_usage
from tollhouse.demo.moments import rfc3339
from tollhouse.demo.usage import Tokens, usage_object
from tollhouse.demo.wires.protocols import WIRES
from tollhouse.spool.records import Action, Admit, Attempt, AttemptStart, CallOutcome, Outcome, StreamEvents

OVERSIZE_SHARE = 0.001
REDACTED_SHARE = 0.015
_PLAIN_HEADERS = {"accept": "*/*"}
_HEADERS = {"anthropic_messages": {"anthropic-version": "2023-06-01"}}
_encode = msgspec.json.encode


def admit(call: Call) -> Admit:
    """The ADMIT of ``call``, written when it left the queue."""
    return Admit(recorded_at=rfc3339(call.us + call.queue_ms * 1000), **call.fields)


def attempt_start(call: Call, attempts: list[Attempt]) -> AttemptStart:
    """The ATTEMPT written before the last of ``attempts``."""
    return AttemptStart(recorded_at=attempts[-1].start_time, attempts=attempts, **call.fields)


def attempt(
    call: Call,
    start_us: int,
    latency_ms: int,
    *,
    endpoint: Endpoint | None = None,
    number: int = 1,
    action: Action = "INITIAL_ATTEMPT",
    tokens: Tokens | None = None,
    **known: Any,
) -> Attempt:
    """An upstream call; ``tokens`` become the usage object of the endpoint's protocol."""
    target = endpoint or call.endpoint
    destination = target.destination
    if tokens:
        usage = usage_object(target.wire, tokens)
        known["usage"] = msgspec.Raw(_encode(plain_usage(usage) if call.is_lean else usage))
        known["usage_format"] = target.wire
    return Attempt(
        destination_name=destination.destination_name,
        destination_type=destination.destination_type,
        destination_model=destination.destination_model,
        provider=destination.provider,
        attempt_number=number,
        action=action,
        start_time=rfc3339(start_us),
        latency_ms=latency_ms,
        **known,
    )


def answer(call: Call, said: Dialogue, usage: msgspec.Raw | None) -> Json:
    """The response body in the caller's protocol."""
    return WIRES[call.endpoint.wire].response(said, usage)


def failure(call: Call, status: int, code: str, message: str) -> Json:
    """The error body in the caller's protocol."""
    return WIRES[call.endpoint.wire].error(status, code, message)


def outcome(
    call: Call, rng: Dice, end_us: int, *, how: Outcome, status: int, response: Json | None, **known: Any
) -> CallOutcome:
    """The OUTCOME of ``call`` at ``end_us``; ``response`` is the body that the client got."""
    body = _encode(response).decode() if response is not None else None
    if body is not None:
        known["response_bytes"] = len(body)
        known["response_content_type"] = "text/event-stream" if call.said.is_stream else "application/json"
    return CallOutcome(
        recorded_at=rfc3339(end_us),
        outcome=how,
        status_code=status,
        latency_ms=(end_us - call.us) // 1000,
        queue_ms=call.queue_ms,
        request_headers=_HEADERS.get(call.endpoint.wire, _PLAIN_HEADERS),
        **call.fields,
        **known,
        **_payload(call, rng, body),
    )


def stream_events(call: Call, end_ms: int, size: int) -> StreamEvents:
    """Up to twelve events between the first byte and ``end_ms`` of ``size`` bytes in all."""
    count = min(12, 2 + call.tokens.visible_output // 40)
    step = max(0, end_ms - call.first_byte_ms) / count
    moments = [call.first_byte_ms + int(at * step) for at in range(count)]
    return StreamEvents(milliseconds=moments, bytes=[size // count] * count)


def _payload(call: Call, rng: Dice, response: str | None) -> dict[str, Any]:
    fraction = call.endpoint.sampling_fraction
    draw = rng.random()
    if not call.principal.team.is_logged:
        return {"payload_state": "off"}
    if fraction < 1.0 and draw > fraction:
        return {"payload_state": "sampled_out", "sampling_fraction": fraction}
    if draw < OVERSIZE_SHARE:
        return {"payload_state": "oversize", "logging_error_codes": ["MAX_REQUEST_SIZE_EXCEEDED"]}
    bodies: dict[str, Any] = {"request_body": call.request_body, "response_body": response}
    if fraction < 1.0:
        bodies["sampling_fraction"] = fraction
    if draw > 1 - REDACTED_SHARE:
        bodies["redaction_count"] = 1
        bodies["request_body"] = _redacted(call.request_body)
    return bodies


def _redacted(body: str) -> str:
    """The body with its first ticket number taken out, as the gateway does with secrets."""
    head, found, tail = body.partition("INC-")
    return f"{head}[REDACTED:ticket]{tail.lstrip('0123456789')}" if found else body
