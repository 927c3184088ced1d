-- Which prompts mention a word, and what was answered?
SELECT
    i.event_time,
    i.requester,
    i.destination_model,
    substring(p.prompt_text, 1, 200) AS prompt,
    substring(p.completion_text, 1, 200) AS completion
FROM silver.payloads AS p
INNER JOIN silver.invocations AS i ON i.invocation_id = p.invocation_id AND i.event_date = p.event_date
WHERE lower(p.prompt_text) LIKE '%invoice%'
ORDER BY i.event_time DESC, i.invocation_id
LIMIT 20
