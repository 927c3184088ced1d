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
-- One row an attempt, and one for a call that made none: flat columns are many times quicker than lambdas over structs.
-- The provider's usage object is read with all four shapes in one schema.
exploded AS (
  SELECT
    *,
    size(raw_attempts) AS attempt_total,
    try_element_at(raw_attempts, -1).attempt_number AS last_number,
    explode(CASE WHEN size(raw_attempts) = 0 THEN array(NULL) ELSE raw_attempts END) AS a
  FROM called
),
made AS (
  SELECT *, from_json(
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
  ) AS u
  FROM exploded
),
-- What each provider counts, in words that all share: input and output are totals, the rest are parts of them.
counted AS (
  SELECT
    *,
    CASE
      WHEN a.usage_format IN ('openai_chat', 'openai_embeddings') THEN u.prompt_tokens
      WHEN a.usage_format = 'gemini' THEN coalesce(u.promptTokenCount, '0')
      ELSE u.input_tokens
    END AS input_text,
    CASE WHEN a.usage_format = 'gemini' THEN u.toolUsePromptTokenCount END AS tool_input_text,
    CASE
      WHEN a.usage_format IN ('openai_chat', 'openai_embeddings') THEN u.prompt_tokens_details.cached_tokens
      WHEN a.usage_format = 'openai_responses' THEN u.input_tokens_details.cached_tokens
      WHEN a.usage_format = 'anthropic_messages' THEN u.cache_read_input_tokens
      WHEN a.usage_format = 'gemini' THEN u.cachedContentTokenCount
    END AS cache_read_text,
    CASE
      WHEN a.usage_format IN ('openai_chat', 'openai_embeddings') THEN u.prompt_tokens_details.cache_write_tokens
      WHEN a.usage_format = 'openai_responses' THEN u.input_tokens_details.cache_write_tokens
      WHEN a.usage_format = 'anthropic_messages' THEN u.cache_creation_input_tokens
    END AS cache_write_text,
    CASE
      WHEN a.usage_format = 'openai_responses' THEN u.input_tokens_details.cache_write_tokens_details.ttl_12h_tokens
      WHEN a.usage_format = 'anthropic_messages' THEN u.cache_creation.ephemeral_1h_input_tokens
    END AS cache_write_1h_text,
    CASE
      WHEN a.usage_format = 'openai_chat' THEN u.completion_tokens
      WHEN a.usage_format = 'openai_embeddings' THEN coalesce(u.completion_tokens, '0')
      WHEN a.usage_format = 'gemini' THEN coalesce(u.candidatesTokenCount, '0')
      ELSE u.output_tokens
    END AS output_text,
    CASE
      WHEN a.usage_format IN ('openai_chat', 'openai_embeddings') THEN u.completion_tokens_details.reasoning_tokens
      WHEN a.usage_format = 'openai_responses' THEN u.output_tokens_details.reasoning_tokens
      WHEN a.usage_format = 'anthropic_messages' THEN u.output_tokens_details.thinking_tokens
      WHEN a.usage_format = 'gemini' THEN u.thoughtsTokenCount
    END AS reasoning_text,
    CASE WHEN a.usage_format = 'openai_chat' THEN u.prompt_tokens_details.audio_tokens END AS audio_input_text,
    CASE WHEN a.usage_format = 'openai_chat' THEN u.completion_tokens_details.audio_tokens END AS audio_output_text,
    coalesce(a.usage, 'null') <> 'null' AND a.usage_format IS NOT NULL AS has_usage,
    coalesce(a.usage RLIKE '(_tokens|TokenCount)" *: *"[0-9]', FALSE) AS has_text_number
  FROM made
),
-- Missing parts are 0; a part that is no number of up to 15 digits makes the whole usage invalid.
numbered AS (
  SELECT
    *,
    coalesce(try_cast(input_text AS BIGINT), 0) + coalesce(try_cast(tool_input_text AS BIGINT), 0) AS input_count,
    coalesce(try_cast(cache_read_text AS BIGINT), 0) AS cache_read_count,
    coalesce(try_cast(cache_write_text AS BIGINT), 0) AS cache_write_count,
    coalesce(try_cast(cache_write_1h_text AS BIGINT), 0) AS cache_write_1h_count,
    coalesce(try_cast(output_text AS BIGINT), 0)
      + CASE WHEN a.usage_format = 'gemini' THEN coalesce(try_cast(reasoning_text AS BIGINT), 0) ELSE 0 END AS output_count,
    coalesce(try_cast(reasoning_text AS BIGINT), 0) AS reasoning_count,
    coalesce(try_cast(audio_input_text AS BIGINT), 0) AS audio_input_count,
    coalesce(try_cast(audio_output_text AS BIGINT), 0) AS audio_output_count,
    try_cast(a.estimated_input_tokens AS BIGINT) AS estimated_input,
    try_cast(a.estimated_output_tokens AS BIGINT) AS estimated_output,
    has_usage AND coalesce(input_text, output_text) IS NOT NULL AND concat_ws(
      ' ', input_text, tool_input_text, cache_read_text, cache_write_text, cache_write_1h_text, output_text,
      reasoning_text, audio_input_text, audio_output_text
    ) RLIKE '^[0-9]{1,15}( [0-9]{1,15})*$' AS is_readable
  FROM counted
),
bucketed AS (
  SELECT
    *,
    input_count - audio_input_count
      - CASE WHEN a.usage_format = 'anthropic_messages' THEN 0 ELSE cache_read_count + cache_write_count END AS uncached_count,
    cache_write_count - cache_write_1h_count AS cache_write_5m_count,
    output_count - reasoning_count - audio_output_count AS visible_count
  FROM numbered
),
judged AS (
  SELECT
    *,
    is_readable AND uncached_count >= 0 AND cache_write_5m_count >= 0 AND visible_count >= 0 AS is_valid,
    NOT has_usage AND coalesce(estimated_input, estimated_output) IS NOT NULL AS is_estimated
  FROM bucketed
),
typed AS (
  SELECT
    *,
    named_struct(
      'attempt_number', try_cast(a.attempt_number AS INT),
      'action', a.action,
      'destination_name', a.destination_name,
      'destination_id', a.destination_id,
      'destination_type', a.destination_type,
      'destination_model', a.destination_model,
      'provider', a.provider,
      'response_model', a.response_model,
      'start_time', try_cast(a.start_time AS TIMESTAMP),
      'latency_ms', try_cast(a.latency_ms AS BIGINT),
      'time_to_first_byte_ms', try_cast(a.time_to_first_byte_ms AS BIGINT),
      'status_code', try_cast(a.status_code AS INT),
      'error_code', a.error_code,
      'service_tier', coalesce(a.service_tier, CASE WHEN u.speed = 'fast' THEN 'fast' END, u.service_tier, u.serviceTier),
      'is_batch', coalesce(a.is_batch = 'true', FALSE),
      'is_billable', NOT coalesce(a.is_not_billable = 'true', FALSE),
      'usage_source', CASE
        WHEN is_valid AND coalesce(a.is_usage_partial = 'true', FALSE) THEN 'partial'
        WHEN is_valid THEN 'provider'
        WHEN is_estimated THEN 'estimated'
        ELSE 'none'
      END,
      'uncached_input_tokens', CASE WHEN is_valid THEN uncached_count WHEN is_estimated THEN coalesce(estimated_input, 0) END,
      'cache_read_input_tokens', CASE WHEN is_valid THEN cache_read_count WHEN is_estimated THEN 0 END,
      'cache_write_5m_input_tokens', CASE WHEN is_valid THEN cache_write_5m_count WHEN is_estimated THEN 0 END,
      'cache_write_1h_input_tokens', CASE WHEN is_valid THEN cache_write_1h_count WHEN is_estimated THEN 0 END,
      'visible_output_tokens', CASE WHEN is_valid THEN visible_count WHEN is_estimated THEN coalesce(estimated_output, 0) END,
      'reasoning_output_tokens', CASE WHEN is_valid THEN reasoning_count WHEN is_estimated THEN 0 END,
      'other_usage', CASE
        WHEN audio_input_count + audio_output_count > 0 OR u.server_tool_use.web_search_requests IS NOT NULL THEN
          map_from_entries(filter(
            array(
              named_struct('key', 'audio_input_tokens', 'value', CAST(audio_input_count AS DECIMAL(17, 3))),
              named_struct('key', 'audio_output_tokens', 'value', CAST(audio_output_count AS DECIMAL(17, 3))),
              named_struct('key', 'web_search_requests',
                'value', CAST(try_cast(u.server_tool_use.web_search_requests AS BIGINT) AS DECIMAL(17, 3)))
            ),
            e -> e.value > 0
          ))
        ELSE CAST(map() AS MAP<STRING, DECIMAL(17, 3)>)
      END,
      'usage', a.usage,
      'provider_request_id', a.provider_request_id
    ) AS attempt,
    a.attempt_number <=> last_number AS is_last
  FROM judged
),
-- Few calls make more than one attempt: only theirs are gathered.
gathered AS (
  SELECT
    ingest_sequence AS call_sequence,
    collect_list(attempt) AS found,
    sum(CASE WHEN has_usage AND NOT is_valid THEN 1 ELSE 0 END) AS invalid_usages,
    sum(CASE WHEN has_text_number AND is_valid THEN 1 ELSE 0 END) AS text_numbers
  FROM typed
  WHERE attempt_total > 1
  GROUP BY ingest_sequence
),
ordered AS (
  SELECT
    call_sequence,
    invalid_usages,
    text_numbers,
    transform(
      sort_array(transform(found, f -> f.attempt_number)),
      n -> try_element_at(filter(found, f -> f.attempt_number = n), 1)
    ) AS attempts
  FROM gathered
),
final AS (
  SELECT
    t.*,
    t.attempt AS last,
    CASE
      WHEN t.attempt_total = 0 THEN filter(array(t.attempt), f -> f.attempt_number IS NOT NULL)
      WHEN t.attempt_total = 1 THEN array(t.attempt)
      ELSE o.attempts
    END AS attempts,
    CASE WHEN t.has_usage AND NOT t.is_valid THEN 1 ELSE 0 END + coalesce(o.invalid_usages, 0) AS invalid_usages,
    CASE WHEN t.has_text_number AND t.is_valid THEN 1 ELSE 0 END + coalesce(o.text_numbers, 0) AS text_numbers
  FROM typed AS t
  LEFT JOIN ordered AS o ON o.call_sequence = t.ingest_sequence
  WHERE t.is_last
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
    array(
      CASE WHEN invalid_usages > 0 THEN 'usage_invalid:attempts' END,
      CASE WHEN text_numbers > 0 THEN 'text_number:usage' END
    ),
    i -> i IS NOT NULL
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
