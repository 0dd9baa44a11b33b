WITH grouped AS (
  SELECT
    coalesce(sum(CASE WHEN x_Team IS NULL THEN EffectiveCost END), 0) AS effective_cost,
    coalesce(sum(EffectiveCost), 0) AS whole
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  HAVING count(*) > 0
)
SELECT
  effective_cost,
  CAST(effective_cost AS DOUBLE) / nullif(CAST(whole AS DOUBLE), 0) AS share
FROM grouped
