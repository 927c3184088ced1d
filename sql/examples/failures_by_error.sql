-- What fails, with which status and error, and whom does it hit?
SELECT
    status_code,
    error_code,
    provider,
    count(*) AS calls,
    count(DISTINCT requester) AS requesters,
    max(event_time) AS last_seen
FROM silver.invocations
WHERE outcome IN ('failed', 'rejected', 'cut')
GROUP BY status_code, error_code, provider
ORDER BY calls DESC, status_code, error_code, provider
