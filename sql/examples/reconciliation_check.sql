-- Is every record of every source accounted for, up to the last byte?
SELECT
    source,
    ingest_date,
    source_records,
    bronze_records,
    bronze_rejected,
    invocations,
    paired_records,
    duplicate_records,
    silver_rejected,
    ignored_records,
    unexplained_bronze,
    unexplained_silver,
    unexplained_bytes,
    is_balanced
FROM gold.reconciliation
ORDER BY is_balanced, source, ingest_date
