-- LiteLLM's SpendLogs rows: JSON members are text inside. docs/token-rules.md says how their tokens are read.
-- From `timed` on, the text is that of litellm.sql; tests/models/test_litellm.py holds the two together.
WITH records AS (
  SELECT
    ingest_sequence, ingest_date, ingested_at, source, format,
    coalesce(body_errors, CAST(array() AS ARRAY<STRING>)) AS body_errors,
    coalesce(nullif(record_key, ''), sha2(raw_text, 256)) AS native_key,
    coalesce(normalized_text, raw_text) AS text,
    from_json(coalesce(normalized_text, raw_text), 'STRUCT<
      request_id: STRING, session_id: STRING, litellm_call_id: STRING, call_type: STRING, api_key: STRING,
      spend: STRING, total_tokens: STRING, prompt_tokens: STRING, completion_tokens: STRING,
      startTime: STRING, endTime: STRING, request_duration_ms: STRING, completionStartTime: STRING,
      model: STRING, model_id: STRING, model_group: STRING, custom_llm_provider: STRING, user: STRING,
      metadata: STRING, cache_hit: STRING, request_tags: STRING, team_id: STRING, end_user: STRING,
      requester_ip_address: STRING, messages: STRING, response: STRING, proxy_server_request: STRING, status: STRING,
      mcp_namespaced_tool_name: STRING>') AS r
  FROM bronze.raw_records
),
members AS (
  SELECT
    ingest_sequence, ingest_date, ingested_at, source, format, body_errors, native_key, text, r,
    from_json(CASE WHEN r.metadata LIKE '{%' AND NOT array_contains(body_errors, 'metadata') THEN r.metadata END,
      'STRUCT<additional_usage_values: STRING, user_api_key: STRING, user_api_key_alias: STRING,
        user_api_key_team_id: STRING, user_api_key_team_alias: STRING, user_api_key_project_id: STRING,
        user_api_key_project_alias: STRING, user_api_key_user_id: STRING, user_api_key_user_email: STRING,
        user_api_key_request_route: STRING, spend_logs_metadata: MAP<STRING, STRING>, requester_ip_address: STRING,
        user_agent: STRING, requester_custom_headers: MAP<STRING, STRING>, litellm_call_id: STRING, status: STRING,
        requester_metadata: STRUCT<user_id: STRING>, mcp_tool_call_metadata: STRUCT<name: STRING, mcp_server_name: STRING>,
        error_information: STRUCT<error_code: STRING, error_class: STRING, llm_provider: STRING, error_message: STRING,
          error_provider_request_id: STRING>,
        status_fields: STRUCT<guardrail_status: STRING>, usage_object: STRING,
        cost_breakdown: STRUCT<service_tier: STRING>>') AS m,
    from_json(CASE WHEN r.response LIKE '{%' AND NOT array_contains(body_errors, 'response') THEN r.response END,
      'STRUCT<model: STRING, usage: STRING, service_tier: STRING, stop_reason: STRING, status: STRING,
        choices: ARRAY<STRUCT<finish_reason: STRING>>, candidates: ARRAY<STRUCT<finishReason: STRING>>>') AS response,
    from_json(CASE WHEN r.proxy_server_request LIKE '{%' AND NOT array_contains(body_errors, 'proxy_server_request')
      THEN r.proxy_server_request END, 'STRUCT<stream: STRING, service_tier: STRING>') AS request,
    from_json(CASE WHEN r.request_tags LIKE '[%' AND NOT array_contains(body_errors, 'request_tags')
      THEN r.request_tags END, 'ARRAY<STRING>') AS tags
  FROM records
),
logged AS (
  SELECT
    ingest_sequence, ingest_date, ingested_at, source, format, native_key, text,
    filter(body_errors, b -> NOT coalesce(CASE b WHEN 'messages' THEN r.messages WHEN 'response' THEN r.response END
      IN ('', 'redacted-by-litellm'), false)) AS body_errors,
    nullif(r.request_id, '') AS request_id, CAST(NULL AS STRING) AS trace_id, r.session_id,
    coalesce(r.litellm_call_id, m.litellm_call_id) AS call_id,
    coalesce(r.call_type, '') AS call_type, lower(coalesce(nullif(r.status, ''), m.status, '')) AS status,
    coalesce(m.status_fields.guardrail_status, '') AS guardrail_status,
    coalesce(lower(r.cache_hit) = 'true', false) AS is_cache_hit,
    lower(coalesce(request.stream, CASE WHEN nullif(r.completionStartTime, '') < r.endTime THEN 'true' END)) AS stream_text,
    nullif(r.custom_llm_provider, '') AS provider, nullif(r.model, '') AS model,
    nullif(r.model_group, '') AS model_group, nullif(r.model_id, '') AS model_id,
    'startTime' AS start_name, nullif(r.startTime, '') AS start_text, r.endTime AS end_text,
    r.completionStartTime AS first_text,
    try_cast(r.request_duration_ms AS DOUBLE) AS logged_latency_ms,
    'spend' AS cost_name, r.spend AS cost_text,
    r.prompt_tokens, r.completion_tokens, r.total_tokens,
    coalesce(m.usage_object, m.additional_usage_values, response.usage) AS usage_text,
    response.usage AS raw_usage_text,
    coalesce(m.cost_breakdown.service_tier, response.service_tier, request.service_tier) AS service_tier,
    nullif(response.model, '') AS response_model,
    coalesce(try_element_at(response.choices, 1).finish_reason, response.stop_reason,
      try_element_at(response.candidates, 1).finishReason, response.status) AS finish_reason,
    nullif(m.error_information.error_code, '') AS error_code, nullif(m.error_information.error_class, '') AS error_class,
    nullif(m.error_information.llm_provider, '') AS error_provider,
    nullif(m.error_information.error_message, '') AS error_message,
    m.error_information.error_provider_request_id AS provider_request_id,
    coalesce(nullif(r.api_key, ''), nullif(m.user_api_key, '')) AS key_hash,
    nullif(m.user_api_key_alias, '') AS key_alias,
    coalesce(nullif(m.user_api_key_user_id, ''), nullif(r.user, '')) AS user_id,
    nullif(m.user_api_key_user_email, '') AS user_email,
    coalesce(nullif(m.user_api_key_team_alias, ''), nullif(m.user_api_key_team_id, ''), nullif(r.team_id, '')) AS team,
    coalesce(nullif(m.user_api_key_project_alias, ''), nullif(m.user_api_key_project_id, '')) AS project,
    nullif(r.end_user, '') AS end_user,
    coalesce(nullif(r.end_user, ''), m.requester_metadata.user_id) AS session_hint,
    coalesce(nullif(r.requester_ip_address, ''), nullif(m.requester_ip_address, '')) AS ip_address,
    nullif(m.user_agent, '') AS user_agent,
    nullif(m.user_api_key_request_route, '') AS route,
    m.requester_custom_headers AS headers,
    coalesce(tags, CAST(array() AS ARRAY<STRING>)) AS tag_texts, m.spend_logs_metadata AS tag_map,
    coalesce(m.mcp_tool_call_metadata.name, nullif(r.mcp_namespaced_tool_name, '')) AS mcp_tool,
    m.mcp_tool_call_metadata.mcp_server_name AS mcp_server,
    coalesce(r.messages NOT IN ('', '{}', '[]', 'redacted-by-litellm')
      AND NOT r.messages LIKE '%"redacted-by-litellm"%', false)
      OR coalesce(r.response NOT IN ('', '{}', '[]', 'redacted-by-litellm')
        AND NOT r.response LIKE '%"redacted-by-litellm"%', false)
      OR coalesce(r.proxy_server_request LIKE '{"%', false) AS has_body
  FROM members
),
timed AS (
  SELECT *, element_at(times, 1) AS event_us, element_at(times, 2) AS end_us, element_at(times, 3) AS first_us
  FROM (
    SELECT *, transform(
      -- Epoch seconds with a fraction, or ISO 8601 with 'T' or a blank; without an offset it is UTC.
      array(start_text, end_text, first_text),
      t -> CASE
        WHEN t RLIKE '^[+-]?[0-9]{1,12}([.][0-9]+)?([eE][+]?[0-9]{1,2})?$'
          AND try_cast(t AS DOUBLE) BETWEEN -62104060800 AND 253370764799
          THEN CAST(try_cast(t AS DECIMAL(24, 6)) * 1000000 AS BIGINT)
        WHEN substring(t, 1, 4) BETWEEN '0002' AND '9998' AND t RLIKE concat(
          '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?',
          ' ?(Z|z|UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?$')
          THEN unix_micros(try_cast(concat(
            substring(t, 1, 10), ' ', regexp_extract(substring(t, 12), '^[0-9:]{8}([.][0-9]{1,6})?', 0),
            coalesce(nullif(regexp_extract(substring(t, 20), '[+-][0-9]{2}', 0), ''), '+00'), ':',
            coalesce(nullif(regexp_extract(substring(t, 20), '[+-][0-9]{2}:?([0-9]{2})$', 1), ''), '00')
          ) AS TIMESTAMP))
      END) AS times
    FROM logged
  )
),
identified AS (
  -- A UUIDv8: milliseconds of the event, then SHA-256 of source and native key, as in src/tollhouse/ids.py.
  SELECT *,
    CAST(CASE WHEN event_us IS NOT NULL THEN timestampadd(MICROSECOND, event_us, TIMESTAMP '1970-01-01 00:00:00') END
      AS TIMESTAMP) AS event_time,
    CASE WHEN is_in_range THEN to_date(timestampadd(MICROSECOND, event_us, TIMESTAMP '1970-01-01 00:00:00'))
      ELSE DATE '1970-01-01' END AS event_date,
    concat(substring(id_time, 1, 8), '-', substring(id_time, 9, 4), '-8', substring(id_hash, 1, 3),
      '-8', substring(id_hash, 4, 3), '-', substring(id_hash, 7, 12)) AS invocation_id
  FROM (
    SELECT *,
      lower(lpad(hex(CASE WHEN is_in_range THEN event_us DIV 1000 ELSE 0 END), 12, '0')) AS id_time,
      sha2(concat(source, chr(0), native_key), 256) AS id_hash
    FROM (
      SELECT *, coalesce(event_us >= 1420070400000000 AND event_us < 4102444800000000, false) AS is_in_range FROM timed
    )
  )
),
counted AS (
  SELECT *,
    filter(array(
      named_struct('name', 'prompt_tokens', 'text', prompt_tokens),
      named_struct('name', 'completion_tokens', 'text', completion_tokens),
      named_struct('name', 'total_tokens', 'text', total_tokens),
      named_struct('name', 'usage.prompt_tokens', 'text', coalesce(u.prompt_tokens, u.input_tokens)),
      named_struct('name', 'usage.completion_tokens', 'text', coalesce(u.completion_tokens, u.output_tokens)),
      named_struct('name', 'usage.total_tokens', 'text', u.total_tokens),
      named_struct('name', 'raw.input_tokens', 'text', raw.input_tokens),
      named_struct('name', 'cache_read_input_tokens', 'text', u.cache_read_input_tokens),
      named_struct('name', 'cached_tokens', 'text',
        coalesce(u.prompt_tokens_details.cached_tokens, u.input_tokens_details.cached_tokens)),
      named_struct('name', 'cache_creation_input_tokens', 'text', u.cache_creation_input_tokens),
      named_struct('name', 'cache_write_tokens', 'text',
        coalesce(u.prompt_tokens_details.cache_write_tokens, u.prompt_tokens_details.cache_creation_tokens,
          u.input_tokens_details.cache_write_tokens)),
      named_struct('name', 'ephemeral_5m_input_tokens', 'text',
        coalesce(u.prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens,
          u.cache_creation.ephemeral_5m_input_tokens)),
      named_struct('name', 'ephemeral_30m_input_tokens', 'text',
        u.prompt_tokens_details.cache_creation_token_details.ephemeral_30m_input_tokens),
      named_struct('name', 'ephemeral_1h_input_tokens', 'text',
        coalesce(u.prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens,
          u.cache_creation.ephemeral_1h_input_tokens)),
      named_struct('name', 'ephemeral_12h_input_tokens', 'text',
        u.prompt_tokens_details.cache_creation_token_details.ephemeral_12h_input_tokens),
      named_struct('name', 'reasoning_tokens', 'text',
        coalesce(u.completion_tokens_details.reasoning_tokens, u.output_tokens_details.reasoning_tokens,
          u.output_tokens_details.thinking_tokens)),
      named_struct('name', 'tool_use_tokens', 'text', u.prompt_tokens_details.tool_use_tokens),
      named_struct('name', 'prompt_tokens_details.audio_tokens', 'text', u.prompt_tokens_details.audio_tokens),
      named_struct('name', 'prompt_tokens_details.image_tokens', 'text', u.prompt_tokens_details.image_tokens),
      named_struct('name', 'prompt_tokens_details.video_tokens', 'text', u.prompt_tokens_details.video_tokens),
      named_struct('name', 'completion_tokens_details.audio_tokens', 'text', u.completion_tokens_details.audio_tokens),
      named_struct('name', 'completion_tokens_details.image_tokens', 'text', u.completion_tokens_details.image_tokens),
      named_struct('name', 'completion_tokens_details.video_tokens', 'text', u.completion_tokens_details.video_tokens)
    ), c -> c.text <> '') AS count_texts
  FROM (
    SELECT *,
      from_json(CASE WHEN usage_text LIKE '{%' THEN usage_text END, 'STRUCT<
        prompt_tokens: STRING, completion_tokens: STRING, total_tokens: STRING, input_tokens: STRING,
        output_tokens: STRING, cache_read_input_tokens: STRING, cache_creation_input_tokens: STRING,
        service_tier: STRING,
        cache_creation: STRUCT<ephemeral_5m_input_tokens: STRING, ephemeral_1h_input_tokens: STRING>,
        prompt_tokens_details: STRUCT<cached_tokens: STRING, cache_write_tokens: STRING, cache_creation_tokens: STRING,
          cache_creation_token_details: STRUCT<ephemeral_5m_input_tokens: STRING, ephemeral_30m_input_tokens: STRING,
            ephemeral_1h_input_tokens: STRING, ephemeral_12h_input_tokens: STRING>,
          audio_tokens: STRING, image_tokens: STRING, video_tokens: STRING, tool_use_tokens: STRING,
          web_search_requests: STRING, google_maps_grounding_requests: STRING, character_count: STRING,
          image_count: STRING, video_length_seconds: STRING, audio_length_seconds: STRING, query_count: STRING>,
        input_tokens_details: STRUCT<cached_tokens: STRING, cache_write_tokens: STRING>,
        completion_tokens_details: STRUCT<reasoning_tokens: STRING, audio_tokens: STRING, image_tokens: STRING,
          video_tokens: STRING>,
        output_tokens_details: STRUCT<reasoning_tokens: STRING, thinking_tokens: STRING>,
        server_tool_use: STRUCT<web_search_requests: STRING>>') AS u,
      from_json(CASE WHEN raw_usage_text LIKE '{%' THEN raw_usage_text END, 'STRUCT<input_tokens: STRING,
        cache_read_input_tokens: STRING, cache_creation_input_tokens: STRING>') AS raw
    FROM identified
  )
),
measured AS (
  SELECT *,
    coalesce(n['prompt_tokens'], n['usage.prompt_tokens']) AS logged_prompt,
    coalesce(n['completion_tokens'], n['usage.completion_tokens']) AS logged_completion,
    coalesce(n['total_tokens'], n['usage.total_tokens']) AS total,
    greatest(coalesce(n['cache_read_input_tokens'], 0), coalesce(n['cached_tokens'], 0)) AS cache_read,
    greatest(coalesce(n['cache_creation_input_tokens'], 0), coalesce(n['cache_write_tokens'], 0),
      coalesce(n['ephemeral_5m_input_tokens'], 0) + coalesce(n['ephemeral_30m_input_tokens'], 0)
        + coalesce(n['ephemeral_1h_input_tokens'], 0) + coalesce(n['ephemeral_12h_input_tokens'], 0)) AS cache_write,
    coalesce(n['ephemeral_1h_input_tokens'], 0) + coalesce(n['ephemeral_12h_input_tokens'], 0) AS cache_write_long,
    coalesce(n['reasoning_tokens'], 0) AS reasoning,
    coalesce(n['tool_use_tokens'], 0) AS tool_use,
    call_type IN ('call_mcp_tool', 'list_mcp_tools') AS is_mcp
  FROM (
    SELECT *,
      map_from_entries(transform(filter(count_texts, c -> c.text RLIKE '^[+]?[0-9]{1,15}([.]0+)?$'),
        c -> named_struct('key', c.name, 'value', CAST(regexp_extract(c.text, '[0-9]+', 0) AS BIGINT)))) AS n,
      filter(count_texts, c -> NOT c.text RLIKE '^[+]?[0-9]{1,15}([.]0+)?$') AS bad_counts
    FROM counted
  )
),
judged AS (
  -- LiteLLM counts caches into the prompt and reasoning into the completion; a raw provider count does not add up so.
  SELECT *,
    coalesce(cache_read + cache_write > 0 AND (
      cache_read + cache_write > prompt
      OR (n['raw.input_tokens'] = prompt
        AND coalesce(nullif(raw.cache_read_input_tokens, '0'), nullif(raw.cache_creation_input_tokens, '0')) IS NOT NULL)
      OR (total > prompt + completion AND total IN (prompt + completion + cache_read + cache_write,
        prompt + completion + cache_read + cache_write + reasoning))
      OR (total > prompt + completion AND call_type LIKE '%pass_through_endpoint%'
        AND total NOT IN (prompt + completion + reasoning, prompt + completion + tool_use,
          prompt + completion + reasoning + tool_use))), false) AS is_input_exclusive,
    reasoning > 0 AND coalesce(total <> prompt + completion, true)
      AND coalesce(reasoning > completion OR total IN (prompt + completion + reasoning,
        prompt + completion + reasoning + tool_use,
        prompt + completion + reasoning + cache_read + cache_write), false) AS is_output_exclusive,
    CASE WHEN total > prompt + completion AND total IN (prompt + completion + tool_use,
      prompt + completion + tool_use + reasoning) THEN tool_use ELSE 0 END AS extra_input,
    filter(transform(filter(array(
      named_struct('key', 'web_search_requests', 'text', coalesce(nullif(u.server_tool_use.web_search_requests, '0'),
        u.prompt_tokens_details.web_search_requests)),
      named_struct('key', 'google_maps_grounding_requests', 'text',
        u.prompt_tokens_details.google_maps_grounding_requests),
      named_struct('key', 'input_characters', 'text', u.prompt_tokens_details.character_count),
      named_struct('key', 'input_images', 'text', u.prompt_tokens_details.image_count),
      named_struct('key', 'input_video_seconds', 'text', u.prompt_tokens_details.video_length_seconds),
      named_struct('key', 'input_audio_seconds', 'text', u.prompt_tokens_details.audio_length_seconds),
      named_struct('key', 'rerank_search_requests', 'text', u.prompt_tokens_details.query_count)
    ), q -> q.text RLIKE '^[0-9]{1,13}([.][0-9]+)?$'),
      q -> named_struct('key', q.key, 'value', CAST(q.text AS DECIMAL(17, 3)))), q -> q.value > 0) AS quantities
  FROM (
    SELECT *,
      coalesce(logged_prompt, CASE WHEN total >= logged_completion THEN total - logged_completion END) AS prompt,
      coalesce(logged_completion, CASE WHEN total >= logged_prompt THEN total - logged_prompt END) AS completion
    FROM measured
  )
),
split AS (
  -- Tokens of sound, images and film have prices of their own: they leave the buckets for other_usage.
  SELECT *,
    CASE WHEN is_input_exclusive THEN prompt ELSE prompt - cache_read - cache_write END + extra_input AS uncached,
    CASE WHEN is_output_exclusive THEN completion WHEN completion > reasoning THEN completion - reasoning
      WHEN completion IS NOT NULL THEN 0 END AS visible,
    CASE WHEN is_output_exclusive OR completion > reasoning THEN reasoning ELSE completion END AS reasoned,
    coalesce(n['prompt_tokens_details.audio_tokens'], 0) AS audio_in,
    coalesce(n['prompt_tokens_details.image_tokens'], 0) AS image_in,
    coalesce(n['prompt_tokens_details.video_tokens'], 0) AS video_in,
    coalesce(n['completion_tokens_details.audio_tokens'], 0) AS audio_out,
    coalesce(n['completion_tokens_details.image_tokens'], 0) AS image_out,
    coalesce(n['completion_tokens_details.video_tokens'], 0) AS video_out,
    CASE
      WHEN prompt IS NULL AND completion IS NULL AND size(quantities) = 0 THEN 'none'
      WHEN coalesce(prompt, 0) + coalesce(completion, 0) + coalesce(total, 0) = 0 AND size(quantities) = 0
        AND (status = 'failure' OR u IS NULL) THEN 'none'
      WHEN status = 'failure' OR prompt IS NULL OR completion IS NULL THEN 'partial'
      ELSE 'provider'
    END AS usage_source
  FROM judged
),
bucketed AS (
  SELECT *,
    uncached - moved_in AS uncached_input_tokens,
    CASE WHEN prompt IS NOT NULL THEN cache_read END AS cache_read_input_tokens,
    CASE WHEN prompt IS NOT NULL THEN cache_write - least(cache_write_long, cache_write) END AS cache_write_5m_input_tokens,
    CASE WHEN prompt IS NOT NULL THEN least(cache_write_long, cache_write) END AS cache_write_1h_input_tokens,
    visible - moved_out AS visible_output_tokens,
    reasoned AS reasoning_output_tokens,
    uncached - moved_in + cache_read + cache_write AS input_tokens,
    visible - moved_out + reasoned AS output_tokens,
    map_from_entries(concat(quantities, filter(transform(array(
      named_struct('key', 'audio_input_tokens', 'tokens', least(audio_in, uncached)),
      named_struct('key', 'image_input_tokens', 'tokens', least(audio_in + image_in, uncached) - least(audio_in, uncached)),
      named_struct('key', 'video_input_tokens', 'tokens', moved_in - least(audio_in + image_in, uncached)),
      named_struct('key', 'audio_output_tokens', 'tokens', least(audio_out, visible)),
      named_struct('key', 'image_output_tokens', 'tokens', least(audio_out + image_out, visible) - least(audio_out, visible)),
      named_struct('key', 'video_output_tokens', 'tokens', moved_out - least(audio_out + image_out, visible))
    ), q -> named_struct('key', q.key, 'value', CAST(q.tokens AS DECIMAL(17, 3)))),
      q -> q.value > 0 AND usage_source <> 'none'))) AS other_usage
  FROM (
    SELECT *, least(audio_in + image_in + video_in, uncached) AS moved_in,
      least(audio_out + image_out + video_out, visible) AS moved_out
    FROM (
      -- Without usage there are no counts at all, not even zeros.
      SELECT * EXCEPT (prompt, uncached, visible, reasoned),
        CASE WHEN usage_source <> 'none' THEN prompt END AS prompt,
        CASE WHEN usage_source <> 'none' THEN uncached END AS uncached,
        CASE WHEN usage_source <> 'none' THEN visible END AS visible,
        CASE WHEN usage_source <> 'none' THEN reasoned END AS reasoned
      FROM split
    )
  )
),
described AS (
  SELECT * EXCEPT (user_agent, provider),
    NOT is_rejected AND NOT is_cache_hit AS is_called,
    NOT is_rejected AND NOT is_cache_hit
      AND NOT (is_mcp AND NOT coalesce(cost_text RLIKE '[1-9]', false))
      AND NOT call_type RLIKE '^a?(count_tokens|token_counter|list_|get_|delete_|cancel_)' AS is_billable,
    coalesce(user_email, user_id, key_alias, key_hash) AS requester,
    coalesce(user_agent, nullif(trim(substring(try_element_at(tag_agents, -1), 12)), '')) AS user_agent,
    coalesce(CASE WHEN is_mcp THEN mcp_server END, provider) AS provider,
    CASE WHEN is_mcp THEN coalesce(mcp_server, model_group, model) ELSE coalesce(model_group, model) END AS endpoint_name,
    CASE WHEN is_mcp THEN coalesce(mcp_server, model)
      WHEN provider IS NULL OR substring(model, 1, length(provider) + 1) = concat(provider, '/') THEN model
      ELSE concat(provider, '/', model) END AS destination_name,
    CASE WHEN is_mcp THEN 'MCP_SERVER' ELSE 'EXTERNAL_FOUNDATION_MODEL' END AS destination_type,
    coalesce(lower(tier) = 'batch', false) OR call_type IN ('retrieve_batch', 'aretrieve_batch') AS is_batch,
    CASE WHEN NOT is_failure THEN 200
      WHEN error_code RLIKE '^[1-5][0-9]{2}$' THEN CAST(error_code AS INT) END AS status_code,
    CASE WHEN is_failure THEN coalesce(error_class, error_code) END AS final_error_code,
    CASE WHEN end_us >= event_us THEN (end_us - event_us) DIV 1000
      WHEN logged_latency_ms BETWEEN 0 AND 1e12 THEN CAST(floor(logged_latency_ms) AS BIGINT) END AS latency_ms,
    CASE WHEN first_us >= event_us THEN (first_us - event_us) DIV 1000 END AS time_to_first_byte_ms,
    sort_array(array_distinct(transform(tag_pairs, p -> p.key))) AS tag_keys,
    text RLIKE '"(prompt|completion|total)_tokens" *: *"[+]?[0-9]' AS has_text_numbers,
    cost_text RLIKE '^[+-]?[0-9]{0,8}[.]?[0-9]+([eE]-?[0-9]{1,3})?$' AS is_cost_readable
  FROM (
    SELECT *,
      coalesce(nullif(service_tier, ''), u.service_tier) AS tier,
      status = 'failure' AS is_failure,
      status = 'failure' AND coalesce(input_tokens, 0) + coalesce(output_tokens, 0) = 0 AND (
        guardrail_status = 'guardrail_intervened' OR coalesce(provider, error_provider) IS NULL
        OR coalesce(error_class, '') IN ('BudgetExceededError', 'ProxyException', 'ProxyRateLimitError', 'HTTPException')
        OR coalesce(error_class LIKE '%Guardrail%', false)
      ) AS is_rejected,
      sort_array(filter(tag_texts, t -> lower(t) LIKE 'user-agent:%')) AS tag_agents,
      concat(
        transform(filter(tag_texts, t -> t <> '' AND NOT lower(t) LIKE 'user-agent:%'), t -> CASE
          WHEN t RLIKE '^[^:=]+[:=]' THEN named_struct('key', trim(regexp_extract(t, '^[^:=]+', 0)),
            'value', trim(substring(t, length(regexp_extract(t, '^[^:=]+', 0)) + 2)))
          ELSE named_struct('key', t, 'value', '') END),
        coalesce(transform(filter(map_entries(tag_map), e -> e.value <> ''
          AND substring(e.value, 1, 1) NOT IN ('{', '[')),
          e -> named_struct('key', e.key, 'value', e.value)),
          CAST(array() AS ARRAY<STRUCT<key: STRING, value: STRING>>))) AS tag_pairs,
      coalesce(try_element_at(session_headers, 1).value, nullif(session_id, ''),
        nullif(regexp_extract(session_hint, '"session_id": *"([^"]+)"', 1), ''),
        nullif(regexp_extract(session_hint, '_session_([0-9a-fA-F-]{36})', 1), ''),
        CASE WHEN trace_id <> coalesce(call_id, '') THEN nullif(trace_id, '') END) AS session
    FROM (
      SELECT *, sort_array(transform(
        filter(map_entries(headers), h -> length(h.value) >= 8
          AND lower(h.key) RLIKE '^x-(litellm-trace-id|session-id|[a-z0-9-]+-session-id)$'),
        h -> named_struct('rank', CASE lower(h.key) WHEN 'x-litellm-trace-id' THEN 1 WHEN 'x-litellm-session-id' THEN 2
          WHEN 'x-session-id' THEN 4 ELSE 3 END, 'value', h.value))) AS session_headers
      FROM bucketed
    )
  )
),
owners AS (
  -- At most one principal a call, even where intervals overlap.
  SELECT d.ingest_sequence, max_by(named_struct('principal_type', p.principal_type, 'team', try_element_at(p.teams, 1),
    'groups', p.groups, 'cost_center', p.cost_center, 'project', p.project), p.valid_from) AS owner
  FROM described AS d
  JOIN silver.principals AS p
    ON p.principal = d.requester AND p.valid_from <= d.event_time
    AND (p.valid_to IS NULL OR d.event_time < p.valid_to)
  GROUP BY d.ingest_sequence
)
SELECT
  d.invocation_id,
  d.event_date,
  d.event_time,
  'final' AS invocation_state,
  CASE WHEN d.is_rejected THEN 'rejected' WHEN d.is_failure THEN 'failed' ELSE 'completed' END AS outcome,
  d.request_id,
  CAST(NULL AS STRING) AS parent_invocation_id,
  'client' AS source,
  d.source AS log_source,
  d.format AS log_format,
  d.native_key AS source_record_key,
  d.ingest_sequence,
  d.ingest_date,
  CAST(0 AS BIGINT) AS change_sequence,
  NOT d.is_in_range OR d.event_us > unix_micros(d.ingested_at) + 86400000000 AS is_time_suspect,
  concat(transform(d.body_errors, b -> concat('not_json:', b)), filter(array(
    CASE WHEN d.has_text_numbers AND d.text RLIKE '"prompt_tokens" *: *"[+]?[0-9]' THEN 'text_number:prompt_tokens' END,
    CASE WHEN d.has_text_numbers AND d.text RLIKE '"completion_tokens" *: *"[+]?[0-9]'
      THEN 'text_number:completion_tokens' END,
    CASE WHEN d.has_text_numbers AND d.text RLIKE '"total_tokens" *: *"[+]?[0-9]' THEN 'text_number:total_tokens' END,
    CASE WHEN d.usage_source <> 'none' AND d.is_input_exclusive THEN 'caches_outside_total:prompt_tokens' END,
    CASE WHEN d.usage_source <> 'none' AND d.is_output_exclusive THEN 'reasoning_outside_total:completion_tokens' END,
    CASE WHEN d.total <> d.input_tokens + d.output_tokens + d.moved_in + d.moved_out
      THEN 'not_the_sum:total_tokens' END,
    CASE WHEN d.usage_source <> 'none' AND d.logged_prompt IS NULL AND d.prompt IS NOT NULL THEN 'derived:prompt_tokens' END,
    CASE WHEN d.usage_source <> 'none' AND d.logged_completion IS NULL AND d.completion IS NOT NULL
      THEN 'derived:completion_tokens' END,
    CASE WHEN d.end_text <> '' AND d.end_us IS NULL THEN 'unreadable:endTime' END,
    CASE WHEN d.end_us < d.event_us THEN 'before_start:endTime' END,
    CASE WHEN d.cost_text <> '' AND NOT d.is_cost_readable THEN concat('unreadable:', d.cost_name) END,
    CASE WHEN d.status NOT IN ('success', 'failure') THEN 'unknown:status' END
  ), i -> i IS NOT NULL)) AS data_issues,
  CAST(NULL AS TIMESTAMP) AS deadline,
  CAST(NULL AS STRING) AS spool_id,
  CAST(NULL AS BIGINT) AS spool_segment,
  d.requester,
  coalesce(o.owner.principal_type, CASE WHEN coalesce(d.user_email, d.user_id) IS NOT NULL THEN 'USER'
    WHEN d.requester IS NOT NULL THEN 'SERVICE_PRINCIPAL' END) AS requester_type,
  CASE WHEN d.key_hash IS NOT NULL THEN 'virtual_key' END AS auth_mode,
  d.key_hash AS key_id,
  coalesce(d.team, o.owner.team, 'unattributed') AS team,
  coalesce(o.owner.groups, CAST(array() AS ARRAY<STRING>)) AS groups,
  coalesce(o.owner.cost_center, 'unattributed') AS cost_center,
  coalesce(d.project, o.owner.project, 'unattributed') AS project,
  d.end_user,
  d.ip_address,
  d.user_agent,
  CASE
    WHEN d.user_agent IS NULL THEN NULL
    WHEN lower(d.user_agent) RLIKE '^claude-(cli|code)' THEN 'claude-code'
    WHEN lower(d.user_agent) RLIKE '^codex([-_ /]|$)' THEN 'codex'
    WHEN lower(d.user_agent) RLIKE '^geminicli' THEN 'gemini-cli'
    WHEN lower(d.user_agent) RLIKE 'cursor' THEN 'cursor'
    WHEN lower(d.user_agent) RLIKE 'copilot' THEN 'copilot'
    WHEN lower(d.user_agent) RLIKE '^(opencode|cline|aider|qwencode|goose|zed|roo-?code)' THEN
      regexp_extract(lower(d.user_agent), '^(opencode|cline|aider|qwencode|goose|zed|roo-?code)', 1)
    WHEN lower(d.user_agent) RLIKE '^(async)?openai/' THEN 'openai-sdk'
    WHEN lower(d.user_agent) RLIKE '^(async)?anthropic/' THEN 'anthropic-sdk'
    WHEN lower(d.user_agent) RLIKE '^google-genai-sdk' THEN 'google-genai-sdk'
    WHEN lower(d.user_agent) RLIKE '^(ai-sdk|langchain|litellm|llm|pydantic-ai)' THEN
      regexp_extract(lower(d.user_agent), '^(ai-sdk|langchain|litellm|llm|pydantic-ai)', 1)
    WHEN lower(d.user_agent) RLIKE '^(curl|wget|httpie|python|node|axios|okhttp|go-http-client|java|bun|deno)' THEN
      'http-client'
    WHEN lower(d.user_agent) RLIKE '^mozilla/' THEN 'browser'
    ELSE 'other'
  END AS client_kind,
  d.session AS session_id,
  CAST(NULL AS STRING) AS turn_id,
  CASE WHEN d.trace_id RLIKE '^[0-9a-f]{32}$' THEN d.trace_id END AS trace_id,
  CAST(NULL AS STRING) AS span_id,
  CASE WHEN d.is_mcp THEN 'MCP_SERVICE' WHEN d.call_type LIKE '%pass_through_endpoint%' THEN 'MODEL_PROVIDER_SERVICE'
    ELSE 'MODEL_SERVICE' END AS service_type,
  d.endpoint_name,
  CAST(NULL AS MAP<STRING, STRING>) AS endpoint_tags,
  CASE
    WHEN d.call_type = 'call_mcp_tool' THEN 'mcp/tools/call'
    WHEN d.call_type = 'list_mcp_tools' THEN 'mcp/tools/list'
    WHEN d.route LIKE '%/count_tokens' THEN 'anthropic/v1/messages/count_tokens'
    WHEN d.route LIKE '%/v1/messages' OR d.call_type LIKE '%anthropic_messages' THEN 'anthropic/v1/messages'
    WHEN d.route LIKE '%/chat/completions' THEN 'openai/v1/chat/completions'
    WHEN d.route LIKE '%:streamGenerateContent' OR d.call_type LIKE '%generate_content_stream'
      THEN 'gemini/v1/streamGenerateContent'
    WHEN d.route LIKE '%:generateContent' OR d.call_type LIKE '%generate_content' THEN 'gemini/v1/generateContent'
    WHEN d.call_type LIKE '%pass_through_endpoint%' THEN 'unmanaged'
    WHEN d.call_type IN ('completion', 'acompletion') THEN 'openai/v1/chat/completions'
    WHEN d.call_type RLIKE '^a?text_completion$' THEN 'openai/v1/completions'
    WHEN d.call_type RLIKE '^a?responses$' THEN 'openai/v1/responses'
    WHEN d.call_type RLIKE '^a?embedding$' THEN 'openai/v1/embeddings'
    WHEN d.call_type RLIKE '^a?image_generation$' THEN 'openai/v1/images/generations'
    WHEN d.call_type RLIKE '^a?transcription$' THEN 'openai/v1/audio/transcriptions'
    WHEN d.call_type RLIKE '^a?speech$' THEN 'openai/v1/audio/speech'
    WHEN d.call_type RLIKE '_batch$' THEN 'openai/v1/batches'
    ELSE nullif(d.call_type, '')
  END AS api_type,
  CAST(NULL AS STRING) AS method,
  d.route AS url,
  coalesce(d.model_group, d.model) AS requested_model,
  coalesce(d.stream_text = 'true', false) AS is_stream,
  map_from_arrays(d.tag_keys, transform(d.tag_keys, k -> array_join(sort_array(array_distinct(
    transform(filter(d.tag_pairs, p -> p.key = k), p -> p.value))), ','))) AS request_tags,
  CASE WHEN NOT d.is_rejected THEN d.destination_type END AS destination_type,
  CASE WHEN NOT d.is_rejected THEN d.destination_name END AS destination_name,
  CASE WHEN NOT d.is_rejected THEN d.model_id END AS destination_id,
  CASE WHEN NOT d.is_rejected THEN d.model END AS destination_model,
  CASE WHEN NOT d.is_rejected THEN d.provider END AS provider,
  d.response_model,
  d.status_code,
  d.final_error_code AS error_code,
  CASE WHEN d.is_failure THEN nullif(d.error_message, '') END AS error_message,
  d.finish_reason,
  d.latency_ms,
  d.time_to_first_byte_ms,
  CAST(NULL AS BIGINT) AS queue_ms,
  CAST(NULL AS BIGINT) AS upstream_ms,
  CAST(NULL AS BIGINT) AS request_bytes,
  CAST(NULL AS BIGINT) AS response_bytes,
  CAST(NULL AS STRING) AS response_content_type,
  d.usage_source,
  d.uncached_input_tokens,
  d.cache_read_input_tokens,
  d.cache_write_5m_input_tokens,
  d.cache_write_1h_input_tokens,
  d.visible_output_tokens,
  d.reasoning_output_tokens,
  d.input_tokens,
  d.output_tokens,
  CASE WHEN d.usage_source <> 'none' THEN coalesce(d.input_tokens, 0) + coalesce(d.output_tokens, 0) END AS total_tokens,
  d.other_usage,
  d.tier AS service_tier,
  d.is_batch,
  d.is_billable,
  CASE WHEN d.is_cost_readable THEN try_cast(d.cost_text AS DECIMAL(20, 12)) END AS reported_cost_usd,
  CASE WHEN d.is_called THEN 1 ELSE 0 END AS attempt_count,
  filter(array(named_struct(
    'attempt_number', 1,
    'action', 'INITIAL_ATTEMPT',
    'destination_name', d.destination_name,
    'destination_id', d.model_id,
    'destination_type', d.destination_type,
    'destination_model', d.model,
    'provider', d.provider,
    'response_model', d.response_model,
    'start_time', d.event_time,
    'latency_ms', d.latency_ms,
    'time_to_first_byte_ms', d.time_to_first_byte_ms,
    'status_code', d.status_code,
    'error_code', d.final_error_code,
    'service_tier', d.tier,
    'is_batch', d.is_batch,
    'is_billable', d.is_billable,
    'usage_source', d.usage_source,
    'uncached_input_tokens', d.uncached_input_tokens,
    'cache_read_input_tokens', d.cache_read_input_tokens,
    'cache_write_5m_input_tokens', d.cache_write_5m_input_tokens,
    'cache_write_1h_input_tokens', d.cache_write_1h_input_tokens,
    'visible_output_tokens', d.visible_output_tokens,
    'reasoning_output_tokens', d.reasoning_output_tokens,
    'other_usage', d.other_usage,
    'usage', d.usage_text,
    'provider_request_id', d.provider_request_id
  )), a -> d.is_called) AS attempts,
  CASE WHEN d.is_mcp THEN named_struct(
    'json_rpc_method', CASE d.call_type WHEN 'call_mcp_tool' THEN 'tools/call' ELSE 'tools/list' END,
    'tool_name', d.mcp_tool, 'server_type', CAST(NULL AS STRING), 'client_name', CAST(NULL AS STRING)
  ) END AS mcp_metadata,
  CASE WHEN d.has_body THEN 'logged' ELSE 'off' END AS payload_state,
  CAST(NULL AS BIGINT) AS redaction_count,
  CAST(NULL AS ARRAY<STRING>) AS translation_losses,
  CAST(NULL AS STRING) AS config_hash,
  CASE
    WHEN d.start_text IS NULL THEN concat(d.start_name, ' is missing, so the call cannot be dated')
    WHEN d.event_us IS NULL THEN concat(d.start_name, ' is "', substring(d.start_text, 1, 80), '", which is not a time')
    WHEN size(d.bad_counts) > 0 THEN concat(try_element_at(d.bad_counts, 1).name, ' is "',
      substring(try_element_at(d.bad_counts, 1).text, 1, 80), '", which is not a whole number of tokens from 0 up')
  END AS rejection_reason
FROM described AS d
LEFT JOIN owners AS o ON o.ingest_sequence = d.ingest_sequence
