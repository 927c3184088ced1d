-- What does a million tokens cost, for the models that were called?
WITH called AS (
    SELECT DISTINCT concat(price_provider, '/', price_model, '/') AS sku_start
    FROM gold.costs
    WHERE price_model IS NOT NULL
)

SELECT
    p.sku_name,
    p.usage_unit,
    CAST(p.pricing.`default` * 1000000 AS DECIMAL(20, 6)) AS usd_per_million,
    p.price_start_time,
    p.price_end_time
FROM system.billing.list_prices AS p
INNER JOIN called AS c ON startswith(p.sku_name, c.sku_start)
WHERE p.usage_unit IN ('uncached_input_tokens', 'cache_read_input_tokens', 'visible_output_tokens')
ORDER BY p.sku_name, p.price_start_time
