-- A call with several tags counts under each: these rows do not add up to the whole.
WITH tagged AS (
  SELECT
    event_date, attempt_number, is_last_attempt, input_tokens, output_tokens, pricing_status, cost_usd,
    explode(map_entries(request_tags)) AS tag
  FROM gold.costs
  WHERE request_tags IS NOT NULL
)

SELECT
  event_date,
  tag.key AS tag_key,
  tag.value AS tag_value,
  CAST(SUM(CASE WHEN is_last_attempt THEN 1 ELSE 0 END) AS BIGINT) AS calls,
  CAST(SUM(CASE WHEN attempt_number > 0 THEN 1 ELSE 0 END) AS BIGINT) AS attempts,
  CAST(SUM(COALESCE(input_tokens, 0)) AS BIGINT) AS input_tokens,
  CAST(SUM(COALESCE(output_tokens, 0)) AS BIGINT) AS output_tokens,
  CAST(SUM(CASE WHEN pricing_status = 'priced' THEN 1 ELSE 0 END) AS BIGINT) AS priced_attempts,
  CAST(SUM(CASE WHEN pricing_status = 'partial' THEN 1 ELSE 0 END) AS BIGINT) AS partial_attempts,
  CAST(SUM(CASE WHEN pricing_status = 'unpriced' THEN 1 ELSE 0 END) AS BIGINT) AS unpriced_attempts,
  CAST(SUM(CASE WHEN pricing_status = 'not_billable' THEN 1 ELSE 0 END) AS BIGINT) AS not_billable_attempts,
  SUM(cost_usd) AS cost_usd
FROM tagged
GROUP BY event_date, tag.key, tag.value
