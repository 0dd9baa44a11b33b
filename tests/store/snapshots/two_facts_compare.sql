WITH costs AS (
  SELECT
    coalesce(x_ModelId, '(none)') AS model,
    CAST(ChargePeriodStart AS DATE) AS match_day,
    coalesce(ServiceProviderName, '(none)') AS match_1,
    coalesce(SubAccountId, '(none)') AS match_2,
    coalesce(x_ModelId, '(none)') AS match_3,
    sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-03-01' AND ChargePeriodStart < TIMESTAMP '2026-04-01' THEN EffectiveCost END) AS cost_per_1m_tokens_above,
    sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-02-01' AND ChargePeriodStart < TIMESTAMP '2026-03-01' THEN EffectiveCost END) AS cost_per_1m_tokens_above_previous
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-02-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND (x_TokenDirection IS NOT NULL OR ConsumedUnit = 'Tokens')
  GROUP BY 1, 2, 3, 4, 5
),
model_usage AS (
  SELECT
    coalesce(x_ModelId, '(none)') AS model,
    CAST(ChargePeriodStart AS DATE) AS match_day,
    coalesce(ServiceProviderName, '(none)') AS match_1,
    coalesce(SubAccountId, '(none)') AS match_2,
    coalesce(x_ModelId, '(none)') AS match_3,
    CASE WHEN count(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-03-01' AND ChargePeriodStart < TIMESTAMP '2026-04-01' THEN 1 END) = 0 THEN 0 ELSE sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-03-01' AND ChargePeriodStart < TIMESTAMP '2026-04-01' THEN Tokens END) END AS tokens,
    CASE WHEN count(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-02-01' AND ChargePeriodStart < TIMESTAMP '2026-03-01' THEN 1 END) = 0 THEN 0 ELSE sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-02-01' AND ChargePeriodStart < TIMESTAMP '2026-03-01' THEN Tokens END) END AS tokens_previous,
    sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-03-01' AND ChargePeriodStart < TIMESTAMP '2026-04-01' THEN Tokens END) AS cost_per_1m_tokens_below,
    sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-02-01' AND ChargePeriodStart < TIMESTAMP '2026-03-01' THEN Tokens END) AS cost_per_1m_tokens_below_previous
  FROM usage
  WHERE ChargePeriodStart >= TIMESTAMP '2026-02-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND Chosen
    AND Tokens IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5
),
grouped AS (
  SELECT
    coalesce(costs.model, model_usage.model) AS model,
    sum(model_usage.tokens) AS tokens,
    sum(model_usage.tokens_previous) AS tokens_previous,
    CAST(sum(CASE WHEN costs.cost_per_1m_tokens_above IS NOT NULL AND model_usage.cost_per_1m_tokens_below IS NOT NULL THEN costs.cost_per_1m_tokens_above END) AS DOUBLE) / nullif(CAST(sum(CASE WHEN costs.cost_per_1m_tokens_above IS NOT NULL AND model_usage.cost_per_1m_tokens_below IS NOT NULL THEN model_usage.cost_per_1m_tokens_below END) AS DOUBLE), 0) * 1000000 AS cost_per_1m_tokens,
    CAST(sum(CASE WHEN costs.cost_per_1m_tokens_above_previous IS NOT NULL AND model_usage.cost_per_1m_tokens_below_previous IS NOT NULL THEN costs.cost_per_1m_tokens_above_previous END) AS DOUBLE) / nullif(CAST(sum(CASE WHEN costs.cost_per_1m_tokens_above_previous IS NOT NULL AND model_usage.cost_per_1m_tokens_below_previous IS NOT NULL THEN model_usage.cost_per_1m_tokens_below_previous END) AS DOUBLE), 0) * 1000000 AS cost_per_1m_tokens_previous
  FROM costs
  FULL JOIN model_usage
    ON costs.model = model_usage.model
    AND costs.match_day = model_usage.match_day
    AND costs.match_1 = model_usage.match_1
    AND costs.match_2 = model_usage.match_2
    AND costs.match_3 = model_usage.match_3
  GROUP BY 1
)
SELECT
  model,
  tokens,
  tokens_previous,
  tokens - tokens_previous AS tokens_change,
  CAST(tokens - tokens_previous AS DOUBLE) / nullif(abs(CAST(tokens_previous AS DOUBLE)), 0) AS tokens_change_ratio,
  cost_per_1m_tokens,
  cost_per_1m_tokens_previous,
  cost_per_1m_tokens - cost_per_1m_tokens_previous AS cost_per_1m_tokens_change,
  CAST(cost_per_1m_tokens - cost_per_1m_tokens_previous AS DOUBLE) / nullif(abs(CAST(cost_per_1m_tokens_previous AS DOUBLE)), 0) AS cost_per_1m_tokens_change_ratio
FROM grouped
ORDER BY tokens DESC NULLS LAST, model
