-- Which team uses how much, and what does it cost?
SELECT
    team,
    count(DISTINCT invocation_id) AS calls,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    CAST(sum(cost_usd) AS DECIMAL(20, 6)) AS cost_usd
FROM gold.costs
GROUP BY team
ORDER BY cost_usd DESC NULLS LAST, team
