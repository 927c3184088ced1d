-- What does each cost center spend a day?
SELECT
    event_date,
    cost_center,
    sum(calls) AS calls,
    CAST(sum(cost_usd) AS DECIMAL(20, 6)) AS cost_usd
FROM gold.cost_attribution_daily
GROUP BY event_date, cost_center
ORDER BY event_date, cost_center
