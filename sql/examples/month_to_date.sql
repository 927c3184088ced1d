-- What has been spent this month so far, by team, up to the newest day in the lake?
WITH newest AS (
    SELECT max(event_date) AS event_date
    FROM gold.cost_attribution_daily
)

SELECT
    d.team,
    trunc(n.event_date, 'MM') AS month_start,
    n.event_date AS up_to,
    CAST(sum(d.cost_usd) AS DECIMAL(20, 6)) AS cost_usd,
    sum(d.unpriced_attempts) AS unpriced_attempts
FROM gold.cost_attribution_daily AS d
CROSS JOIN newest AS n
WHERE d.event_date BETWEEN trunc(n.event_date, 'MM') AND n.event_date
GROUP BY d.team, n.event_date
ORDER BY cost_usd DESC NULLS LAST, d.team
