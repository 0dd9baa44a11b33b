WITH costs AS (
  SELECT
    sum(EffectiveCost) AS effective_cost,
    count(*) AS found
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
),
model_usage AS (
  SELECT
    sum(Tokens) AS tokens,
    count(*) AS found
  FROM usage
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND Chosen
    AND Tokens IS NOT NULL
),
grouped AS (
  SELECT
    costs.effective_cost,
    model_usage.tokens
  FROM costs
  CROSS JOIN model_usage
  WHERE costs.found + model_usage.found > 0
)
SELECT
  effective_cost,
  tokens
FROM grouped
