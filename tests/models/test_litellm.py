"""What holds for LiteLLM's models beyond single rows: ids, one text for two formats, sums of buckets, real records."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models.runner import INPUT, OUTPUT, PROJECT, ModelRunner

from tollhouse.ids import date_of, uuid8

REAL = PROJECT.parent / "shared" / "data" / "gateway-logs" / "litellm"
TABLES = ("invocations", "payloads", "guardrail_checks")
START_MS = 1767261600250


def _digest(source: str, key: str) -> bytes:
    return hashlib.sha256(f"{source}\0{key}".encode()).digest()


def _record(**members: Any) -> dict[str, Any]:
    return {"raw_text": json.dumps({"startTime": START_MS / 1000, "status": "success", "messages": "hi"} | members)}


def _shared_text(table: str, log_format: str) -> str:
    text = (PROJECT / "models" / "silver" / table / f"{log_format}.sql").read_text()
    return text[text.index("\ntimed AS (") :]


@pytest.mark.parametrize("table", TABLES)
def test_both_formats_of_litellm_are_read_by_one_text(table: str) -> None:
    assert _shared_text(table, "litellm") == _shared_text(table, "litellm_spend_logs")


def test_the_id_is_time_then_hash_of_source_and_key_in_every_model(models: ModelRunner) -> None:
    digest = _digest("proxy", "call-1").hex()
    time = f"{START_MS:012x}"
    expected = f"{time[:8]}-{time[8:]}-8{digest[0:3]}-8{digest[3:6]}-{digest[6:18]}"
    check = {"guardrail_name": "g", "guardrail_status": "success"}
    rows = [_record(guardrail_information=[check])]
    found = [models.run(f"silver.{table}/litellm", rows).rows[0]["invocation_id"] for table in TABLES]
    assert found == [expected] * 3
    assert date_of(expected).isoformat() == "2026-01-01"


def test_the_id_in_sql_is_the_id_in_python(models: ModelRunner) -> None:
    (row,) = models.run("silver.invocations/litellm", [_record()]).rows
    assert row["invocation_id"] == uuid8(START_MS, _digest("proxy", "call-1"))


def test_a_time_that_cannot_be_in_an_id_gives_time_0(models: ModelRunner) -> None:
    (row,) = models.run("silver.invocations/litellm", [_record(startTime=4102444800)]).rows
    assert row["invocation_id"].startswith("00000000-0000-8")
    assert row["event_date"] == "1970-01-01"


def test_the_same_record_next_week_has_the_same_id(models: ModelRunner) -> None:
    first = _record() | {"record_key": "k"}
    again = first | {"ingested_at": "2026-02-08 00:00:00+00", "object_path": "logs/b.json", "position": 7}
    one, two = models.run("silver.invocations/litellm", [first, again]).rows
    assert one["invocation_id"] == two["invocation_id"]


counts = st.integers(min_value=0, max_value=10_000)
usages = st.fixed_dictionaries(
    {
        "uncached": counts,
        "read": counts,
        "short": counts,
        "long": counts,
        "visible": counts,
        "reasoning": counts,
        "audio": counts,
        "image_out": counts,
    }
)


def _usage_record(usage: dict[str, int], total: int | None) -> dict[str, Any]:
    """A record as LiteLLM writes it: caches, sound and reasoning are inside prompt and completion."""
    write = usage["short"] + usage["long"]
    lives = {"ephemeral_5m_input_tokens": usage["short"], "ephemeral_1h_input_tokens": usage["long"]}
    prompt = usage["uncached"] + usage["audio"] + usage["read"] + write
    completion = usage["visible"] + usage["image_out"] + usage["reasoning"]
    details = {
        "cached_tokens": usage["read"],
        "cache_write_tokens": write,
        "cache_creation_token_details": lives,
        "audio_tokens": usage["audio"],
    }
    output = {"reasoning_tokens": usage["reasoning"], "image_tokens": usage["image_out"]}
    return _record(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion if total is None else total,
        metadata={"usage_object": {"prompt_tokens_details": details, "completion_tokens_details": output}},
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(usages, min_size=1, max_size=20))
def test_a_consistent_record_keeps_every_token_in_one_bucket(models: ModelRunner, drawn: list[dict[str, int]]) -> None:
    result = models.run("silver.invocations/litellm", [_usage_record(usage, None) for usage in drawn])
    for usage, row in zip(drawn, result.rows, strict=True):
        other = {"audio_input_tokens": usage["audio"], "image_output_tokens": usage["image_out"]}
        assert row["rejection_reason"] is None
        assert [row[name] for name in INPUT] == [usage[name] for name in ("uncached", "read", "short", "long")]
        assert [row[name] for name in OUTPUT] == [usage["visible"], usage["reasoning"]]
        assert row["other_usage"] == {unit: str(number) for unit, number in other.items() if number}
        assert row["total_tokens"] + sum(other.values()) == sum(usage.values())
        assert row["data_issues"] == []


loose = st.fixed_dictionaries(
    {
        name: counts | st.none()
        for name in ("prompt", "completion", "total", "read", "write", "long", "reasoning", "audio")
    }
)


def _loose_record(usage: dict[str, int | None]) -> dict[str, Any]:
    details = {
        "cached_tokens": usage["read"],
        "cache_creation_token_details": {"ephemeral_1h_input_tokens": usage["long"]},
        "audio_tokens": usage["audio"],
    }
    return _record(
        prompt_tokens=usage["prompt"],
        completion_tokens=usage["completion"],
        total_tokens=usage["total"],
        metadata={
            "usage_object": {
                "cache_creation_input_tokens": usage["write"],
                "prompt_tokens_details": details,
                "completion_tokens_details": {"reasoning_tokens": usage["reasoning"]},
            }
        },
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(loose, min_size=1, max_size=20))
def test_whatever_is_logged_no_bucket_is_negative_and_the_sums_hold(
    models: ModelRunner, drawn: list[dict[str, int | None]]
) -> None:
    result = models.run("silver.invocations/litellm", [_loose_record(usage) for usage in drawn])
    assert len(result.rows) == len(drawn)
    for row in result.rows:
        for names, total in ((INPUT, "input_tokens"), (OUTPUT, "output_tokens")):
            parts = [row[name] for name in names]
            assert all(part is None for part in parts) == (row[total] is None)
            if row[total] is not None:
                assert min(parts) >= 0
                assert row[total] == sum(parts)
        both = [row[name] for name in ("input_tokens", "output_tokens") if row[name] is not None]
        assert row["total_tokens"] == (sum(both) if both else None)
        assert (row["usage_source"] == "none") == (not both)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real gateway logs are not beside this checkout")
@pytest.mark.parametrize(
    ("file", "log_format"),
    [("standard_logging_payload.json", "litellm"), ("spend_logs_row.json", "litellm_spend_logs")],
)
def test_a_real_record_lands_with_the_right_buckets(models: ModelRunner, file: str, log_format: str) -> None:
    text = Path(REAL / file).read_text()
    (row,) = models.run(f"silver.invocations/{log_format}", [{"raw_text": text}]).rows
    assert row["rejection_reason"] is None
    assert [row[name] for name in (*INPUT, *OUTPUT)] == [10, 0, 0, 0, 20, 0]
    assert (row["event_time"], row["event_date"]) == ("2025-01-24 09:20:46.847371", "2025-01-24")
    assert (row["usage_source"], row["reported_cost_usd"], row["data_issues"]) == ("provider", "0.000225", [])
