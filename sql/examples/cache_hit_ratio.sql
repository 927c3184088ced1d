-- What share of the input tokens came out of a cache, by model?
SELECT
    destination_model,
    sum(input_tokens) AS input_tokens,
    sum(cache_read_input_tokens) AS cache_read_input_tokens,
    round(sum(cache_read_input_tokens) * CAST(100 AS DOUBLE) / nullif(sum(input_tokens), 0), 1) AS cache_hit_percent
FROM gold.usage_hourly
GROUP BY destination_model
HAVING sum(input_tokens) > 0
ORDER BY cache_hit_percent DESC, destination_model
