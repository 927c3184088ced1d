-- Who are the ten heaviest users?
SELECT
    requester,
    requester_type,
    count(*) AS calls,
    sum(total_tokens) AS total_tokens,
    count(DISTINCT destination_model) AS models,
    max(event_time) AS last_call
FROM system.ai_gateway.usage
GROUP BY requester, requester_type
ORDER BY total_tokens DESC NULLS LAST, requester
LIMIT 10
