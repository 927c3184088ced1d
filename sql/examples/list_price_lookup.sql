-- What does a million tokens cost today, by model?
SELECT
    sku_name,
    cloud AS provider,
    usage_unit,
    CAST(pricing.`default` * 1000000 AS DECIMAL(20, 6)) AS usd_per_million,
    price_start_time
FROM system.billing.list_prices
WHERE
    price_end_time IS NULL
    AND usage_unit IN ('uncached_input_tokens', 'visible_output_tokens')
ORDER BY provider, sku_name, price_start_time
LIMIT 100
