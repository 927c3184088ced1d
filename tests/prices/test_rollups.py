from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from prices.pricing import NOON, attempt, costs_of, failed_attempt, invocation, run_model

GPT_4O = 100 * Decimal("0.0000025") + 10 * Decimal("0.00001")

CALLS = [
    invocation(1, attempt(), request_tags=[("app", "chat"), ("env", "prod")]),
    invocation(
        2, failed_attempt(1), attempt(2, destination_name="mini", destination_model="gpt-4o-mini", latency_ms=900)
    ),
    invocation(3, outcome="rejected", endpoint_name="chat", request_tags=[("app", "chat")]),
    invocation(4, attempt(destination_model="acme-tuned"), team="unattributed", event_time=NOON + timedelta(hours=1)),
    invocation(5, attempt(), invocation_state="pending", outcome=None),
]


def costs() -> list[dict[str, Any]]:
    """gold.costs of CALLS, as rows to read again."""
    return [
        row | {name: list((row[name] or {}).items()) for name in ("request_tags", "other_usage", "unpriced_usage")}
        for row in costs_of(CALLS)
    ]


def picked(rows: Iterable[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row[name] for name in names) for row in rows), key=repr)


def test_usage_hourly_counts_a_retried_call_once_where_its_last_attempt_went() -> None:
    rows = run_model("gold.usage_hourly", {"gold.costs": costs()})
    assert picked(
        rows, "destination_model", "calls", "attempts", "completed_calls", "rejected_calls", "open_calls"
    ) == [
        ("acme-tuned", 1, 1, 1, 0, 0),
        ("gpt-4o", 2, 3, 1, 0, 1),
        ("gpt-4o-mini", 1, 1, 1, 0, 0),
        (None, 1, 0, 0, 1, 0),
    ]
    assert {row["event_hour"] for row in rows} == {NOON, NOON + timedelta(hours=1)}


def test_usage_hourly_counts_what_is_unpriced_beside_a_cost_that_is_null_and_not_0() -> None:
    rows = {row["destination_model"]: row for row in run_model("gold.usage_hourly", {"gold.costs": costs()})}
    assert (rows["acme-tuned"]["unpriced_attempts"], rows["acme-tuned"]["cost_usd"]) == (1, None)
    assert (rows["gpt-4o"]["unpriced_attempts"], rows["gpt-4o"]["cost_usd"]) == (1, GPT_4O)
    assert rows["gpt-4o"]["uncached_input_tokens"] == 200


def test_cost_attribution_sums_to_gold_costs_exactly() -> None:
    lines = costs()
    rows = run_model("gold.cost_attribution_daily", {"gold.costs": lines})
    assert sum(row["cost_usd"] or 0 for row in rows) == sum(line["cost_usd"] or 0 for line in lines)
    assert sum(row["calls"] for row in rows) == len(CALLS)
    assert {row["team"] for row in rows} == {"search", "unattributed"}


def test_a_call_counts_under_each_of_its_tags_and_one_without_under_none() -> None:
    rows = run_model("gold.cost_by_tag_daily", {"gold.costs": costs()})
    assert picked(rows, "tag_key", "tag_value", "calls", "cost_usd") == [
        ("app", "chat", 2, GPT_4O),
        ("env", "prod", 1, GPT_4O),
    ]


def test_endpoint_health_measures_attempts_by_destination() -> None:
    rows = run_model("gold.endpoint_health_hourly", {"silver.invocations": CALLS})
    here = {(row["destination_name"], row["destination_model"]): row for row in rows}
    gpt, mini, nowhere = here["gpt", "gpt-4o"], here["mini", "gpt-4o-mini"], here[None, None]
    assert (gpt["attempts"], gpt["failed_attempts"], gpt["error_rate"], gpt["open_calls"]) == (2, 1, 0.5, 1)
    assert (mini["attempts"], mini["fallback_rate"], mini["error_rate"], mini["latency_p99_ms"]) == (1, 1.0, 0.0, 900.0)
    assert (nowhere["calls"], nowhere["rejected_calls"], nowhere["attempts"], nowhere["error_rate"]) == (1, 1, 0, None)


def test_endpoint_health_interpolates_its_percentiles() -> None:
    calls = [invocation(n, attempt(latency_ms=n * 100)) for n in range(1, 5)]
    row = run_model("gold.endpoint_health_hourly", {"silver.invocations": calls})[0]
    assert (row["latency_p50_ms"], row["latency_p95_ms"]) == (250.0, 385.0)


def check(number: int, verdict: str, **values: Any) -> dict[str, Any]:
    return {
        "check_id": f"check-{number}", "event_date": date(2026, 11, 2), "ingest_sequence": number, "change_sequence": 1,
        "event_time": datetime(2026, 11, 2, 12, tzinfo=UTC), "invocation_id": f"inv-{number}", "log_source": "spool",
        "guardrail_name": "pii", "phase": "input", "mode": "enforce", "verdict": verdict, "entity_counts": [],
    } | values  # fmt: skip


def test_guardrail_hits_are_checks_that_flagged_masked_or_blocked_with_who_called() -> None:
    checks = [
        check(1, "block"),
        check(2, "mask", mode="shadow"),
        check(3, "pass"),
        check(4, "error"),
        check(99, "flag"),
    ]
    rows = run_model("gold.guardrail_hits", {"silver.guardrail_checks": checks, "silver.invocations": CALLS})
    assert picked(rows, "check_id", "verdict", "is_enforced", "team", "requester") == [
        ("check-1", "block", True, "search", "ada@example.com"),
        ("check-2", "mask", False, "search", "ada@example.com"),
        ("check-99", "flag", False, "unattributed", None),
    ]
