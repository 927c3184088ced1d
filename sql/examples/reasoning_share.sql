-- How much of the output is reasoning that nobody reads, and what does it cost?
SELECT
    destination_model,
    sum(output_tokens) AS output_tokens,
    sum(reasoning_output_tokens) AS reasoning_output_tokens,
    round(
        sum(reasoning_output_tokens) * CAST(100 AS DOUBLE) / nullif(sum(output_tokens), 0), 1
    ) AS reasoning_percent,
    CAST(sum(reasoning_output_cost_usd) AS DECIMAL(20, 6)) AS reasoning_cost_usd
FROM gold.costs
GROUP BY destination_model
HAVING sum(reasoning_output_tokens) > 0
ORDER BY reasoning_cost_usd DESC NULLS LAST, destination_model
