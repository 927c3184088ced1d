"""What may be wrong in our own log, all in one sealed segment, and what must become of it."""

from dataclasses import dataclass, field

import msgspec
from road.calls import admit, attempt, encoded, outcome, own_id
from road.foreign_cases import LONG
from road.roads import Row

from tollhouse.spool.records import SpoolRecord

DAY = "2026-03-01"
NO_COUNTS = {"usage_source": "none", "input_tokens": None, "data_issues": ["usage_invalid:attempts"]}


@dataclass(frozen=True)
class Case:
    """``name`` is the case's row in docs/bad-input.md, ``rows`` the columns of the calls that matter, by number.

    ``unmapped`` are the reasons in silver.rejected_records, ``repeats`` how many records another one speaks for.
    """

    name: str
    records: list[SpoolRecord | bytes]
    rows: dict[int, Row] = field(default_factory=dict)
    unmapped: list[str] = field(default_factory=list)
    repeats: int = 0


def _used(usage: object, usage_format: str = "openai_chat") -> dict[str, object]:
    return {"attempts": [attempt(usage, usage_format)]}


WRITTEN = [
    Case(
        "a lone surrogate",
        [encoded(outcome(101), ("How far", r"\\ud83d far"))],
        rows={101: {"prompt_text": "\ufffd far is the moon?"}},
    ),
    Case(
        "a key twice in one object",
        [encoded(outcome(102), ('"prompt_tokens": 10', '"prompt_tokens": 99, "prompt_tokens": 10'))],
        rows={102: {"input_tokens": 10}},
    ),
    Case(
        '`"7"` for 7',
        [outcome(103, **_used({"prompt_tokens": "7", "completion_tokens": 20}))],
        rows={103: {"input_tokens": 7, "usage_source": "provider", "data_issues": ["text_number:usage"]}},
    ),
    Case(
        '`"seven"` for 7',
        [
            outcome(104, **_used({"prompt_tokens": "seven", "completion_tokens": 20})),
            encoded(outcome(105, latency_ms=7), ('"latency_ms":7', '"latency_ms":"seven"')),
        ],
        rows={104: NO_COUNTS | {"pricing_status": "unpriced", "cost_usd": None}, 105: {"latency_ms": None}},
    ),
    Case(
        "negative tokens",
        [outcome(106, **_used({"prompt_tokens": 10, "completion_tokens": -20}))],
        rows={106: NO_COUNTS | {"pricing_status": "unpriced", "cost_usd": None}},
    ),
    Case(
        "cached tokens above the input",
        [
            outcome(
                107,
                **_used({"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 11}}),
            )
        ],
        rows={107: NO_COUNTS},
    ),
    Case(
        "an unknown model",
        [
            outcome(
                108,
                attempts=[
                    attempt(
                        {"prompt_tokens": 10, "completion_tokens": 1}, destination_model="nobody-9b", provider="nobody"
                    )
                ],
            )
        ],
        rows={108: {"input_tokens": 10, "pricing_status": "unpriced", "cost_usd": None}},
    ),
    Case(
        "a record of 20 MiB",
        [outcome(109, request_body=msgspec.json.encode({"messages": [{"role": "user", "content": LONG}]}).decode())],
        rows={109: {"prompt_characters": len(LONG), "input_tokens": 10}},
    ),
    Case(
        "the same call twice in a file",
        [outcome(110, status_code=500), outcome(110)],
        rows={110: {"status_code": 200}},
        repeats=1,
    ),
    Case(
        "a call without a time",
        [encoded(outcome(111), ('"event_time":"2026-03-01T12:00:00.000000Z",', ""))],
        unmapped=["event_time is not a time: missing"],
    ),
    Case(
        "a time that is none",
        [encoded(outcome(112), ('"event_time":"2026-03-01T12:00:00.000000Z"', '"event_time":"last Tuesday"'))],
        unmapped=["event_time is not a time: last Tuesday"],
    ),
    Case(
        "an id that is no UUIDv7",
        [outcome(113, invocation_id="call-113")],
        unmapped=["invocation_id is not a UUIDv7: call-113"],
    ),
    Case(
        "a record without what names a call",
        [encoded(outcome(114), (f'"invocation_id":"{own_id(114)}",', ""))],
        unmapped=["invocation_id is not a UUIDv7: missing"],
    ),
    Case(
        "a time with an offset",
        [outcome(115, event_time="2026-03-01T23:30:00-05:00")],
        rows={115: {"time": "2026-03-02 04:30:00.000000"}},
    ),
    Case(
        "a time without an offset",
        [outcome(116, event_time="2026-03-01T23:30:00.5")],
        rows={116: {"time": f"{DAY} 23:30:00.500000", "date": DAY}},
    ),
    Case(
        "a time in 1970",
        [outcome(117, event_time="1970-01-01T00:00:00Z")],
        rows={117: {"time": "1970-01-01 00:00:00.000000", "is_time_suspect": True}},
    ),
    Case(
        "a time in 2100",
        [outcome(118, event_time="2100-01-01T00:00:00Z")],
        rows={118: {"time": "2100-01-01 00:00:00.000000", "is_time_suspect": True}},
    ),
    Case(
        "a time more than a day ahead",
        [outcome(119, event_time="2026-03-04T00:00:00Z")],
        rows={119: {"is_time_suspect": True}},
    ),
    Case(
        "an answer that is no JSON",
        [outcome(120, response_body="<html>502</html>", response_content_type="text/html", attempts=[])],
        rows={
            120: {"response": "<html>502</html>", "logging_error_codes": ["RESPONSE_NOT_JSON"], "completion_text": None}
        },
    ),
    Case(
        "a body that is not UTF-8",
        [
            outcome(121, response_body="gAGC", response_body_encoding="base64", request_body=None),
            outcome(122, request_body="gAGC", request_body_encoding="base64"),
        ],
        rows={
            121: {"response": "gAGC", "logging_error_codes": ["RESPONSE_NOT_JSON"]},
            122: {"request": "gAGC", "logging_error_codes": ["REQUEST_NOT_JSON"], "prompt_text": None},
        },
    ),
    Case(
        "a call that was never ended",
        [admit(123)],
        rows={123: {"invocation_state": "in_doubt", "pricing_status": "unpriced", "cost_usd": None}},
    ),
    Case(
        "a call with beginning and end",
        [admit(124), outcome(124)],
        rows={124: {"invocation_state": "final"}},
        repeats=1,
    ),
]
# Whole lines of a sealed segment that our writer would have refused.
FORGED = [
    Case(
        "a lone surrogate outside a body",
        [encoded(outcome(201), ("ada@example.com", r"ada\ud83d@example.com"))],
        rows={201: {"requester": "ada\ufffd@example.com"}},
    ),
    Case(
        "a record that is no object of ours",
        [b'{"record":"OUTCOME","invocation_id":7}'],
        unmapped=["invocation_id is not a UUIDv7: 7"],
    ),
]
