-- Which models have no price, or only a part of one, so that their cost is missing?
SELECT
    provider,
    destination_model,
    pricing_status,
    count(*) AS attempts,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens
FROM gold.costs
WHERE pricing_status IN ('unpriced', 'partial') AND invocation_state = 'final' AND destination_model IS NOT NULL
GROUP BY provider, destination_model, pricing_status
ORDER BY attempts DESC, provider, destination_model, pricing_status
