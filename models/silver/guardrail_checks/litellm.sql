-- Guardrail verdicts that LiteLLM logged with a call: a list of objects, in older versions one object.
-- From `timed` on, the text is that of litellm_spend_logs.sql; tests/models/test_litellm.py holds the two together.
WITH records AS (
  SELECT
    ingest_sequence, source, coalesce(nullif(record_key, ''), sha2(raw_text, 256)) AS native_key,
    from_json(coalesce(normalized_text, raw_text), 'STRUCT<startTime: STRING, guardrail_information: STRING,
      metadata: STRUCT<guardrail_information: STRING>>') AS r
  FROM bronze.raw_records
),
logged AS (
  SELECT
    ingest_sequence, source, native_key, nullif(r.startTime, '') AS start_text, CAST(NULL AS STRING) AS end_text,
    CAST(NULL AS STRING) AS first_text,
    coalesce(r.guardrail_information, r.metadata.guardrail_information) AS information
  FROM records
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
listed AS (
  SELECT ingest_sequence, source, invocation_id, event_date, event_us, pos, item
  FROM (
    SELECT *, from_json(
      CASE WHEN information LIKE '[%' THEN information WHEN information LIKE '{%' THEN concat('[', information, ']') END,
      'ARRAY<STRUCT<guardrail_name: STRING, guardrail_provider: STRING, guardrail_mode: STRING, guardrail_status: STRING,
        guardrail_response: STRING, guardrail_action: STRING, classification: STRING,
        violation_categories: ARRAY<STRING>, start_time: STRING, duration: STRING, masked_entity_count: MAP<STRING, STRING>,
        confidence_score: STRING, risk_score: STRING>>') AS items
    FROM identified
    WHERE event_us IS NOT NULL AND information IS NOT NULL
  )
  LATERAL VIEW posexplode(items) listing AS pos, item
),
counted AS (
  SELECT *,
    -- When the guardrail ran; the call's own time where that is not told in epoch seconds.
    CASE WHEN item.start_time RLIKE '^[0-9]{9,10}([.][0-9]+)?([eE][+]?9)?$'
      THEN CAST(try_cast(item.start_time AS DECIMAL(24, 6)) * 1000000 AS BIGINT) ELSE event_us END AS checked_us,
    map_from_entries(transform(
      filter(map_entries(item.masked_entity_count), e -> e.value RLIKE '^[0-9]{1,15}$' AND e.value RLIKE '[1-9]'),
      e -> named_struct('key', e.key, 'value', CAST(e.value AS BIGINT)))) AS entity_counts,
    coalesce(size(filter(map_entries(item.masked_entity_count), e -> e.value RLIKE '[1-9]')) > 0, false) AS has_masked
  FROM listed
)
SELECT
  concat(invocation_id, '-', lpad(CAST(pos AS STRING), 4, '0')) AS check_id,
  event_date,
  ingest_sequence,
  timestampadd(MICROSECOND, checked_us, TIMESTAMP '1970-01-01 00:00:00') AS event_time,
  invocation_id,
  source AS log_source,
  coalesce(nullif(item.guardrail_name, ''), 'unnamed') AS guardrail_name,
  item.guardrail_provider AS guardrail_provider,
  CASE WHEN item.guardrail_mode LIKE '%post_%' THEN 'output' ELSE 'input' END AS phase,
  CASE WHEN item.guardrail_mode LIKE '%logging_only%' THEN 'shadow' ELSE 'enforce' END AS mode,
  CASE
    WHEN item.guardrail_status = 'guardrail_failed_to_respond' THEN 'error'
    WHEN item.guardrail_status LIKE '%flagged' THEN 'flag'
    WHEN item.guardrail_status = 'success' THEN CASE WHEN has_masked THEN 'mask' ELSE 'pass' END
    WHEN item.guardrail_status IN ('guardrail_intervened', 'blocked') THEN CASE WHEN has_masked THEN 'mask' ELSE 'block' END
    ELSE 'error'
  END AS verdict,
  coalesce(nullif(array_join(item.violation_categories, ', '), ''), nullif(item.classification, '')) AS category,
  CASE
    WHEN item.confidence_score RLIKE '^[0-9]*[.]?[0-9]+([eE]-?[0-9]{1,2})?$'
      THEN least(try_cast(item.confidence_score AS DOUBLE), CAST(1 AS DOUBLE))
    WHEN item.risk_score RLIKE '^[0-9]*[.]?[0-9]+([eE]-?[0-9]{1,2})?$'
      THEN least(try_cast(item.risk_score AS DOUBLE) / CAST(10 AS DOUBLE), CAST(1 AS DOUBLE))
  END AS score,
  entity_counts,
  CASE WHEN item.duration RLIKE '^[0-9]{0,9}[.]?[0-9]+([eE]-?[0-9]{1,2})?$'
    THEN CAST(floor(try_cast(item.duration AS DOUBLE) * 1000) AS BIGINT) END AS latency_ms,
  item.guardrail_response AS detail
FROM counted
WHERE item.guardrail_status IS NOT NULL AND item.guardrail_status <> 'not_run'
