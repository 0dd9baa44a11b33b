WITH grouped AS (
  SELECT
    coalesce(ServiceName, '(none)') AS service,
    coalesce(sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-03-01' AND ChargePeriodStart < TIMESTAMP '2026-04-01' THEN EffectiveCost END), 0) AS effective_cost,
    coalesce(sum(CASE WHEN ChargePeriodStart >= TIMESTAMP '2026-02-01' AND ChargePeriodStart < TIMESTAMP '2026-03-01' THEN EffectiveCost END), 0) AS effective_cost_previous
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-02-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1
)
SELECT
  service,
  effective_cost,
  effective_cost_previous,
  effective_cost - effective_cost_previous AS effective_cost_change,
  CAST(effective_cost - effective_cost_previous AS DOUBLE) / nullif(abs(CAST(effective_cost_previous AS DOUBLE)), 0) AS effective_cost_change_ratio
FROM grouped
ORDER BY effective_cost_change DESC NULLS LAST, service
LIMIT 5
