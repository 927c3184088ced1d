-- One row per price while in force, one SKU for each provider, model, tier and unit.
-- price_end_time is NULL for a current price. Prices that hold only for a part of the day, or above a number of input
-- tokens, say so at the end of their SKU.
SELECT
    CAST(NULL AS STRING) AS account_id,
    CAST(coalesce(valid_from, DATE '1970-01-01') AS TIMESTAMP) AS price_start_time,
    CAST(valid_to AS TIMESTAMP) AS price_end_time,
    concat(
        price_provider, '/', price_model,
        CASE WHEN service_tier = 'standard' THEN '' ELSE concat('/', service_tier) END,
        CASE WHEN is_batch THEN '/batch' ELSE '' END,
        '/', unit,
        CASE WHEN tier_start_tokens = 0 THEN '' ELSE concat('/from_', CAST(tier_start_tokens AS STRING)) END,
        CASE
            WHEN time_of_day_start_s = 0 AND time_of_day_end_s = 86400 THEN ''
            ELSE concat('/', CAST(time_of_day_start_s AS STRING), '-', CAST(time_of_day_end_s AS STRING), 's')
        END
    ) AS sku_name,
    price_provider AS cloud,
    'USD' AS currency_code,
    unit AS usage_unit,
    CAST(named_struct(
        'default', usd_per_unit,
        'promotional', CAST(named_struct(
            'default', CAST(NULL AS DECIMAL(20, 12))
        ) AS STRUCT<`default`: DECIMAL(20, 12)>),
        'effective_list', CAST(named_struct(
            'default', usd_per_unit
        ) AS STRUCT<`default`: DECIMAL(20, 12)>)
    ) AS STRUCT<
        `default`: DECIMAL(20, 12),
        promotional: STRUCT<`default`: DECIMAL(20, 12)>,
        effective_list: STRUCT<`default`: DECIMAL(20, 12)>
    >) AS pricing
FROM silver.prices
