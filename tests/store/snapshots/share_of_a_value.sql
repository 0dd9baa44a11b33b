WITH grouped AS (
  SELECT
    coalesce(ServiceProviderName, '(none)') AS provider,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1
),
measured AS (
  SELECT
    provider,
    effective_cost,
    CAST(effective_cost AS DOUBLE) / nullif(CAST(sum(effective_cost) OVER () AS DOUBLE), 0) AS share
  FROM grouped
)
SELECT
  provider,
  effective_cost,
  share
FROM measured
WHERE nullif(provider, '(none)') IN ('AWS')
ORDER BY effective_cost DESC NULLS LAST, provider
