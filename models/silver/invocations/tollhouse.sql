-- Tollhouse's own records: ADMIT, ATTEMPT and OUTCOME each carry the whole call, so one record makes one row.
-- Which record speaks for a call is decided by key before any JSON is parsed: half the log is ADMIT records.
WITH speaking AS (
  SELECT coalesce(max(CASE WHEN record_kind = 'OUTCOME' THEN ingest_sequence END), max(ingest_sequence)) AS ingest_sequence
  FROM bronze.raw_records
  WHERE record_kind IN ('ADMIT', 'ATTEMPT', 'OUTCOME')
  GROUP BY coalesce(record_key, CAST(ingest_sequence AS STRING))
),
parsed AS (
  SELECT
    b.ingest_sequence,
    b.ingest_date,
    b.ingested_at,
    b.source AS log_source,
    b.format AS log_format,
    b.record_kind,
    b.record_key,
    b.spool_id,
    b.spool_segment,
    from_json(
      coalesce(b.normalized_text, b.raw_text),
      'invocation_id STRING, request_id STRING, event_time STRING, source STRING, parent_invocation_id STRING,
       requester STRING, requester_type STRING, auth_mode STRING, key_id STRING, team STRING, groups ARRAY<STRING>,
       cost_center STRING, project STRING, ip_address STRING, user_agent STRING, client_kind STRING, session_id STRING,
       turn_id STRING, trace_id STRING, span_id STRING, service_type STRING, endpoint_name STRING,
       endpoint_tags MAP<STRING, STRING>, api_type STRING, method STRING, path STRING, query STRING,
       requested_model STRING, is_stream STRING, request_tags MAP<STRING, STRING>, deadline STRING, config_hash STRING,
       request_bytes STRING, destination STRUCT<destination_name: STRING, destination_id: STRING,
       destination_type: STRING, destination_model: STRING, provider: STRING>,
       outcome STRING, status_code STRING, latency_ms STRING, time_to_first_byte_ms STRING, queue_ms STRING,
       upstream_ms STRING, finish_reason STRING, error_code STRING, error_message STRING, response_bytes STRING,
       response_content_type STRING, payload_state STRING, redaction_count STRING, translation_losses ARRAY<STRING>,
       attempts ARRAY<STRUCT<attempt_number: STRING, action: STRING, destination_name: STRING, destination_id: STRING,
       destination_type: STRING, destination_model: STRING, provider: STRING, response_model: STRING,
       start_time: STRING, latency_ms: STRING, time_to_first_byte_ms: STRING, status_code: STRING, error_code: STRING,
       service_tier: STRING, is_batch: STRING, is_not_billable: STRING, is_usage_partial: STRING,
       estimated_input_tokens: STRING, estimated_output_tokens: STRING, usage_format: STRING, usage: STRING,
       provider_request_id: STRING>>'
    ) AS r
  FROM bronze.raw_records AS b
  LEFT SEMI JOIN speaking AS s ON b.ingest_sequence = s.ingest_sequence
),
-- An open call has made the upstream call that its ADMIT announces.
called AS (
  SELECT
    *,
    try_cast(r.event_time AS TIMESTAMP) AS event_time,
    coalesce(
      r.attempts,
      CASE
        WHEN record_kind = 'ADMIT' AND r.destination.destination_name IS NOT NULL THEN array(named_struct(
          'attempt_number', '1', 'action', 'INITIAL_ATTEMPT', 'destination_name', r.destination.destination_name,
          'destination_id', r.destination.destination_id, 'destination_type', r.destination.destination_type,
          'destination_model', r.destination.destination_model, 'provider', r.destination.provider,
          'response_model', CAST(NULL AS STRING), 'start_time', r.event_time, 'latency_ms', CAST(NULL AS STRING),
          'time_to_first_byte_ms', CAST(NULL AS STRING), 'status_code', CAST(NULL AS STRING),
          'error_code', CAST(NULL AS STRING), 'service_tier', CAST(NULL AS STRING), 'is_batch', CAST(NULL AS STRING),
          'is_not_billable', CAST(NULL AS STRING), 'is_usage_partial', CAST(NULL AS STRING),
          'estimated_input_tokens', CAST(NULL AS STRING), 'estimated_output_tokens', CAST(NULL AS STRING),
          'usage_format', CAST(NULL AS STRING), 'usage', CAST(NULL AS STRING), 'provider_request_id', CAST(NULL AS STRING)
        ))
      END,
      array()
    ) AS raw_attempts
  FROM parsed
),
-- The provider's usage object, all four shapes in one schema.
with_usage AS (
  SELECT
    *,
    transform(raw_attempts, a -> named_struct('a', a, 'u', from_json(
      a.usage,
      'prompt_tokens STRING, completion_tokens STRING, input_tokens STRING, output_tokens STRING,
       prompt_tokens_details STRUCT<cached_tokens: STRING, cache_write_tokens: STRING, audio_tokens: STRING>,
       completion_tokens_details STRUCT<reasoning_tokens: STRING, audio_tokens: STRING>,
       input_tokens_details STRUCT<cached_tokens: STRING, cache_write_tokens: STRING,
         cache_write_tokens_details: STRUCT<ttl_30m_tokens: STRING, ttl_12h_tokens: STRING>>,
       output_tokens_details STRUCT<reasoning_tokens: STRING, thinking_tokens: STRING>,
       cache_creation_input_tokens STRING, cache_read_input_tokens STRING,
       cache_creation STRUCT<ephemeral_5m_input_tokens: STRING, ephemeral_1h_input_tokens: STRING>,
       server_tool_use STRUCT<web_search_requests: STRING>, service_tier STRING, speed STRING,
       promptTokenCount STRING, cachedContentTokenCount STRING, candidatesTokenCount STRING,
       thoughtsTokenCount STRING, toolUsePromptTokenCount STRING, serviceTier STRING'
    ))) AS used
  FROM called
),
-- What each provider counts, in words that all share: input and output are totals, the rest are parts of them.
counted AS (
  SELECT
    *,
    transform(used, x -> named_struct(
      'a', x.a,
      'u', x.u,
      'texts', CASE
        WHEN x.a.usage_format IN ('openai_chat', 'openai_embeddings') THEN array(
          x.u.prompt_tokens, x.u.prompt_tokens_details.cached_tokens, x.u.prompt_tokens_details.cache_write_tokens,
          '0', coalesce(x.u.completion_tokens, CASE WHEN x.a.usage_format = 'openai_embeddings' THEN '0' END),
          x.u.completion_tokens_details.reasoning_tokens, '0', x.u.prompt_tokens_details.audio_tokens,
          x.u.completion_tokens_details.audio_tokens)
        WHEN x.a.usage_format = 'openai_responses' THEN array(
          x.u.input_tokens, x.u.input_tokens_details.cached_tokens, x.u.input_tokens_details.cache_write_tokens,
          x.u.input_tokens_details.cache_write_tokens_details.ttl_12h_tokens, x.u.output_tokens,
          x.u.output_tokens_details.reasoning_tokens, '0', '0', '0')
        WHEN x.a.usage_format = 'anthropic_messages' THEN array(
          x.u.input_tokens, x.u.cache_read_input_tokens, x.u.cache_creation_input_tokens,
          x.u.cache_creation.ephemeral_1h_input_tokens, x.u.output_tokens, x.u.output_tokens_details.thinking_tokens,
          '0', '0', '0')
        WHEN x.a.usage_format = 'gemini' THEN array(
          coalesce(x.u.promptTokenCount, '0'), x.u.cachedContentTokenCount, '0', '0',
          coalesce(x.u.candidatesTokenCount, '0'), x.u.thoughtsTokenCount, x.u.toolUsePromptTokenCount, '0', '0')
      END
    )) AS counts
  FROM with_usage
),
numbered AS (
  SELECT
    *,
    transform(counts, x -> named_struct(
      'a', x.a,
      'u', x.u,
      'is_present', x.a.usage IS NOT NULL AND x.texts IS NOT NULL,
      'is_text_valid', coalesce(size(filter(x.texts, t -> t IS NOT NULL AND NOT t RLIKE '^[0-9]{1,15}$')) = 0, FALSE)
        AND coalesce(x.texts[0], x.texts[4]) IS NOT NULL,
      'input', coalesce(try_cast(x.texts[0] AS BIGINT), 0) + coalesce(try_cast(x.texts[6] AS BIGINT), 0),
      'cache_read', coalesce(try_cast(x.texts[1] AS BIGINT), 0),
      'cache_write', coalesce(try_cast(x.texts[2] AS BIGINT), 0),
      'cache_write_1h', coalesce(try_cast(x.texts[3] AS BIGINT), 0),
      'output', coalesce(try_cast(x.texts[4] AS BIGINT), 0)
        + CASE WHEN x.a.usage_format = 'gemini' THEN coalesce(try_cast(x.texts[5] AS BIGINT), 0) ELSE 0 END,
      'reasoning', coalesce(try_cast(x.texts[5] AS BIGINT), 0),
      'audio_input', coalesce(try_cast(x.texts[7] AS BIGINT), 0),
      'audio_output', coalesce(try_cast(x.texts[8] AS BIGINT), 0),
      'estimated_input', try_cast(x.a.estimated_input_tokens AS BIGINT),
      'estimated_output', try_cast(x.a.estimated_output_tokens AS BIGINT)
    )) AS numbers
  FROM counted
),
bucketed AS (
  SELECT
    *,
    transform(numbers, x -> named_struct(
      'x', x,
      'uncached', x.input - x.audio_input
        - CASE WHEN x.a.usage_format = 'anthropic_messages' THEN 0 ELSE x.cache_read + x.cache_write END,
      'write_5m', x.cache_write - x.cache_write_1h,
      'visible', x.output - x.reasoning - x.audio_output
    )) AS buckets
  FROM numbered
),
judged AS (
  SELECT
    *,
    transform(buckets, b -> named_struct(
      'b', b,
      'x', b.x,
      'a', b.x.a,
      'is_valid', b.x.is_present AND b.x.is_text_valid AND b.uncached >= 0 AND b.write_5m >= 0 AND b.visible >= 0,
      'is_estimated', NOT b.x.is_present AND coalesce(b.x.estimated_input, b.x.estimated_output) IS NOT NULL
    )) AS judgements
  FROM bucketed
),
typed AS (
  SELECT
    *,
    size(filter(judgements, j -> j.x.is_present AND NOT j.is_valid)) AS invalid_usages,
    transform(judgements, j -> named_struct(
      'attempt_number', try_cast(j.a.attempt_number AS INT),
      'action', j.a.action,
      'destination_name', j.a.destination_name,
      'destination_id', j.a.destination_id,
      'destination_type', j.a.destination_type,
      'destination_model', j.a.destination_model,
      'provider', j.a.provider,
      'response_model', j.a.response_model,
      'start_time', try_cast(j.a.start_time AS TIMESTAMP),
      'latency_ms', try_cast(j.a.latency_ms AS BIGINT),
      'time_to_first_byte_ms', try_cast(j.a.time_to_first_byte_ms AS BIGINT),
      'status_code', try_cast(j.a.status_code AS INT),
      'error_code', j.a.error_code,
      'service_tier', coalesce(j.a.service_tier, CASE WHEN j.x.u.speed = 'fast' THEN 'fast' END, j.x.u.service_tier, j.x.u.serviceTier),
      'is_batch', coalesce(j.a.is_batch = 'true', FALSE),
      'is_billable', NOT coalesce(j.a.is_not_billable = 'true', FALSE),
      'usage_source', CASE
        WHEN j.is_valid AND coalesce(j.a.is_usage_partial = 'true', FALSE) THEN 'partial'
        WHEN j.is_valid THEN 'provider'
        WHEN j.is_estimated THEN 'estimated'
        ELSE 'none'
      END,
      'uncached_input_tokens', CASE WHEN j.is_valid THEN j.b.uncached WHEN j.is_estimated THEN coalesce(j.x.estimated_input, 0) END,
      'cache_read_input_tokens', CASE WHEN j.is_valid THEN j.x.cache_read WHEN j.is_estimated THEN 0 END,
      'cache_write_5m_input_tokens', CASE WHEN j.is_valid THEN j.b.write_5m WHEN j.is_estimated THEN 0 END,
      'cache_write_1h_input_tokens', CASE WHEN j.is_valid THEN j.x.cache_write_1h WHEN j.is_estimated THEN 0 END,
      'visible_output_tokens', CASE WHEN j.is_valid THEN j.b.visible WHEN j.is_estimated THEN coalesce(j.x.estimated_output, 0) END,
      'reasoning_output_tokens', CASE WHEN j.is_valid THEN j.x.reasoning WHEN j.is_estimated THEN 0 END,
      'other_usage', map_from_entries(filter(
        array(
          named_struct('key', 'audio_input_tokens', 'value', CAST(j.x.audio_input AS DECIMAL(17, 3))),
          named_struct('key', 'audio_output_tokens', 'value', CAST(j.x.audio_output AS DECIMAL(17, 3))),
          named_struct('key', 'web_search_requests', 'value', CAST(try_cast(j.x.u.server_tool_use.web_search_requests AS BIGINT) AS DECIMAL(17, 3)))
        ),
        e -> j.is_valid AND e.value > 0
      )),
      'usage', j.a.usage,
      'provider_request_id', j.a.provider_request_id
    )) AS attempts
  FROM judged
),
final AS (
  SELECT *, try_element_at(attempts, -1) AS last FROM typed
)
SELECT
  r.invocation_id AS invocation_id,
  coalesce(CAST(event_time AS DATE), DATE '1970-01-01') AS event_date,
  event_time,
  CASE WHEN record_kind = 'OUTCOME' THEN 'final' ELSE 'pending' END AS invocation_state,
  r.outcome AS outcome,
  r.request_id AS request_id,
  r.parent_invocation_id AS parent_invocation_id,
  coalesce(r.source, 'client') AS source,
  log_source,
  log_format,
  record_key AS source_record_key,
  ingest_sequence,
  ingest_date,
  CAST(0 AS BIGINT) AS change_sequence,
  coalesce(
    event_time < TIMESTAMP '2015-01-01 00:00:00Z' OR event_time >= TIMESTAMP '2100-01-01 00:00:00Z'
    OR event_time > timestampadd(DAY, 1, ingested_at), FALSE
  ) AS is_time_suspect,
  filter(
    array(CASE WHEN invalid_usages > 0 THEN 'usage_invalid:attempts' END), i -> i IS NOT NULL
  ) AS data_issues,
  try_cast(r.deadline AS TIMESTAMP) AS deadline,
  spool_id,
  spool_segment,
  r.requester AS requester,
  r.requester_type AS requester_type,
  r.auth_mode AS auth_mode,
  r.key_id AS key_id,
  coalesce(r.team, 'unattributed') AS team,
  coalesce(r.groups, array()) AS groups,
  coalesce(r.cost_center, 'unattributed') AS cost_center,
  coalesce(r.project, 'unattributed') AS project,
  CAST(NULL AS STRING) AS end_user,
  r.ip_address AS ip_address,
  r.user_agent AS user_agent,
  r.client_kind AS client_kind,
  r.session_id AS session_id,
  r.turn_id AS turn_id,
  r.trace_id AS trace_id,
  r.span_id AS span_id,
  r.service_type AS service_type,
  r.endpoint_name AS endpoint_name,
  r.endpoint_tags AS endpoint_tags,
  r.api_type AS api_type,
  r.method AS method,
  concat(r.path, coalesce(concat('?', r.query), '')) AS url,
  r.requested_model AS requested_model,
  coalesce(r.is_stream = 'true', FALSE) AS is_stream,
  r.request_tags AS request_tags,
  coalesce(last.destination_type, r.destination.destination_type) AS destination_type,
  coalesce(last.destination_name, r.destination.destination_name) AS destination_name,
  coalesce(last.destination_id, r.destination.destination_id) AS destination_id,
  coalesce(last.destination_model, r.destination.destination_model) AS destination_model,
  coalesce(last.provider, r.destination.provider) AS provider,
  last.response_model AS response_model,
  try_cast(r.status_code AS INT) AS status_code,
  r.error_code AS error_code,
  r.error_message AS error_message,
  r.finish_reason AS finish_reason,
  try_cast(r.latency_ms AS BIGINT) AS latency_ms,
  try_cast(r.time_to_first_byte_ms AS BIGINT) AS time_to_first_byte_ms,
  try_cast(r.queue_ms AS BIGINT) AS queue_ms,
  try_cast(r.upstream_ms AS BIGINT) AS upstream_ms,
  try_cast(r.request_bytes AS BIGINT) AS request_bytes,
  try_cast(r.response_bytes AS BIGINT) AS response_bytes,
  r.response_content_type AS response_content_type,
  coalesce(last.usage_source, 'none') AS usage_source,
  last.uncached_input_tokens AS uncached_input_tokens,
  last.cache_read_input_tokens AS cache_read_input_tokens,
  last.cache_write_5m_input_tokens AS cache_write_5m_input_tokens,
  last.cache_write_1h_input_tokens AS cache_write_1h_input_tokens,
  last.visible_output_tokens AS visible_output_tokens,
  last.reasoning_output_tokens AS reasoning_output_tokens,
  last.uncached_input_tokens + last.cache_read_input_tokens
    + last.cache_write_5m_input_tokens + last.cache_write_1h_input_tokens AS input_tokens,
  last.visible_output_tokens + last.reasoning_output_tokens AS output_tokens,
  last.uncached_input_tokens + last.cache_read_input_tokens + last.cache_write_5m_input_tokens
    + last.cache_write_1h_input_tokens + last.visible_output_tokens + last.reasoning_output_tokens AS total_tokens,
  last.other_usage AS other_usage,
  last.service_tier AS service_tier,
  coalesce(last.is_batch, FALSE) AS is_batch,
  coalesce(last.is_billable, TRUE) AS is_billable,
  CAST(NULL AS DECIMAL(20, 12)) AS reported_cost_usd,
  CAST(size(attempts) AS INT) AS attempt_count,
  attempts,
  CAST(NULL AS STRUCT<json_rpc_method: STRING, tool_name: STRING, server_type: STRING, client_name: STRING>) AS mcp_metadata,
  CASE WHEN record_kind = 'OUTCOME' THEN coalesce(r.payload_state, 'logged') END AS payload_state,
  coalesce(try_cast(r.redaction_count AS BIGINT), 0) AS redaction_count,
  r.translation_losses AS translation_losses,
  r.config_hash AS config_hash,
  CASE
    WHEN r.invocation_id IS NULL OR NOT r.invocation_id RLIKE '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
      THEN concat('invocation_id is not a UUIDv7: ', coalesce(r.invocation_id, 'missing'))
    WHEN event_time IS NULL THEN concat('event_time is not a time: ', coalesce(r.event_time, 'missing'))
  END AS rejection_reason
FROM final
