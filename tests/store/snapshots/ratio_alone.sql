SELECT
  coalesce(coalesce(RegionId, RegionName), '(none)') AS region,
  CAST(sum(ListCost) AS DOUBLE) / nullif(CAST(sum(x_GpuHours) AS DOUBLE), 0) AS cost_per_gpu_hour
FROM focus
WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
  AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  AND x_GpuHours IS NOT NULL
GROUP BY 1
ORDER BY cost_per_gpu_hour DESC NULLS LAST, region
