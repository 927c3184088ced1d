"""Records of calls that have ended."""

from typing import Any

import msgspec

from tollhouse.spool.records import Attempt, CallOutcome

TIME = "2026-11-27T10:00:00.000000Z"
CHAT_USAGE = b'{"prompt_tokens":500,"completion_tokens":150,"prompt_tokens_details":{"cached_tokens":300}}'


def attempt(**changed: Any) -> Attempt:
    known: dict[str, Any] = {
        "attempt_number": 1,
        "action": "INITIAL_ATTEMPT",
        "start_time": "2026-11-27T10:00:00.001000Z",
        "latency_ms": 900,
        "status_code": 200,
        "usage": msgspec.Raw(CHAT_USAGE),
        "usage_format": "openai_chat",
        "destination_name": "openai-main",
        "destination_type": "EXTERNAL_MODEL",
        "destination_model": "gpt-x",
        "provider": "openai",
    }
    return Attempt(**(known | changed))


def finished(*attempts: Attempt, **changed: Any) -> CallOutcome:
    known: dict[str, Any] = {
        "invocation_id": "0193-1",
        "request_id": "req-1",
        "endpoint_name": "chat",
        "api_type": "openai/v1/chat/completions",
        "requested_model": "gpt",
        "outcome": "completed",
        "status_code": 200,
        "latency_ms": 903,
        "time_to_first_byte_ms": 700,
        "upstream_ms": 900,
    }
    return CallOutcome(TIME, event_time=TIME, attempts=list(attempts or (attempt(),)), **(known | changed))
