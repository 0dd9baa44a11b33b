WITH costs AS (
  SELECT
    coalesce(ServiceProviderName, '(none)') AS provider,
    CAST(ChargePeriodStart AS DATE) AS match_day,
    coalesce(ServiceProviderName, '(none)') AS match_1,
    coalesce(SubAccountId, '(none)') AS match_2,
    coalesce(x_ModelId, '(none)') AS match_3,
    sum(EffectiveCost) AS cost_per_request_above
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND x_ModelId IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5
),
model_usage AS (
  SELECT
    coalesce(ServiceProviderName, '(none)') AS provider,
    CAST(ChargePeriodStart AS DATE) AS match_day,
    coalesce(ServiceProviderName, '(none)') AS match_1,
    coalesce(SubAccountId, '(none)') AS match_2,
    coalesce(x_ModelId, '(none)') AS match_3,
    sum(Requests) AS cost_per_request_below
  FROM usage
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND Chosen
    AND Requests IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5
),
grouped AS (
  SELECT
    coalesce(costs.provider, model_usage.provider) AS provider,
    CAST(sum(CASE WHEN costs.cost_per_request_above IS NOT NULL AND model_usage.cost_per_request_below IS NOT NULL THEN costs.cost_per_request_above END) AS DOUBLE) / nullif(CAST(sum(CASE WHEN costs.cost_per_request_above IS NOT NULL AND model_usage.cost_per_request_below IS NOT NULL THEN model_usage.cost_per_request_below END) AS DOUBLE), 0) AS cost_per_request
  FROM costs
  FULL JOIN model_usage
    ON costs.provider = model_usage.provider
    AND costs.match_day = model_usage.match_day
    AND costs.match_1 = model_usage.match_1
    AND costs.match_2 = model_usage.match_2
    AND costs.match_3 = model_usage.match_3
  GROUP BY 1
)
SELECT
  provider,
  cost_per_request
FROM grouped
ORDER BY cost_per_request DESC NULLS LAST, provider
LIMIT 3
