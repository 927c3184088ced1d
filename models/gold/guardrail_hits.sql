SELECT
  c.check_id, c.event_date, c.event_time, c.invocation_id, c.log_source,
  c.guardrail_name, c.guardrail_provider, c.phase, c.mode, c.verdict,
  c.mode = 'enforce' AND c.verdict IN ('mask', 'block') AS is_enforced,
  c.category, c.score, c.entity_counts, c.latency_ms,
  i.requester,
  COALESCE(i.team, 'unattributed') AS team,
  COALESCE(i.cost_center, 'unattributed') AS cost_center,
  COALESCE(i.project, 'unattributed') AS project,
  i.endpoint_name, i.provider, i.destination_model, i.session_id, i.source, i.outcome
FROM silver.guardrail_checks AS c
LEFT JOIN silver.invocations AS i ON i.invocation_id = c.invocation_id
WHERE c.verdict IN ('flag', 'mask', 'block')
