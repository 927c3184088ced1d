"""The log of a plain gateway: one question a call, and in each record only what the lake stands on.

A record of the full demo carries every field that a gateway may know, twice a call. Here what the design does not ask
of an ADMIT stays away, and half of all text is random, so that short bodies compress no better than long ones.
"""

from typing import Any

import msgspec

from tollhouse.demo.dialogue import Dialogue, Speaker
from tollhouse.spool.records import Attempt, AttemptStart, Call, CallOutcome, SpoolRecord

# Both bodies together; their JSON takes about 400 of it.
LEAN_BODY_BYTES = 520
FRAME_BYTES = 400
# Of the text; the rest is prose.
RANDOM_SHARE = 0.5
_BASE64 = 4 / 3
_UNKNOWN: dict[str, Any] = {
    "auth_mode": None,
    "groups": [],
    "project": None,
    "ip_address": None,
    "user_agent": None,
    "client_kind": None,
    "session_id": None,
    "turn_id": None,
    "trace_id": None,
    "span_id": None,
    "service_type": None,
    "endpoint_tags": {},
}
_LATER: dict[str, Any] = {"method": None, "path": None, "query": None, "requested_model": None}
_PLAIN: dict[str, Any] = {"request_headers": {}, "response_content_type": None, "stream_events": None}


def simplify(said: Dialogue, speaker: Speaker, characters: int) -> None:
    """Makes of ``said`` a question and its answer of ``characters`` in all, without prompt, tools or thoughts."""
    said.system, said.user, said.thinking = "", None, ""
    said.called = said.answered = None
    said.finish = "stop" if said.finish == "tool" else said.finish
    said.turns = [("user", _text(speaker, characters // 2))]
    said.answer = _text(speaker, characters // 2) if said.answer else ""


def trimmed(record: SpoolRecord) -> SpoolRecord:
    """``record`` without what a plain gateway does not log."""
    if not isinstance(record, Call):
        return record
    replace = msgspec.structs.replace
    if isinstance(record, CallOutcome):
        return replace(record, attempts=[_plain(each) for each in record.attempts], **_UNKNOWN, **_PLAIN)
    if isinstance(record, AttemptStart):
        return replace(record, attempts=[_plain(each) for each in record.attempts], **_UNKNOWN, **_LATER)
    return replace(record, **_UNKNOWN, **_LATER)


def plain_usage(usage: dict[str, Any]) -> dict[str, Any]:
    """``usage`` without the details that are all zero, as smaller providers send it."""
    return {name: value for name, value in usage.items() if not isinstance(value, dict) or any(value.values())}


def _plain(attempt: Attempt) -> Attempt:
    return msgspec.structs.replace(attempt, provider_request_id=None, response_model=None)


def _text(speaker: Speaker, characters: int) -> str:
    size = int(characters * RANDOM_SHARE / _BASE64)
    return f"{speaker.text(characters - int(size * _BASE64))} {speaker.sealed(size)}"
