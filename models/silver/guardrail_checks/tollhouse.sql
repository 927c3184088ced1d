WITH parsed AS (
  SELECT
    ingest_sequence,
    source AS log_source,
    from_json(
      coalesce(normalized_text, raw_text),
      'event_id STRING, event_type STRING, event_time STRING, invocation_id STRING,
       guardrail STRUCT<guardrail_name: STRING, phase: STRING, mode: STRING, verdict: STRING, category: STRING,
       score: STRING, entity_counts: MAP<STRING, STRING>, latency_ms: STRING, detail: STRING>'
    ) AS r
  FROM bronze.raw_records
  WHERE record_kind = 'EVENT'
)
SELECT
  r.event_id AS check_id,
  CAST(try_cast(r.event_time AS TIMESTAMP) AS DATE) AS event_date,
  ingest_sequence,
  try_cast(r.event_time AS TIMESTAMP) AS event_time,
  r.invocation_id AS invocation_id,
  log_source,
  r.guardrail.guardrail_name AS guardrail_name,
  'tollhouse' AS guardrail_provider,
  r.guardrail.phase AS phase,
  r.guardrail.mode AS mode,
  r.guardrail.verdict AS verdict,
  r.guardrail.category AS category,
  try_cast(r.guardrail.score AS DOUBLE) AS score,
  map_from_entries(transform(
    map_entries(r.guardrail.entity_counts), e -> named_struct('key', e.key, 'value', try_cast(e.value AS BIGINT))
  )) AS entity_counts,
  try_cast(r.guardrail.latency_ms AS BIGINT) AS latency_ms,
  r.guardrail.detail AS detail
FROM parsed
WHERE r.event_type = 'guardrail'
