-- Which guardrails hit whom, and was the call stopped?
SELECT
    guardrail_name,
    phase,
    verdict,
    team,
    count(*) AS hits,
    count_if(is_enforced) AS enforced,
    count(DISTINCT requester) AS requesters
FROM gold.guardrail_hits
GROUP BY guardrail_name, phase, verdict, team
ORDER BY hits DESC, guardrail_name, phase, verdict, team
