WITH exploded AS (
  SELECT
    i.*,
    size(i.attempts) > 0 AS has_attempts,
    try_element_at(i.attempts, -1).attempt_number AS last_attempt_number,
    explode(CASE WHEN size(i.attempts) > 0 THEN i.attempts ELSE array(NULL) END) AS a
  FROM silver.invocations AS i
),

-- One row per upstream call; a call that made none stands for itself, as attempt 0.
attempts AS (
  SELECT
    invocation_id, event_date, event_time, ingest_date, invocation_state, outcome, source, log_source,
    parent_invocation_id, session_id, requester, key_id, team, cost_center, project, client_kind, service_type,
    endpoint_name, api_type, request_tags, has_attempts,
    CASE WHEN has_attempts THEN a.attempt_number ELSE 0 END AS attempt_number,
    NOT has_attempts OR a.attempt_number = last_attempt_number AS is_last_attempt,
    a.action AS action,
    COALESCE(a.start_time, event_time) AS attempt_time,
    CASE WHEN has_attempts THEN a.destination_name ELSE destination_name END AS destination_name,
    CASE WHEN has_attempts THEN a.destination_type ELSE destination_type END AS destination_type,
    CASE WHEN has_attempts THEN a.destination_model ELSE destination_model END AS destination_model,
    CASE WHEN has_attempts THEN a.response_model ELSE response_model END AS response_model,
    CASE WHEN has_attempts THEN a.provider ELSE provider END AS provider,
    CASE WHEN has_attempts THEN a.status_code ELSE status_code END AS status_code,
    CASE WHEN has_attempts THEN a.service_tier ELSE service_tier END AS service_tier,
    COALESCE(a.is_batch, is_batch) OR COALESCE(a.service_tier, '') = 'batch' AS is_batch,
    COALESCE(a.is_billable, is_billable) AS is_billable,
    COALESCE(a.usage_source, usage_source) AS usage_source,
    CASE WHEN has_attempts THEN a.uncached_input_tokens ELSE uncached_input_tokens END AS uncached_input_tokens,
    CASE WHEN has_attempts THEN a.cache_read_input_tokens ELSE cache_read_input_tokens END AS cache_read_input_tokens,
    CASE WHEN has_attempts THEN a.cache_write_5m_input_tokens ELSE cache_write_5m_input_tokens END
      AS cache_write_5m_input_tokens,
    CASE WHEN has_attempts THEN a.cache_write_1h_input_tokens ELSE cache_write_1h_input_tokens END
      AS cache_write_1h_input_tokens,
    CASE WHEN has_attempts THEN a.visible_output_tokens ELSE visible_output_tokens END AS visible_output_tokens,
    CASE WHEN has_attempts THEN a.reasoning_output_tokens ELSE reasoning_output_tokens END AS reasoning_output_tokens,
    CASE WHEN has_attempts THEN a.other_usage ELSE other_usage END AS other_usage
  FROM exploded
),

measured AS (
  SELECT
    *,
    COALESCE(uncached_input_tokens, 0) + COALESCE(cache_read_input_tokens, 0)
      + COALESCE(cache_write_5m_input_tokens, 0) + COALESCE(cache_write_1h_input_tokens, 0) AS input_tokens,
    COALESCE(visible_output_tokens, 0) + COALESCE(reasoning_output_tokens, 0) AS output_tokens,
    COALESCE(
      uncached_input_tokens, cache_read_input_tokens, cache_write_5m_input_tokens, cache_write_1h_input_tokens,
      visible_output_tokens, reasoning_output_tokens
    ) IS NOT NULL AS has_tokens,
    COALESCE(size(map_keys(other_usage)), 0) > 0 AS has_other_usage,
    (unix_micros(attempt_time) % 86400000000 + 86400000000) % 86400000000 AS microseconds_of_day
  FROM attempts
),

-- Volume tiers go by all input, that of other kinds too.
sized AS (
  SELECT
    *,
    input_tokens + CASE
      WHEN has_other_usage THEN CAST(floor(aggregate(
        transform(
          map_entries(other_usage),
          e -> CASE WHEN e.key LIKE '%input_tokens' THEN CAST(e.value AS DECIMAL(20, 3)) ELSE CAST(0 AS DECIMAL(20, 3)) END
        ),
        CAST(0 AS DECIMAL(20, 3)), (total, x) -> CAST(total + x AS DECIMAL(20, 3))
      )) AS BIGINT)
      ELSE 0
    END AS volume_tokens,
    has_tokens AND usage_source <> 'none' OR input_tokens + output_tokens > 0 OR has_other_usage AS has_usage
  FROM measured
),

-- One row per rate, its unit prices side by side.
pivoted AS (
  SELECT
    price_id, price_provider, price_model, service_tier, is_batch, tier_start_tokens,
    COALESCE(tier_end_tokens, 9223372036854775807) AS tier_end_tokens,
    COALESCE(valid_from, DATE '0001-01-01') AS valid_from,
    COALESCE(valid_to, DATE '9999-12-31') AS valid_to,
    CAST(time_of_day_start_s AS BIGINT) * 1000000 AS day_start,
    CAST(time_of_day_end_s AS BIGINT) * 1000000 AS day_end,
    source AS price_source,
    source_version AS price_version,
    MAX(CASE WHEN unit = 'uncached_input_tokens' THEN usd_per_unit END) AS uncached_input_usd,
    MAX(CASE WHEN unit = 'cache_read_input_tokens' THEN usd_per_unit END) AS cache_read_input_usd,
    MAX(CASE WHEN unit = 'cache_write_5m_input_tokens' THEN usd_per_unit END) AS cache_write_5m_input_usd,
    MAX(CASE WHEN unit = 'cache_write_1h_input_tokens' THEN usd_per_unit END) AS cache_write_1h_input_usd,
    MAX(CASE WHEN unit = 'visible_output_tokens' THEN usd_per_unit END) AS visible_output_usd,
    MAX(CASE WHEN unit = 'reasoning_output_tokens' THEN usd_per_unit END) AS reasoning_output_usd,
    MAX(CASE WHEN unit = 'requests' THEN usd_per_unit END) AS request_usd,
    map_from_entries(
      collect_list(named_struct('key', unit, 'value', usd_per_unit)) FILTER (WHERE unit NOT IN (
        'uncached_input_tokens', 'cache_read_input_tokens', 'cache_write_5m_input_tokens',
        'cache_write_1h_input_tokens', 'visible_output_tokens', 'reasoning_output_tokens', 'requests'
      ))
    ) AS other_usd
  FROM silver.prices
  GROUP BY ALL
),

ranked AS (
  SELECT
    *,
    row_number() OVER (ORDER BY CASE WHEN price_source = 'negotiated' THEN 0 ELSE 1 END, valid_from DESC, price_id)
      AS rank_number
  FROM pivoted
),

-- Rates do not overlap; should two of a faulty price table do so, the lower one is out, and no attempt costs twice.
rates AS (
  SELECT lower_rate.*
  FROM ranked AS lower_rate
  LEFT ANTI JOIN ranked AS higher
    ON higher.price_provider = lower_rate.price_provider AND higher.price_model = lower_rate.price_model
    AND higher.service_tier = lower_rate.service_tier AND higher.is_batch = lower_rate.is_batch
    AND higher.rank_number < lower_rate.rank_number
    AND higher.valid_from < lower_rate.valid_to AND lower_rate.valid_from < higher.valid_to
    AND higher.day_start < lower_rate.day_end AND lower_rate.day_start < higher.day_end
    AND higher.tier_start_tokens < lower_rate.tier_end_tokens AND lower_rate.tier_start_tokens < higher.tier_end_tokens
),

service_tiers AS (
  SELECT DISTINCT price_provider, price_model, service_tier FROM silver.prices
),

batch_models AS (
  SELECT DISTINCT price_provider, price_model, TRUE AS has_batch FROM silver.prices WHERE is_batch
),

matches AS (
  SELECT
    m.provider, m.model, m.price_provider, m.price_model, m.source, m.is_lent,
    COALESCE(b.has_batch, FALSE) AND NOT m.is_lent AS has_batch
  FROM silver.price_matches AS m
  LEFT JOIN batch_models AS b ON b.price_provider = m.price_provider AND b.price_model = m.price_model
  WHERE m.price_model IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY m.provider, m.model ORDER BY m.source_version DESC) = 1
),

-- What the provider says it used is nearer the truth than what was asked, but an agreement names what was asked.
matched AS (
  SELECT
    s.*,
    CASE WHEN asked.source = 'negotiated' OR used.price_model IS NULL THEN asked.price_provider ELSE used.price_provider END
      AS price_provider,
    CASE WHEN asked.source = 'negotiated' OR used.price_model IS NULL THEN asked.price_model ELSE used.price_model END
      AS price_model,
    CASE WHEN asked.source = 'negotiated' OR used.price_model IS NULL THEN asked.is_lent ELSE used.is_lent END AS is_lent,
    s.is_batch
      AND CASE WHEN asked.source = 'negotiated' OR used.price_model IS NULL THEN asked.has_batch ELSE used.has_batch END
      AS is_batch_price
  FROM sized AS s
  LEFT JOIN matches AS asked ON asked.provider = COALESCE(s.provider, '') AND asked.model = s.destination_model
  LEFT JOIN matches AS used ON used.provider = COALESCE(s.provider, '') AND used.model = s.response_model
),

tiered AS (
  SELECT m.*, COALESCE(t.service_tier, 'standard') AS price_tier
  FROM matched AS m
  LEFT JOIN service_tiers AS t
    ON t.price_provider = m.price_provider AND t.price_model = m.price_model
    AND t.service_tier = m.service_tier AND NOT m.is_lent
),

rated AS (
  SELECT
    t.*,
    r.price_id, r.price_source, r.price_version, r.other_usd, r.request_usd,
    r.uncached_input_usd, r.cache_read_input_usd, r.cache_write_5m_input_usd, r.cache_write_1h_input_usd,
    r.visible_output_usd, r.reasoning_output_usd
  FROM tiered AS t
  LEFT JOIN rates AS r
    ON r.price_provider = t.price_provider AND r.price_model = t.price_model
    AND r.service_tier = t.price_tier AND r.is_batch = t.is_batch_price
    AND CAST(t.attempt_time AS DATE) >= r.valid_from AND CAST(t.attempt_time AS DATE) < r.valid_to
    AND t.microseconds_of_day >= r.day_start AND t.microseconds_of_day < r.day_end
    AND t.volume_tokens >= r.tier_start_tokens AND t.volume_tokens < r.tier_end_tokens
),

-- NULL where a quantity has no price, 0 where there is no quantity.
bucketed AS (
  SELECT
    *,
    CASE WHEN COALESCE(uncached_input_tokens, 0) > 0
      THEN try_cast(uncached_input_usd * try_cast(uncached_input_tokens AS DECIMAL(17, 0)) AS DECIMAL(30, 15))
      ELSE 0 END AS uncached_input_cost,
    CASE WHEN COALESCE(cache_read_input_tokens, 0) > 0
      THEN try_cast(cache_read_input_usd * try_cast(cache_read_input_tokens AS DECIMAL(17, 0)) AS DECIMAL(30, 15))
      ELSE 0 END AS cache_read_input_cost,
    CASE WHEN COALESCE(cache_write_5m_input_tokens, 0) > 0
      THEN try_cast(cache_write_5m_input_usd * try_cast(cache_write_5m_input_tokens AS DECIMAL(17, 0)) AS DECIMAL(30, 15))
      ELSE 0 END AS cache_write_5m_input_cost,
    CASE WHEN COALESCE(cache_write_1h_input_tokens, 0) > 0
      THEN try_cast(cache_write_1h_input_usd * try_cast(cache_write_1h_input_tokens AS DECIMAL(17, 0)) AS DECIMAL(30, 15))
      ELSE 0 END AS cache_write_1h_input_cost,
    CASE WHEN COALESCE(visible_output_tokens, 0) > 0
      THEN try_cast(visible_output_usd * try_cast(visible_output_tokens AS DECIMAL(17, 0)) AS DECIMAL(30, 15))
      ELSE 0 END AS visible_output_cost,
    CASE WHEN COALESCE(reasoning_output_tokens, 0) > 0
      THEN try_cast(reasoning_output_usd * try_cast(reasoning_output_tokens AS DECIMAL(17, 0)) AS DECIMAL(30, 15))
      ELSE 0 END AS reasoning_output_cost,
    CAST(COALESCE(request_usd, 0) AS DECIMAL(30, 15)) + CASE
      WHEN has_other_usage THEN aggregate(
        transform(
          map_entries(other_usage),
          e -> COALESCE(try_cast(other_usd[e.key] * e.value AS DECIMAL(30, 15)), CAST(0 AS DECIMAL(30, 15)))
        ),
        CAST(0 AS DECIMAL(30, 15)), (total, x) -> CAST(total + x AS DECIMAL(30, 15))
      )
      ELSE CAST(0 AS DECIMAL(30, 15))
    END AS other_cost,
    CASE WHEN has_other_usage THEN filter(map_entries(other_usage), e -> e.value > 0 AND other_usd[e.key] IS NULL)
      END AS unpriced_other,
    CASE WHEN has_other_usage THEN size(filter(map_entries(other_usage), e -> e.value > 0)) ELSE 0 END AS other_count
  FROM rated
),

counted AS (
  SELECT
    *,
    CASE WHEN uncached_input_cost IS NULL THEN 1 ELSE 0 END + CASE WHEN cache_read_input_cost IS NULL THEN 1 ELSE 0 END
      + CASE WHEN cache_write_5m_input_cost IS NULL THEN 1 ELSE 0 END
      + CASE WHEN cache_write_1h_input_cost IS NULL THEN 1 ELSE 0 END
      + CASE WHEN visible_output_cost IS NULL THEN 1 ELSE 0 END
      + CASE WHEN reasoning_output_cost IS NULL THEN 1 ELSE 0 END
      + COALESCE(size(unpriced_other), 0) AS unpriced_count,
    CASE WHEN COALESCE(uncached_input_tokens, 0) > 0 THEN 1 ELSE 0 END
      + CASE WHEN COALESCE(cache_read_input_tokens, 0) > 0 THEN 1 ELSE 0 END
      + CASE WHEN COALESCE(cache_write_5m_input_tokens, 0) > 0 THEN 1 ELSE 0 END
      + CASE WHEN COALESCE(cache_write_1h_input_tokens, 0) > 0 THEN 1 ELSE 0 END
      + CASE WHEN COALESCE(visible_output_tokens, 0) > 0 THEN 1 ELSE 0 END
      + CASE WHEN COALESCE(reasoning_output_tokens, 0) > 0 THEN 1 ELSE 0 END
      + other_count + CASE WHEN request_usd IS NOT NULL THEN 1 ELSE 0 END AS quantity_count
  FROM bucketed
),

decided AS (
  SELECT
    *,
    CASE
      WHEN invocation_state <> 'final' THEN 'unpriced'
      WHEN NOT is_billable THEN 'not_billable'
      WHEN NOT has_usage AND (NOT has_attempts OR status_code >= 400) THEN 'not_billable'
      WHEN NOT has_usage OR price_id IS NULL THEN 'unpriced'
      WHEN unpriced_count = 0 THEN 'priced'
      WHEN unpriced_count < quantity_count THEN 'partial'
      ELSE 'unpriced'
    END AS pricing_status
  FROM counted
)

SELECT
  invocation_id, CAST(attempt_number AS INT) AS attempt_number, event_date, event_time, attempt_time, ingest_date,
  CAST(0 AS BIGINT) AS change_sequence,
  invocation_state, outcome, is_last_attempt, action, status_code, source, log_source, parent_invocation_id, session_id,
  requester, key_id, team, cost_center, project, client_kind, service_type, endpoint_name, api_type, request_tags,
  destination_name, destination_type, destination_model, response_model, provider,
  usage_source, service_tier, is_batch,
  uncached_input_tokens, cache_read_input_tokens, cache_write_5m_input_tokens, cache_write_1h_input_tokens,
  visible_output_tokens, reasoning_output_tokens,
  CASE WHEN has_tokens THEN input_tokens END AS input_tokens,
  CASE WHEN has_tokens THEN output_tokens END AS output_tokens,
  other_usage,
  CASE pricing_status WHEN 'not_billable' THEN 0 WHEN 'unpriced' THEN NULL ELSE uncached_input_cost END
    AS uncached_input_cost_usd,
  CASE pricing_status WHEN 'not_billable' THEN 0 WHEN 'unpriced' THEN NULL ELSE cache_read_input_cost END
    AS cache_read_input_cost_usd,
  CASE pricing_status WHEN 'not_billable' THEN 0 WHEN 'unpriced' THEN NULL ELSE cache_write_5m_input_cost END
    AS cache_write_5m_input_cost_usd,
  CASE pricing_status WHEN 'not_billable' THEN 0 WHEN 'unpriced' THEN NULL ELSE cache_write_1h_input_cost END
    AS cache_write_1h_input_cost_usd,
  CASE pricing_status WHEN 'not_billable' THEN 0 WHEN 'unpriced' THEN NULL ELSE visible_output_cost END
    AS visible_output_cost_usd,
  CASE pricing_status WHEN 'not_billable' THEN 0 WHEN 'unpriced' THEN NULL ELSE reasoning_output_cost END
    AS reasoning_output_cost_usd,
  CASE pricing_status WHEN 'not_billable' THEN 0 WHEN 'unpriced' THEN NULL ELSE other_cost END AS other_cost_usd,
  CAST(
    CASE pricing_status
      WHEN 'not_billable' THEN 0
      WHEN 'unpriced' THEN NULL
      ELSE COALESCE(uncached_input_cost, 0) + COALESCE(cache_read_input_cost, 0)
        + COALESCE(cache_write_5m_input_cost, 0) + COALESCE(cache_write_1h_input_cost, 0)
        + COALESCE(visible_output_cost, 0) + COALESCE(reasoning_output_cost, 0) + other_cost
    END AS DECIMAL(38, 15)
  ) AS cost_usd,
  pricing_status,
  CASE WHEN pricing_status IN ('partial', 'unpriced') AND unpriced_count > 0 THEN map_from_entries(filter(
    concat(
      array(
        named_struct('key', 'uncached_input_tokens', 'value', CAST(CASE WHEN uncached_input_cost IS NULL THEN uncached_input_tokens END AS DECIMAL(22, 3))),
        named_struct('key', 'cache_read_input_tokens', 'value', CAST(CASE WHEN cache_read_input_cost IS NULL THEN cache_read_input_tokens END AS DECIMAL(22, 3))),
        named_struct('key', 'cache_write_5m_input_tokens', 'value', CAST(CASE WHEN cache_write_5m_input_cost IS NULL THEN cache_write_5m_input_tokens END AS DECIMAL(22, 3))),
        named_struct('key', 'cache_write_1h_input_tokens', 'value', CAST(CASE WHEN cache_write_1h_input_cost IS NULL THEN cache_write_1h_input_tokens END AS DECIMAL(22, 3))),
        named_struct('key', 'visible_output_tokens', 'value', CAST(CASE WHEN visible_output_cost IS NULL THEN visible_output_tokens END AS DECIMAL(22, 3))),
        named_struct('key', 'reasoning_output_tokens', 'value', CAST(CASE WHEN reasoning_output_cost IS NULL THEN reasoning_output_tokens END AS DECIMAL(22, 3)))
      ),
      COALESCE(
        transform(unpriced_other, e -> named_struct('key', e.key, 'value', CAST(e.value AS DECIMAL(22, 3)))), array()
      )
    ),
    e -> e.value IS NOT NULL
  )) END AS unpriced_usage,
  price_provider, price_model, price_id, price_source, price_version
FROM decided
