-- One row per invocation of the endpoint with a body: Databricks' inference table. :endpoint is each endpoint in turn.
SELECT
    i.request_id,
    i.invocation_id,
    i.request_tags,
    i.event_time,
    i.status_code,
    p.sampling_fraction,
    i.latency_ms,
    i.time_to_first_byte_ms,
    p.request,
    p.response,
    i.destination_id,
    i.destination_type,
    i.destination_name,
    i.destination_model,
    p.logging_error_codes,
    i.requester,
    i.url,
    i.api_type,
    CAST(1 AS INT) AS schema_version
FROM silver.payloads AS p
INNER JOIN silver.invocations AS i ON i.invocation_id = p.invocation_id AND i.event_date = p.event_date
WHERE p.endpoint_name = :endpoint
