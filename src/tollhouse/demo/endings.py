"""How calls end: each ending turns a drawn call into its records, with the time at which each is written."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from tollhouse.demo.calls import Call
from tollhouse.demo.dice import Dice
from tollhouse.demo.endpoints import ENDPOINTS, Endpoint
from tollhouse.demo.recording import admit, answer, attempt, attempt_start, failure, outcome, stream_events
from tollhouse.demo.usage import Tokens, reported, usage_object
from tollhouse.demo.wires.protocols import WIRES
from tollhouse.spool.records import Admit, Attempt, AttemptStart, CallOutcome

Timed = list[tuple[int, Admit | AttemptStart | CallOutcome]]
Ending = Callable[[Call, Dice], Timed]
CHARACTERS_PER_TOKEN = 4
TIMEOUT_MS = 60_000


def completed(call: Call, rng: Dice) -> Timed:
    """One attempt, answered."""
    start, end = _span(call)
    only = attempt(call, start, call.latency_ms, status_code=200, tokens=call.tokens, **_first_byte(call))
    return [(start, admit(call)), (end, _success(call, rng, end, [only]))]


def counted(call: Call, rng: Dice) -> Timed:
    """A count_tokens request, which is free; other protocols have none, so theirs complete."""
    if call.endpoint.wire != "anthropic_messages":
        return completed(call, rng)
    call.said = replace(call.said, is_stream=False)
    path = {"path": "/v1/messages/count_tokens", "api_type": "anthropic/v1/messages/count_tokens"}
    call.fields |= path | {"is_stream": False}
    start, end = call.us + call.queue_ms * 1000, call.us + (call.queue_ms + 90) * 1000
    only = attempt(call, start, 90, status_code=200, is_not_billable=True)
    body = {"input_tokens": call.tokens.input}
    return [
        (start, admit(call)),
        (end, outcome(call, rng, end, how="completed", status=200, response=body, attempts=[only])),
    ]


def retried(call: Call, rng: Dice) -> Timed:
    """The first attempt fails without usage, the second at the same destination is answered."""
    status, code = rng.choice(((500, "server_error"), (429, "rate_limit_exceeded"), (502, "bad_gateway")))
    first = _failing(call, status, code, rng)
    return _second(call, rng, first, target=call.endpoint, tokens=call.tokens)


def fallen_back(call: Call, rng: Dice) -> Timed:
    """The first destination fails, now and then after it had counted tokens; another one answers."""
    if call.endpoint.fallback is None:
        return retried(call, rng)
    first = _failing(call, 529 if call.endpoint.wire == "anthropic_messages" else 503, "overloaded", rng)
    if rng.random() < 0.3:
        spent = call.tokens._replace(visible_output=1, reasoning_output=0)
        first = _failing(call, 200, "upstream_cut", rng, tokens=spent, is_usage_partial=True)
    target = ENDPOINTS[call.endpoint.fallback]
    tokens = Tokens(call.tokens.input, 0, 0, 0, call.tokens.visible_output, call.tokens.reasoning_output)
    losses = ["system.0.cache_control"] if target.wire != call.endpoint.wire else []
    return _second(call, rng, first, target=target, tokens=tokens, translation_losses=losses)


def failed(call: Call, rng: Dice) -> Timed:
    """The provider refuses: its own fault, overload or rate limit, after one attempt or two."""
    overloaded = 529 if call.endpoint.wire == "anthropic_messages" else 503
    choices = ((500, "server_error"), (overloaded, "overloaded"), (429, "rate_limit_exceeded"))
    status, code = rng.choice(choices)
    attempts, records = [_failing(call, status, code, rng)], _opening(call)
    at = records[0][0] + (attempts[0].latency_ms or 0) * 1000
    if rng.random() < 0.5:
        attempts.append(attempt(call, at, 300, number=2, action="RETRY", status_code=status, error_code=code))
        records.append((at, attempt_start(call, _announced(attempts))))
        at += 300_000
    return [*records, (at, _failure(call, rng, at, status=status, code=code, attempts=attempts))]


def timed_out(call: Call, rng: Dice) -> Timed:
    """The provider does not answer within a minute."""
    start = call.us + call.queue_ms * 1000
    end = start + TIMEOUT_MS * 1000
    only = attempt(call, start, TIMEOUT_MS, error_code="upstream_timeout")
    return [(start, admit(call)), (end, _failure(call, rng, end, status=504, code="upstream_timeout", attempts=[only]))]


def cancelled(call: Call, rng: Dice) -> Timed:
    """The client leaves while the answer streams."""
    return _broken(call, rng, "cancelled", 499, "client_disconnected")


def cut(call: Call, rng: Dice) -> Timed:
    """The provider's stream breaks off."""
    return _broken(call, rng, "cut", 200, "upstream_cut")


def unauthenticated(call: Call, rng: Dice) -> Timed:
    """A key that nobody knows: no ADMIT, no requester, no body."""
    for name in ("requester", "requester_type", "key_id", "team", "groups", "cost_center", "project", "destination"):
        call.fields.pop(name, None)
    for name in ("deadline", "request_sha256", "request_bytes"):
        call.fields.pop(name, None)
    call.fields["auth_mode"] = "none"
    end = call.us + 2_000
    record = outcome(call, rng, end, how="rejected", status=401, response=None, error_code="invalid_api_key")
    record.payload_state, record.request_body = "unauthenticated", None
    record.redaction_count, record.logging_error_codes, record.sampling_fraction = 0, [], 1.0
    return [(end, record)]


def malformed(call: Call, rng: Dice) -> Timed:
    """A request that the gateway cannot use."""
    return _refused(call, rng, 400, "invalid_request", "max_tokens: must be a positive integer")


def limited(call: Call, rng: Dice) -> Timed:
    """The key's own rate limit."""
    return _refused(call, rng, 429, "rate_limit_exceeded", "60 requests a minute are allowed; retry in 12 s")


def blocked_before(call: Call, rng: Dice) -> Timed:
    """An input guardrail refuses the call."""
    return _refused(call, rng, 400, "guardrail_blocked", "The request was blocked by a guardrail")


def blocked_after(call: Call, rng: Dice) -> Timed:
    """An output guardrail withholds the answer, which has been paid for all the same."""
    start, end = _span(call)
    only = attempt(call, start, call.latency_ms, status_code=200, tokens=call.tokens)
    record = _failure(call, rng, end, status=400, code="guardrail_blocked", attempts=[only])
    return [(start, admit(call)), (end, record)]


def in_doubt(call: Call, _rng: Dice) -> Timed:
    """The gateway dies with the call open."""
    return _opening(call)


# In parts of a thousand.
ENDINGS: tuple[tuple[Ending, int], ...] = (
    (completed, 899),
    (counted, 25),
    (retried, 15),
    (fallen_back, 12),
    (failed, 11),
    (timed_out, 2),
    (cancelled, 12),
    (cut, 4),
    (unauthenticated, 4),
    (malformed, 4),
    (limited, 6),
    (blocked_before, 3),
    (blocked_after, 1),
    (in_doubt, 2),
)


def _span(call: Call) -> tuple[int, int]:
    start = call.us + call.queue_ms * 1000
    return start, start + call.latency_ms * 1000


def _first_byte(call: Call) -> dict[str, Any]:
    return {"time_to_first_byte_ms": call.first_byte_ms} if call.said.is_stream else {}


def _opening(call: Call) -> Timed:
    return [(call.us + call.queue_ms * 1000, admit(call))]


def _announced(attempts: list[Attempt]) -> list[Attempt]:
    """The attempts as ATTEMPT knows them: the last has only begun."""
    last = attempts[-1]
    begun = Attempt(
        destination_name=last.destination_name,
        destination_type=last.destination_type,
        destination_model=last.destination_model,
        provider=last.provider,
        attempt_number=last.attempt_number,
        action=last.action,
        start_time=last.start_time,
    )
    return [*attempts[:-1], begun]


def _failing(call: Call, status: int, code: str, rng: Dice, **known: Any) -> Attempt:
    start = call.us + call.queue_ms * 1000
    return attempt(call, start, 80 + int(rng.expovariate(1 / 400)), status_code=status, error_code=code, **known)


def _second(call: Call, rng: Dice, first: Attempt, *, target: Endpoint, tokens: Tokens, **known: Any) -> Timed:
    """Records of a call whose second attempt, at ``target``, succeeds."""
    records = _opening(call)
    start = records[0][0] + (first.latency_ms or 0) * 1000 + 50_000
    end = start + call.latency_ms * 1000
    call.said = replace(call.said, response_model=target.destination.destination_model)
    second = attempt(
        call,
        start,
        call.latency_ms,
        endpoint=target,
        number=2,
        action="RETRY" if target is call.endpoint else "FALLBACK",
        status_code=200,
        tokens=tokens,
        **_first_byte(call),
    )
    if target.wire != call.endpoint.wire:
        _keep_upstream(call, second, target)
    attempts = [first, second]
    records.append((start, attempt_start(call, _announced(attempts))))
    call.tokens = tokens
    return [*records, (end, _success(call, rng, end, attempts, **known))]


def _keep_upstream(call: Call, second: Attempt, target: Endpoint) -> None:
    wire = WIRES[target.wire]
    if not call.principal.team.is_logged:
        return
    said = replace(call.said, model=target.destination.destination_model)
    second.upstream_request_body = msgspec.json.encode(wire.request(said)).decode()
    second.upstream_response_body = msgspec.json.encode(wire.response(said, reported(second))).decode()


def _success(call: Call, rng: Dice, end: int, attempts: list[Attempt], **known: Any) -> CallOutcome:
    last = attempts[-1]
    last.response_model = call.said.response_model
    last.provider_request_id = f"req_{rng.getrandbits(64):016x}"
    usage = reported(last)
    if last.usage_format != call.endpoint.wire:
        usage = msgspec.Raw(msgspec.json.encode(usage_object(call.endpoint.wire, call.tokens)))
    body = answer(call, call.said, usage)
    if call.said.is_stream:
        known["time_to_first_byte_ms"] = call.queue_ms + call.first_byte_ms
        known["stream_events"] = stream_events(call, (end - call.us) // 1000, len(call.said.answer) + 400)
    known["upstream_ms"] = sum(each.latency_ms or 0 for each in attempts)
    finish = call.said.finish
    known["finish_reason"] = WIRES[call.endpoint.wire].finish_reasons[finish] if finish else None
    return outcome(call, rng, end, how="completed", status=200, response=body, attempts=attempts, **known)


def _failure(call: Call, rng: Dice, end: int, *, status: int, code: str, attempts: list[Attempt]) -> CallOutcome:
    message = f"{call.endpoint.name}: {code.replace('_', ' ')}"
    body = failure(call, status, code, message)
    known = {"error_code": code, "error_message": message, "attempts": attempts}
    return outcome(call, rng, end, how="failed", status=status, response=body, **known)


def _refused(call: Call, rng: Dice, status: int, code: str, message: str) -> Timed:
    end = call.us + 3_000
    call.fields.pop("destination", None)
    call.fields.pop("deadline", None)
    body = failure(call, status, code, message)
    record = outcome(
        call, rng, end, how="rejected", status=status, response=body, error_code=code, error_message=message
    )
    return [(end, record)]


def _broken(call: Call, rng: Dice, how: Any, status: int, code: str) -> Timed:
    """Half a stream: usage so far where the protocol tells it early, else the gateway's estimate."""
    if not call.said.is_stream:
        return completed(call, rng)
    share = rng.uniform(0.2, 0.8)
    start = call.us + call.queue_ms * 1000
    spent_ms = call.first_byte_ms + int((call.latency_ms - call.first_byte_ms) * share)
    end = start + spent_ms * 1000
    text = call.said.answer[: int(len(call.said.answer) * share)]
    call.said = replace(call.said, answer=text, finish=None, called=None, thinking="")
    is_told = call.endpoint.wire in ("anthropic_messages", "gemini")
    seen = max(1, int(call.tokens.visible_output * share))
    if is_told:
        known: dict[str, Any] = {"tokens": call.tokens._replace(visible_output=seen), "is_usage_partial": True}
    else:
        estimate = {"estimated_input_tokens": call.tokens.input}
        known = estimate | {"estimated_output_tokens": max(1, len(text) // CHARACTERS_PER_TOKEN)}
    only = attempt(call, start, spent_ms, status_code=200, **_first_byte(call), **known)
    body = answer(call, call.said, reported(only))
    record = outcome(
        call, rng, end, how=how, status=status, response=body, attempts=[only], error_code=code, **_first_byte(call)
    )
    return [(start, admit(call)), (end, record)]
