-- What do attempts cost whose answer was not used, because a later one replaced them?
SELECT
    provider,
    destination_model,
    count(*) AS lost_attempts,
    count_if(status_code = 429) AS rate_limited,
    sum(output_tokens) AS output_tokens,
    CAST(sum(cost_usd) AS DECIMAL(20, 6)) AS cost_usd
FROM gold.costs
WHERE NOT is_last_attempt
GROUP BY provider, destination_model
ORDER BY cost_usd DESC NULLS LAST, lost_attempts DESC, provider, destination_model
