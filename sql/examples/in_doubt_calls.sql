-- Which calls are in doubt: admitted, but never known to have ended?
SELECT
    invocation_id,
    event_time,
    team,
    requester,
    endpoint_name,
    destination_model,
    deadline
FROM silver.invocations
WHERE invocation_state = 'in_doubt'
ORDER BY event_time DESC, invocation_id
