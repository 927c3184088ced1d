-- One row per hour, requester, endpoint, model and set of request tags: what its calls cost, in USD.
-- Only what has a price is here: unpriced calls are in gold.costs and gold.reconciliation.
SELECT
    md5(concat(min(invocation_id), '/', coalesce(provider, ''), '/', coalesce(destination_model, ''))) AS record_id,
    CAST(NULL AS STRING) AS workspace_id,
    date_trunc('HOUR', event_time) AS usage_start_time,
    event_date AS usage_date,
    CAST(sum(cost_usd) AS DECIMAL(38, 15)) AS usage_quantity,
    'USD' AS usage_unit,
    CAST(named_struct(
        'model', destination_model,
        'provider', provider,
        'endpoint_name', endpoint_name
    ) AS STRUCT<model: STRING, provider: STRING, endpoint_name: STRING>) AS usage_metadata,
    CAST(named_struct(
        'run_by', requester,
        'run_as', requester
    ) AS STRUCT<run_by: STRING, run_as: STRING>) AS identity_metadata,
    CAST(named_struct(
        'request_tags', any_value(request_tags),
        'endpoint_tags', CAST(NULL AS MAP<STRING, STRING>)
    ) AS STRUCT<request_tags: MAP<STRING, STRING>, endpoint_tags: MAP<STRING, STRING>>) AS custom_tags
FROM gold.costs
WHERE cost_usd IS NOT NULL AND pricing_status <> 'not_billable'
GROUP BY
    date_trunc('HOUR', event_time), event_date, requester, endpoint_name, provider, destination_model, request_tags
