-- How does the spend of the last seven days compare with the seven before, by team?
WITH newest AS (
    SELECT max(event_date) AS event_date
    FROM gold.cost_attribution_daily
),

weeks AS (
    SELECT
        d.team,
        CAST(sum(CASE WHEN datediff(n.event_date, d.event_date) < 7 THEN d.cost_usd END) AS DECIMAL(20, 6)) AS this_week_usd,
        CAST(sum(CASE WHEN datediff(n.event_date, d.event_date) >= 7 THEN d.cost_usd END) AS DECIMAL(20, 6)) AS last_week_usd
    FROM gold.cost_attribution_daily AS d
    CROSS JOIN newest AS n
    WHERE datediff(n.event_date, d.event_date) BETWEEN 0 AND 13
    GROUP BY d.team
)

SELECT
    team,
    this_week_usd,
    last_week_usd,
    round(CAST(100 AS DOUBLE) * (this_week_usd - last_week_usd) / nullif(last_week_usd, 0), 1) AS change_percent
FROM weeks
ORDER BY this_week_usd DESC NULLS LAST, team
