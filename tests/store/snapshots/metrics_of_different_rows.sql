SELECT
  coalesce(x_ModelId, '(none)') AS model,
  sum(EffectiveCost) AS effective_cost,
  sum(CASE WHEN ConsumedUnit = 'Tokens' THEN ConsumedQuantity END) AS tokens,
  sum(CASE WHEN ConsumedUnit = 'Tokens' AND x_TokenDirection = 'Input' THEN ConsumedQuantity END) AS input_tokens,
  CAST(sum(CASE WHEN ConsumedUnit = 'Tokens' THEN EffectiveCost END) AS DOUBLE) / nullif(CAST(sum(CASE WHEN ConsumedUnit = 'Tokens' THEN ConsumedQuantity END) AS DOUBLE), 0) * 1000000 AS cost_per_1m_tokens
FROM focus
WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
  AND ChargePeriodStart < TIMESTAMP '2026-04-01'
GROUP BY 1
ORDER BY effective_cost DESC NULLS LAST, model
