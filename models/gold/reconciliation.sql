-- A record is explained only when the call that it belongs to is found in silver, or its refusal: a lost one shows as unexplained.
WITH raw AS (
  SELECT source, ingest_date, ingest_sequence, record_kind, coalesce(record_key, CAST(ingest_sequence AS STRING)) AS record_key
  FROM bronze.raw_records
),
explained AS (
  SELECT
    r.source,
    r.ingest_date,
    CASE
      WHEN r.record_kind = 'GAP' THEN 'gap'
      WHEN r.record_kind IN ('CONFIG', 'IDENTITY', 'EVENT') THEN 'ignored'
      WHEN w.ingest_sequence IS NOT NULL THEN 'invocation'
      WHEN x.ingest_sequence IS NOT NULL THEN 'rejected'
      WHEN k.source_record_key IS NOT NULL AND r.record_kind IN ('ADMIT', 'ATTEMPT') THEN 'paired'
      WHEN k.source_record_key IS NOT NULL THEN 'duplicate'
      ELSE 'unexplained'
    END AS fate,
    coalesce(size(w.data_issues) > 0, FALSE) AS has_issues
  FROM raw AS r
  LEFT JOIN silver.invocations AS w ON w.ingest_sequence = r.ingest_sequence
  LEFT JOIN (
    SELECT DISTINCT ingest_sequence FROM silver.rejected_records WHERE table_name = 'silver.invocations'
  ) AS x ON x.ingest_sequence = r.ingest_sequence
  LEFT JOIN (
    SELECT log_source, source_record_key FROM silver.invocations
    UNION
    SELECT log_source, source_record_key FROM silver.rejected_records WHERE table_name = 'silver.invocations'
  ) AS k
    ON k.log_source = r.source AND k.source_record_key = r.record_key
),
fates AS (
  SELECT
    source,
    ingest_date,
    count_if(fate = 'gap') AS gap_records,
    count_if(fate <> 'gap') AS bronze_records,
    count_if(fate = 'invocation') AS invocations,
    count_if(fate = 'paired') AS paired_records,
    count_if(fate = 'duplicate') AS duplicate_records,
    count_if(fate = 'rejected') AS silver_rejected,
    count_if(fate = 'ignored') AS ignored_records,
    count_if(has_issues) AS records_with_issues
  FROM explained
  GROUP BY source, ingest_date
),
objects AS (
  SELECT
    source,
    CAST(ingested_at AS DATE) AS ingest_date,
    count(*) AS objects,
    sum(object_bytes - read_from_byte) AS object_bytes,
    sum(framed_bytes) AS framed_bytes,
    sum(rejected_bytes) AS rejected_bytes,
    sum(separator_bytes) AS separator_bytes,
    sum(coalesce(declared_records, framed_records + rejected_records)) AS source_records
  FROM bronze.source_objects
  GROUP BY source, CAST(ingested_at AS DATE)
),
refused AS (
  SELECT source, ingest_date, count(*) AS bronze_rejected FROM bronze.rejected_records GROUP BY source, ingest_date
),
prices AS (
  SELECT
    log_source AS source,
    ingest_date,
    count_if(pricing_status = 'priced') AS priced_attempts,
    count_if(pricing_status = 'partial') AS partial_attempts,
    count_if(pricing_status = 'unpriced') AS unpriced_attempts,
    count_if(pricing_status = 'not_billable') AS not_billable_attempts
  FROM gold.costs
  GROUP BY log_source, ingest_date
),
days AS (
  SELECT source, ingest_date FROM fates
  UNION
  SELECT source, ingest_date FROM objects
  UNION
  SELECT source, ingest_date FROM refused
),
joined AS (
  SELECT
    d.source AS source,
    d.ingest_date AS ingest_date,
    coalesce(o.objects, 0) AS objects,
    coalesce(o.object_bytes, 0) AS object_bytes,
    coalesce(o.framed_bytes, 0) AS framed_bytes,
    coalesce(o.rejected_bytes, 0) AS rejected_bytes,
    coalesce(o.separator_bytes, 0) AS separator_bytes,
    coalesce(o.source_records, 0) AS source_records,
    coalesce(f.bronze_records, 0) AS bronze_records,
    coalesce(x.bronze_rejected, 0) AS bronze_rejected,
    coalesce(f.gap_records, 0) AS gap_records,
    coalesce(f.invocations, 0) AS invocations,
    coalesce(f.paired_records, 0) AS paired_records,
    coalesce(f.duplicate_records, 0) AS duplicate_records,
    coalesce(f.silver_rejected, 0) AS silver_rejected,
    coalesce(f.ignored_records, 0) AS ignored_records,
    coalesce(f.records_with_issues, 0) AS records_with_issues,
    coalesce(p.priced_attempts, 0) AS priced_attempts,
    coalesce(p.partial_attempts, 0) AS partial_attempts,
    coalesce(p.unpriced_attempts, 0) AS unpriced_attempts,
    coalesce(p.not_billable_attempts, 0) AS not_billable_attempts
  FROM days AS d
  LEFT JOIN fates AS f ON f.source = d.source AND f.ingest_date = d.ingest_date
  LEFT JOIN objects AS o ON o.source = d.source AND o.ingest_date = d.ingest_date
  LEFT JOIN refused AS x ON x.source = d.source AND x.ingest_date = d.ingest_date
  LEFT JOIN prices AS p ON p.source = d.source AND p.ingest_date = d.ingest_date
),
summed AS (
  SELECT
    *,
    object_bytes - framed_bytes - rejected_bytes - separator_bytes AS unexplained_bytes,
    source_records - bronze_records - bronze_rejected AS unexplained_bronze,
    bronze_records - invocations - paired_records - duplicate_records - silver_rejected - ignored_records
      AS unexplained_silver
  FROM joined
)
SELECT *, unexplained_bytes = 0 AND unexplained_bronze = 0 AND unexplained_silver = 0 AS is_balanced FROM summed
