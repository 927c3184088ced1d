-- What was spent in each hour of the newest day, by model, as Databricks' spend table has it?
WITH newest AS (
    SELECT max(usage_date) AS usage_date
    FROM system.ai_gateway.external_model_spend
)

SELECT
    s.usage_start_time,
    s.usage_metadata.provider AS provider,
    s.usage_metadata.model AS model,
    CAST(sum(s.usage_quantity) AS DECIMAL(20, 6)) AS cost_usd
FROM system.ai_gateway.external_model_spend AS s
INNER JOIN newest AS n ON n.usage_date = s.usage_date
GROUP BY s.usage_start_time, s.usage_metadata.provider, s.usage_metadata.model
ORDER BY s.usage_start_time, cost_usd DESC, provider, model
