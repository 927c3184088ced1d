"""The three questions that every demo answers, each with the SQL that answers it (Databricks' dialect)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question and one SELECT that answers it."""

    text: str
    sql: str


WHO = Question(
    "Who used what?",
    """\
SELECT c.team, c.destination_model AS model, sum(c.calls) AS calls, sum(c.input_tokens) AS input_tokens,
       sum(c.output_tokens) AS output_tokens
FROM gold.cost_attribution_daily AS c
WHERE c.destination_model IS NOT NULL
GROUP BY c.team, c.destination_model
ORDER BY input_tokens DESC, c.team, model
LIMIT 8""",
)
COST = Question(
    "What did it cost?",
    """\
SELECT c.team, c.cost_center, min(c.event_date) AS first_day, max(c.event_date) AS last_day,
       round(sum(c.cost_usd), 2) AS cost_usd, sum(c.unpriced_attempts) AS unpriced
FROM gold.cost_attribution_daily AS c
GROUP BY c.team, c.cost_center
ORDER BY cost_usd DESC NULLS LAST, c.team, c.cost_center
LIMIT 10""",
)
FAILED = Question(
    "What failed?",
    """\
SELECT coalesce(i.outcome, i.invocation_state) AS outcome, i.status_code, i.error_code, count(*) AS calls,
       count(DISTINCT i.endpoint_name) AS endpoints, max(i.event_time) AS last_time
FROM silver.invocations AS i
WHERE i.outcome IS NULL OR i.outcome <> 'completed'
GROUP BY coalesce(i.outcome, i.invocation_state), i.status_code, i.error_code
ORDER BY calls DESC, outcome, i.status_code
LIMIT 12""",
)
QUESTIONS = (WHO, COST, FAILED)
TOTALS = """\
SELECT count(*) AS calls, count_if(invocation_state <> 'final') AS open_calls, sum(input_tokens) AS input_tokens,
       sum(output_tokens) AS output_tokens
FROM silver.invocations
WHERE log_format = 'tollhouse' AND event_time < TIMESTAMP '{end}'"""
LIVE = """\
SELECT count_if(is_last_attempt) AS calls, count_if(is_last_attempt AND attempt_number = 0) AS refused,
       count_if(attempt_number > 0) AS attempts, sum(input_tokens) AS input_tokens,
       sum(output_tokens) AS output_tokens
FROM gold.costs
WHERE event_time >= TIMESTAMP '{begun}' AND event_time <= TIMESTAMP '{ended}'"""
BALANCE = """\
SELECT sum(source_records) AS in_source, sum(bronze_records) AS in_bronze, sum(bronze_rejected) AS rejected,
       count_if(NOT is_balanced) AS unbalanced
FROM gold.reconciliation
WHERE source = 'spool'"""
