"""The queries that show what became of a record."""

CALLS = """
    SELECT i.*, CAST(i.event_date AS STRING) AS date, r.object_path,
      date_format(i.event_time, 'yyyy-MM-dd HH:mm:ss.SSSSSS') AS time, p.prompt_text, p.completion_text,
      length(p.prompt_text) AS prompt_characters, p.request, p.response, p.logging_error_codes,
      c.pricing_status, c.cost_usd
    FROM silver.invocations i JOIN bronze.raw_records r ON r.ingest_sequence = i.ingest_sequence
    LEFT JOIN silver.payloads p ON p.invocation_id = i.invocation_id
    LEFT JOIN gold.costs c ON c.invocation_id = i.invocation_id
    ORDER BY r.ingest_sequence
"""
UNMAPPED = """
    SELECT r.object_path, x.reason FROM silver.rejected_records x
    JOIN bronze.raw_records r ON r.ingest_sequence = x.ingest_sequence ORDER BY x.ingest_sequence
"""
REFUSED = "SELECT object_path, reason, is_base64 FROM bronze.rejected_records ORDER BY object_path, position"
