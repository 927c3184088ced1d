-- A call that reached no destination, as one refused at the door, stands in a row without destination.
WITH exploded AS (
  SELECT
    event_date, event_time, endpoint_name, invocation_state, outcome,
    size(attempts) > 0 AS has_attempts,
    try_element_at(attempts, -1).attempt_number AS last_attempt_number,
    explode(CASE WHEN size(attempts) > 0 THEN attempts ELSE array(NULL) END) AS a
  FROM silver.invocations
),

attempts AS (
  SELECT
    event_date,
    date_trunc('HOUR', event_time) AS event_hour,
    endpoint_name,
    invocation_state = 'final' AS is_final,
    outcome,
    a.destination_name AS destination_name,
    a.destination_model AS destination_model,
    a.provider AS provider,
    has_attempts AND invocation_state = 'final' AS is_measured,
    NOT has_attempts OR a.attempt_number = last_attempt_number AS is_last_attempt,
    COALESCE(a.action, '') AS action,
    a.status_code AS status_code,
    has_attempts AND (
      COALESCE(a.status_code >= 400, a.error_code IS NOT NULL)
      OR (outcome = 'cut' AND a.attempt_number = last_attempt_number)
    ) AS is_failed,
    a.latency_ms AS latency_ms,
    a.time_to_first_byte_ms AS time_to_first_byte_ms
  FROM exploded
),

counted AS (
  SELECT
    event_date, event_hour, endpoint_name, destination_name, destination_model, provider,
    CAST(SUM(CASE WHEN is_last_attempt THEN 1 ELSE 0 END) AS BIGINT) AS calls,
    CAST(SUM(CASE WHEN is_last_attempt AND NOT is_final THEN 1 ELSE 0 END) AS BIGINT) AS open_calls,
    CAST(SUM(CASE WHEN is_last_attempt AND outcome = 'rejected' THEN 1 ELSE 0 END) AS BIGINT) AS rejected_calls,
    CAST(SUM(CASE WHEN is_measured THEN 1 ELSE 0 END) AS BIGINT) AS attempts,
    CAST(SUM(CASE WHEN is_measured AND is_failed THEN 1 ELSE 0 END) AS BIGINT) AS failed_attempts,
    CAST(SUM(CASE WHEN is_measured AND status_code = 429 THEN 1 ELSE 0 END) AS BIGINT) AS rate_limited_attempts,
    CAST(SUM(CASE WHEN is_measured AND action = 'RETRY' THEN 1 ELSE 0 END) AS BIGINT) AS retry_attempts,
    CAST(SUM(CASE WHEN is_measured AND action = 'FALLBACK' THEN 1 ELSE 0 END) AS BIGINT) AS fallback_attempts,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS latency_p50_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS latency_p95_ms,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS latency_p99_ms,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY time_to_first_byte_ms) AS time_to_first_byte_p50_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY time_to_first_byte_ms) AS time_to_first_byte_p95_ms,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY time_to_first_byte_ms) AS time_to_first_byte_p99_ms
  FROM attempts
  GROUP BY event_date, event_hour, endpoint_name, destination_name, destination_model, provider
)

SELECT
  *,
  CAST(failed_attempts AS DOUBLE) / NULLIF(attempts, 0) AS error_rate,
  CAST(fallback_attempts AS DOUBLE) / NULLIF(attempts, 0) AS fallback_rate
FROM counted
