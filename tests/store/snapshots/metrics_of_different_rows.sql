WITH costs AS (
  SELECT
    coalesce(x_ModelId, '(none)') AS model,
    CAST(ChargePeriodStart AS DATE) AS match_day,
    coalesce(ServiceProviderName, '(none)') AS match_1,
    coalesce(SubAccountId, '(none)') AS match_2,
    coalesce(x_ModelId, '(none)') AS match_3,
    sum(EffectiveCost) AS effective_cost,
    sum(CASE WHEN (x_TokenDirection IS NOT NULL OR ConsumedUnit = 'Tokens') THEN EffectiveCost END) AS cost_per_1m_tokens_above
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1, 2, 3, 4, 5
),
model_usage AS (
  SELECT
    coalesce(x_ModelId, '(none)') AS model,
    CAST(ChargePeriodStart AS DATE) AS match_day,
    coalesce(ServiceProviderName, '(none)') AS match_1,
    coalesce(SubAccountId, '(none)') AS match_2,
    coalesce(x_ModelId, '(none)') AS match_3,
    sum(Tokens) AS tokens,
    sum(CASE WHEN x_TokenDirection = 'Input' THEN Tokens END) AS input_tokens,
    sum(Tokens) AS cost_per_1m_tokens_below
  FROM usage
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND Chosen
    AND Tokens IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5
),
grouped AS (
  SELECT
    coalesce(costs.model, model_usage.model) AS model,
    sum(costs.effective_cost) AS effective_cost,
    sum(model_usage.tokens) AS tokens,
    sum(model_usage.input_tokens) AS input_tokens,
    CAST(sum(CASE WHEN costs.cost_per_1m_tokens_above IS NOT NULL AND model_usage.cost_per_1m_tokens_below IS NOT NULL THEN costs.cost_per_1m_tokens_above END) AS DOUBLE) / nullif(CAST(sum(CASE WHEN costs.cost_per_1m_tokens_above IS NOT NULL AND model_usage.cost_per_1m_tokens_below IS NOT NULL THEN model_usage.cost_per_1m_tokens_below END) AS DOUBLE), 0) * 1000000 AS cost_per_1m_tokens
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
  effective_cost,
  tokens,
  input_tokens,
  cost_per_1m_tokens
FROM grouped
ORDER BY effective_cost DESC NULLS LAST, model
