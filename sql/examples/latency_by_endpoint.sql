-- How long do calls take at each endpoint: median, 95th and 99th percentile?
SELECT
    endpoint_name,
    count(*) AS calls,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS latency_p50_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS latency_p95_ms,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS latency_p99_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY time_to_first_byte_ms) AS time_to_first_byte_p95_ms
FROM system.ai_gateway.usage
WHERE status_code = 200
GROUP BY endpoint_name
ORDER BY latency_p95_ms DESC, endpoint_name
