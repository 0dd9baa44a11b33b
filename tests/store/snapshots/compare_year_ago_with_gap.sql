WITH grouped AS (
  SELECT
    CASE WHEN count(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-03-01' AND ChargePeriodStart < TIMESTAMP '2026-04-01' THEN 1 END) = 0 THEN 0 ELSE sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-03-01' AND ChargePeriodStart < TIMESTAMP '2026-04-01' AND ChargeCategory = 'Usage' THEN ListCost - EffectiveCost END) END AS savings,
    CASE WHEN count(CASE WHEN ChargePeriodStart >= TIMESTAMP '2025-03-01' AND ChargePeriodStart < TIMESTAMP '2025-04-01' THEN 1 END) = 0 THEN 0 ELSE sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2025-03-01' AND ChargePeriodStart < TIMESTAMP '2025-04-01' AND ChargeCategory = 'Usage' THEN ListCost - EffectiveCost END) END AS savings_previous,
    CAST(sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-03-01' AND ChargePeriodStart < TIMESTAMP '2026-04-01' AND ConsumedUnit = 'Tokens' THEN EffectiveCost END) AS DOUBLE) / nullif(CAST(sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-03-01' AND ChargePeriodStart < TIMESTAMP '2026-04-01' AND ConsumedUnit = 'Tokens' THEN ConsumedQuantity END) AS DOUBLE), 0) * 1000000 AS cost_per_1m_tokens,
    CAST(sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2025-03-01' AND ChargePeriodStart < TIMESTAMP '2025-04-01' AND ConsumedUnit = 'Tokens' THEN EffectiveCost END) AS DOUBLE) / nullif(CAST(sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2025-03-01' AND ChargePeriodStart < TIMESTAMP '2025-04-01' AND ConsumedUnit = 'Tokens' THEN ConsumedQuantity END) AS DOUBLE), 0) * 1000000 AS cost_per_1m_tokens_previous
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2025-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND ((ChargePeriodStart >= TIMESTAMP '2026-03-01' AND ChargePeriodStart < TIMESTAMP '2026-04-01') OR (ChargePeriodStart >= TIMESTAMP '2025-03-01' AND ChargePeriodStart < TIMESTAMP '2025-04-01'))
  HAVING count(*) > 0
)
SELECT
  savings,
  savings_previous,
  savings - savings_previous AS savings_change,
  CAST(savings - savings_previous AS DOUBLE) / nullif(abs(CAST(savings_previous AS DOUBLE)), 0) AS savings_change_ratio,
  cost_per_1m_tokens,
  cost_per_1m_tokens_previous,
  cost_per_1m_tokens - cost_per_1m_tokens_previous AS cost_per_1m_tokens_change,
  CAST(cost_per_1m_tokens - cost_per_1m_tokens_previous AS DOUBLE) / nullif(abs(CAST(cost_per_1m_tokens_previous AS DOUBLE)), 0) AS cost_per_1m_tokens_change_ratio
FROM grouped
