"""Literal calls, one of LiteLLM's and one of our own, which the cases change."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from tollhouse.ids import uuid7
from tollhouse.spool.records import Admit, Attempt, CallOutcome, Destination

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_TEXT = "2026-03-01T12:00:00.000000Z"
NOON_SECONDS = 1772366400.25


def proxied(key: str, **members: Any) -> dict[str, Any]:
    """A call as LiteLLM logs it: 10 tokens in, 20 out, of gpt-4o."""
    return {
        "id": key,
        "call_type": "acompletion",
        "status": "success",
        "custom_llm_provider": "openai",
        "model": "gpt-4o",
        "startTime": NOON_SECONDS,
        "endTime": NOON_SECONDS + 2,
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "total_tokens": 30,
        "messages": [{"role": "user", "content": "How far is the moon?"}],
    } | members


def line(key: str, **members: Any) -> bytes:
    """The same as a line of a log; a member that is None stays away."""
    record = {name: value for name, value in proxied(key, **members).items() if value is not None}
    return json.dumps(record).encode() + b"\n"


def own_id(number: int) -> str:
    """A UUIDv7 of noon."""
    return uuid7(int(NOON.timestamp() * 1000), number)


def attempt(usage: object, usage_format: str = "openai_chat", **members: Any) -> Attempt:
    """The one upstream call of an own call; ``usage`` is the provider's object, any JSON value or raw text."""
    raw = usage if isinstance(usage, bytes) else json.dumps(usage).encode()
    fields: dict[str, Any] = {
        "attempt_number": 1,
        "action": "INITIAL_ATTEMPT",
        "start_time": NOON_TEXT,
        "destination_name": "openai-east",
        "destination_type": "EXTERNAL_FOUNDATION_MODEL",
        "destination_model": "gpt-4o",
        "provider": "openai",
        "status_code": 200,
        "usage": msgspec.Raw(raw),
        "usage_format": usage_format,
    }
    return Attempt(**fields | members)


def outcome(number: int, **members: Any) -> CallOutcome:
    """The end of an own call: 10 tokens in, 20 out, of gpt-4o."""
    fields: dict[str, Any] = {
        "recorded_at": NOON_TEXT,
        "invocation_id": own_id(number),
        "request_id": f"request-{number}",
        "event_time": NOON_TEXT,
        "requester": "ada@example.com",
        "endpoint_name": "chat",
        "api_type": "openai/v1/chat/completions",
        "outcome": "completed",
        "status_code": 200,
        "attempts": [attempt({"prompt_tokens": 10, "completion_tokens": 20})],
        "request_body": '{"model": "chat", "messages": [{"role": "user", "content": "How far is the moon?"}]}',
        "response_body": '{"choices": [{"message": {"role": "assistant", "content": "384,400 km"}}]}',
    }
    return CallOutcome(**fields | members)


def admit(number: int, **members: Any) -> Admit:
    """The beginning of the same call."""
    fields: dict[str, Any] = {
        "recorded_at": NOON_TEXT,
        "invocation_id": own_id(number),
        "request_id": f"request-{number}",
        "event_time": NOON_TEXT,
        "endpoint_name": "chat",
        "deadline": "2026-03-01T12:10:00.000000Z",
        "destination": Destination(
            destination_name="openai-east",
            destination_type="EXTERNAL_FOUNDATION_MODEL",
            destination_model="gpt-4o",
            provider="openai",
        ),
    }
    return Admit(**fields | members)


def encoded(record: CallOutcome, *changes: tuple[str, str]) -> bytes:
    """The record as a careless writer would have written it: its JSON with some texts replaced."""
    text = msgspec.json.encode(record).decode()
    for old, new in changes:
        assert old in text, f"{old!r} is not in {text!r}"
        text = text.replace(old, new, 1)
    return text.encode()
