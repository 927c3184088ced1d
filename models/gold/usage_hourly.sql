-- Tokens and cost are of all attempts; a call counts once, where its last attempt went.
SELECT
  event_date,
  date_trunc('HOUR', event_time) AS event_hour,
  requester, endpoint_name, provider, destination_model,
  CAST(SUM(CASE WHEN is_last_attempt THEN 1 ELSE 0 END) AS BIGINT) AS calls,
  CAST(SUM(CASE WHEN attempt_number > 0 THEN 1 ELSE 0 END) AS BIGINT) AS attempts,
  CAST(SUM(CASE WHEN is_last_attempt AND outcome = 'completed' THEN 1 ELSE 0 END) AS BIGINT) AS completed_calls,
  CAST(SUM(CASE WHEN is_last_attempt AND outcome IN ('failed', 'cut') THEN 1 ELSE 0 END) AS BIGINT) AS failed_calls,
  CAST(SUM(CASE WHEN is_last_attempt AND outcome = 'rejected' THEN 1 ELSE 0 END) AS BIGINT) AS rejected_calls,
  CAST(SUM(CASE WHEN is_last_attempt AND outcome = 'cancelled' THEN 1 ELSE 0 END) AS BIGINT) AS cancelled_calls,
  CAST(SUM(CASE WHEN is_last_attempt AND invocation_state <> 'final' THEN 1 ELSE 0 END) AS BIGINT) AS open_calls,
  CAST(SUM(COALESCE(uncached_input_tokens, 0)) AS BIGINT) AS uncached_input_tokens,
  CAST(SUM(COALESCE(cache_read_input_tokens, 0)) AS BIGINT) AS cache_read_input_tokens,
  CAST(SUM(COALESCE(cache_write_5m_input_tokens, 0)) AS BIGINT) AS cache_write_5m_input_tokens,
  CAST(SUM(COALESCE(cache_write_1h_input_tokens, 0)) AS BIGINT) AS cache_write_1h_input_tokens,
  CAST(SUM(COALESCE(visible_output_tokens, 0)) AS BIGINT) AS visible_output_tokens,
  CAST(SUM(COALESCE(reasoning_output_tokens, 0)) AS BIGINT) AS reasoning_output_tokens,
  CAST(SUM(COALESCE(input_tokens, 0)) AS BIGINT) AS input_tokens,
  CAST(SUM(COALESCE(output_tokens, 0)) AS BIGINT) AS output_tokens,
  CAST(SUM(CASE WHEN pricing_status = 'priced' THEN 1 ELSE 0 END) AS BIGINT) AS priced_attempts,
  CAST(SUM(CASE WHEN pricing_status = 'partial' THEN 1 ELSE 0 END) AS BIGINT) AS partial_attempts,
  CAST(SUM(CASE WHEN pricing_status = 'unpriced' THEN 1 ELSE 0 END) AS BIGINT) AS unpriced_attempts,
  CAST(SUM(CASE WHEN pricing_status = 'not_billable' THEN 1 ELSE 0 END) AS BIGINT) AS not_billable_attempts,
  SUM(cost_usd) AS cost_usd
FROM gold.costs
GROUP BY event_date, date_trunc('HOUR', event_time), requester, endpoint_name, provider, destination_model
