-- What does an agent's session cost, and how many calls is it?
SELECT
    client_kind,
    session_id,
    min(event_time) AS started_at,
    timestampdiff(SECOND, min(event_time), max(event_time)) AS duration_s,
    count(DISTINCT invocation_id) AS calls,
    CAST(sum(cost_usd) AS DECIMAL(20, 6)) AS cost_usd
FROM gold.costs
WHERE session_id IS NOT NULL
GROUP BY client_kind, session_id
ORDER BY cost_usd DESC NULLS LAST, session_id
LIMIT 25
