SELECT
  event_date, cost_center, team, project, requester, endpoint_name, provider, destination_model,
  CAST(SUM(CASE WHEN is_last_attempt THEN 1 ELSE 0 END) AS BIGINT) AS calls,
  CAST(SUM(CASE WHEN attempt_number > 0 THEN 1 ELSE 0 END) AS BIGINT) AS attempts,
  CAST(SUM(COALESCE(input_tokens, 0)) AS BIGINT) AS input_tokens,
  CAST(SUM(COALESCE(output_tokens, 0)) AS BIGINT) AS output_tokens,
  CAST(SUM(CASE WHEN pricing_status = 'priced' THEN 1 ELSE 0 END) AS BIGINT) AS priced_attempts,
  CAST(SUM(CASE WHEN pricing_status = 'partial' THEN 1 ELSE 0 END) AS BIGINT) AS partial_attempts,
  CAST(SUM(CASE WHEN pricing_status = 'unpriced' THEN 1 ELSE 0 END) AS BIGINT) AS unpriced_attempts,
  CAST(SUM(CASE WHEN pricing_status = 'not_billable' THEN 1 ELSE 0 END) AS BIGINT) AS not_billable_attempts,
  SUM(cost_usd) AS cost_usd
FROM gold.costs
GROUP BY event_date, cost_center, team, project, requester, endpoint_name, provider, destination_model
