-- Which calls fell back to another destination, and did that help?
SELECT
    endpoint_name,
    first_destination,
    destination_name AS last_destination,
    count(*) AS calls,
    count_if(outcome = 'completed') AS rescued
FROM (
    SELECT
        endpoint_name,
        destination_name,
        outcome,
        get(attempts, 0).destination_name AS first_destination
    FROM silver.invocations
    WHERE attempt_count > 1 AND exists(attempts, a -> a.action = 'FALLBACK')
) AS fallen
GROUP BY endpoint_name, first_destination, destination_name
ORDER BY calls DESC, endpoint_name, first_destination, last_destination
