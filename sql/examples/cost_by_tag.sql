-- What does each value of a request tag cost?
SELECT
    tag_key,
    tag_value,
    sum(calls) AS calls,
    CAST(sum(cost_usd) AS DECIMAL(20, 6)) AS cost_usd
FROM gold.cost_by_tag_daily
GROUP BY tag_key, tag_value
ORDER BY tag_key, cost_usd DESC NULLS LAST, tag_value
