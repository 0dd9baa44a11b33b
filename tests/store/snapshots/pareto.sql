WITH grouped AS (
  SELECT
    coalesce(ServiceName, '(none)') AS service,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1
)
SELECT
  service,
  effective_cost,
  CAST(effective_cost AS DOUBLE) / nullif(CAST(sum(effective_cost) OVER () AS DOUBLE), 0) AS share,
  CAST(sum(effective_cost) OVER (ORDER BY effective_cost DESC NULLS LAST, service ROWS UNBOUNDED PRECEDING) AS DOUBLE) / nullif(CAST(sum(effective_cost) OVER () AS DOUBLE), 0) AS cumulative_share
FROM grouped
ORDER BY effective_cost DESC NULLS LAST, service
LIMIT 10
