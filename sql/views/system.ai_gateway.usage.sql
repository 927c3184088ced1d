-- One row per invocation whose outcome is known or given up: Databricks' system.ai_gateway.usage, column by column.
-- input_tokens includes what was read from and written to a cache, as it does there.
SELECT
    CAST(NULL AS STRING) AS account_id,
    CAST(NULL AS STRING) AS workspace_id,
    request_id,
    CAST(1 AS INT) AS schema_version,
    CAST(NULL AS STRING) AS endpoint_id,
    endpoint_name,
    endpoint_tags,
    CAST(named_struct(
        'inference_table', CAST(NULL AS STRING),
        'creation_time', CAST(NULL AS TIMESTAMP),
        'fallbacks', CAST(array() AS ARRAY<STRING>),
        'creator', CAST(NULL AS STRING),
        'last_updated_time', CAST(NULL AS TIMESTAMP),
        'destinations', array(CAST(named_struct(
            'name', destination_name,
            'traffic_percent', CAST(NULL AS DOUBLE),
            'type', destination_type
        ) AS STRUCT<name: STRING, traffic_percent: DOUBLE, type: STRING>))
    ) AS STRUCT<
        inference_table: STRING,
        creation_time: TIMESTAMP,
        fallbacks: ARRAY<STRING>,
        creator: STRING,
        last_updated_time: TIMESTAMP,
        destinations: ARRAY<STRUCT<name: STRING, traffic_percent: DOUBLE, type: STRING>>
    >) AS endpoint_metadata,
    event_time,
    latency_ms,
    time_to_first_byte_ms,
    destination_type,
    destination_name,
    destination_id,
    destination_model,
    requester,
    requester_type,
    ip_address,
    url,
    user_agent,
    api_type,
    request_tags,
    input_tokens,
    output_tokens,
    total_tokens,
    CAST(named_struct(
        'cache_read_input_tokens', cache_read_input_tokens,
        'cache_creation_input_tokens', cache_write_5m_input_tokens + cache_write_1h_input_tokens,
        'output_reasoning_tokens', reasoning_output_tokens
    ) AS STRUCT<
        cache_read_input_tokens: BIGINT,
        cache_creation_input_tokens: BIGINT,
        output_reasoning_tokens: BIGINT
    >) AS token_details,
    response_content_type,
    status_code,
    CAST(named_struct(
        'attempts', transform(attempts, a -> CAST(named_struct(
            'priority', a.attempt_number,
            'start_time', a.start_time,
            'end_time', timestampadd(MILLISECOND, CAST(a.latency_ms AS BIGINT), CAST(a.start_time AS TIMESTAMP)),
            'latency_ms', a.latency_ms,
            'status_code', a.status_code,
            'error_code', a.error_code,
            'destination', a.destination_name,
            'destination_id', a.destination_id,
            'action', a.action
        ) AS STRUCT<
            priority: INT,
            start_time: TIMESTAMP,
            end_time: TIMESTAMP,
            latency_ms: BIGINT,
            status_code: INT,
            error_code: STRING,
            destination: STRING,
            destination_id: STRING,
            action: STRING
        >))
    ) AS STRUCT<attempts: ARRAY<STRUCT<
        priority: INT,
        start_time: TIMESTAMP,
        end_time: TIMESTAMP,
        latency_ms: BIGINT,
        status_code: INT,
        error_code: STRING,
        destination: STRING,
        destination_id: STRING,
        action: STRING
    >>>) AS routing_information,
    invocation_id,
    CAST(named_struct(
        'source', CASE source WHEN 'client' THEN 'EXTERNAL_CLIENT' WHEN 'judge' THEN 'GUARDRAIL' ELSE upper(source) END,
        'service_tier', service_tier
    ) AS STRUCT<source: STRING, service_tier: STRING>) AS invocation_metadata,
    service_type,
    CAST(NULL AS STRING) AS service_id,
    endpoint_name AS service_name,
    endpoint_tags AS service_tags,
    mcp_metadata
FROM silver.invocations
WHERE invocation_state <> 'pending'
