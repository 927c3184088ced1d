"""What may be wrong in another gateway's log, each in a file of its own, and what must become of it."""

import json
from dataclasses import dataclass, field
from typing import Any

from road.calls import line

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """``name`` is the case's row in docs/bad-input.md.

    ``rows`` are the columns of silver.invocations that matter, a record each in the file's order; ``refused`` and
    ``unmapped`` the reasons in bronze.rejected_records and silver.rejected_records; ``repeats`` how many records
    another one speaks for.
    """

    name: str
    content: bytes
    rows: list[Row] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)
    repeats: int = 0


def _edited(key: str, old: str, new: str, **members: Any) -> bytes:
    text = line(key, **members).decode()
    assert old in text
    return text.replace(old, new, 1).encode()


COUNT = "which is not a whole number of tokens from 0 up"
DAY = "2026-03-01"
LONG = "moon " * (4 << 20)

CASES = [
    Case(
        "a torn last line",
        line("torn-1") + line("torn-2")[:120],
        rows=[{"request_id": "torn-1"}],
        refused=["torn: the file ends inside this record"],
    ),
    Case(
        "a line of binary",
        line("binary-1") + b"\xff\xfe\x00\x01garbage\n" + line("binary-2"),
        rows=[{"request_id": "binary-1"}, {"request_id": "binary-2"}],
        refused=["not UTF-8: byte 0xff at offset 0"],
    ),
    Case(
        "a line that is not JSON",
        line("text-1") + b"INFO starting proxy\n" + line("text-2"),
        rows=[{"request_id": "text-1"}, {"request_id": "text-2"}],
        refused=["Expecting value at character 0"],
    ),
    Case(
        "a lone surrogate",
        _edited("surrogate-1", "gpt-4o", r"gpt-4o\ud83d", messages='[{"role": "user", "content": "\\ud83d"}]'),
        rows=[{"destination_model": "gpt-4o\ufffd", "prompt_text": "\ufffd"}],
    ),
    Case(
        "a key twice in one object",
        _edited("twice-1", '"prompt_tokens": 10', '"prompt_tokens": 99, "prompt_tokens": 10'),
        rows=[{"input_tokens": 10, "output_tokens": 20}],
    ),
    Case(
        '`"7"` for 7',
        line("text-number-1", prompt_tokens="7", total_tokens=27),
        rows=[{"input_tokens": 7, "data_issues": ["text_number:prompt_tokens"]}],
    ),
    Case(
        '`"seven"` for 7',
        line("word-1", prompt_tokens="seven"),
        unmapped=[f'prompt_tokens is "seven", {COUNT}'],
    ),
    Case(
        "negative tokens",
        line("negative-1", completion_tokens=-20),
        unmapped=[f'completion_tokens is "-20", {COUNT}'],
    ),
    Case(
        "a record without what names a call",
        json.dumps({"model": "gpt-4o", "prompt_tokens": 7}).encode(),
        refused=["not a record of LiteLLM: expected id and call_type"],
    ),
    Case("a call without a time", line("timeless-1", startTime=None), unmapped=["startTime is missing"]),
    Case(
        "a call without tokens, model and provider",
        line(
            "bare-1",
            prompt_tokens=None,
            completion_tokens=None,
            total_tokens=None,
            model=None,
            custom_llm_provider=None,
        ),
        rows=[{"usage_source": "none", "input_tokens": None, "destination_model": None, "cost_usd": None}],
    ),
    Case(
        "cached tokens above the input",
        line("cached-1", metadata={"usage_object": {"prompt_tokens_details": {"cached_tokens": 100}}}),
        rows=[
            {
                "uncached_input_tokens": 10,
                "cache_read_input_tokens": 100,
                "input_tokens": 110,
                "data_issues": ["caches_outside_total:prompt_tokens", "not_the_sum:total_tokens"],
            }
        ],
    ),
    Case(
        "an unknown model",
        line("unknown-1", model="nobody-knows-9b", custom_llm_provider="nobody"),
        rows=[{"input_tokens": 10, "pricing_status": "unpriced", "cost_usd": None}],
    ),
    Case(
        "a record of 20 MiB",
        line("large-1", messages=[{"role": "user", "content": LONG}]) + line("large-2"),
        rows=[{"request_id": "large-1", "prompt_characters": len(LONG)}, {"request_id": "large-2"}],
    ),
    Case(
        "the same call twice in a file",
        line("again-1", completion_tokens=19, total_tokens=29) + line("again-1"),
        rows=[{"request_id": "again-1", "output_tokens": 20}],
        repeats=1,
    ),
    Case("a time in epoch seconds", line("epoch-1"), rows=[{"time": f"{DAY} 12:00:00.250000", "date": DAY}]),
    Case(
        "a time in epoch seconds, as text",
        line("epoch-2", startTime="1772366400.25"),
        rows=[{"time": f"{DAY} 12:00:00.250000", "date": DAY}],
    ),
    Case(
        "a time with an offset",
        line("offset-1", startTime="2026-03-01T23:30:00-05:00"),
        rows=[{"time": "2026-03-02 04:30:00.000000", "date": "2026-03-02", "is_time_suspect": False}],
    ),
    Case(
        "a time without an offset",
        line("naive-1", startTime="2026-03-01 23:30:00.5"),
        rows=[{"time": f"{DAY} 23:30:00.500000", "date": DAY}],
    ),
    Case(
        "a time in 1970",
        line("1970-1", startTime=0.0, endTime=1.0),
        rows=[{"time": "1970-01-01 00:00:00.000000", "date": "1970-01-01", "is_time_suspect": True}],
    ),
    Case(
        "a time in 2100",
        line("2100-1", startTime="2100-01-01T00:00:00Z", endTime="2100-01-01T00:00:01Z"),
        rows=[{"time": "2100-01-01 00:00:00.000000", "date": "1970-01-01", "is_time_suspect": True}],
    ),
    Case(
        "a time more than a day ahead",
        line("ahead-1", startTime="2026-03-04T00:00:00Z", endTime="2026-03-04T00:00:01Z"),
        rows=[{"date": "2026-03-04", "is_time_suspect": True}],
    ),
    Case(
        "a time that is none",
        line("when-1", startTime="last Tuesday"),
        unmapped=['startTime is "last Tuesday"'],
    ),
    Case("an empty file", b""),
    Case(
        "an answer that is no JSON",
        line("html-1", response="<html><body>502 Bad Gateway</body></html>"),
        rows=[{"response": '"<html><body>502 Bad Gateway</body></html>"'}],
    ),
]
