WITH grouped AS (
  SELECT
    CAST(date_trunc('month', ChargePeriodStart) AS DATE) AS period,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-01-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1
),
periods AS (
  SELECT * FROM (
    VALUES
      (DATE '2026-01-01'),
      (DATE '2026-02-01'),
      (DATE '2026-03-01')
  ) AS listed(period)
),
complete AS (
  SELECT
    periods.period,
    CASE WHEN grouped.period IS NULL THEN 0 ELSE grouped.effective_cost END AS effective_cost
  FROM periods
  LEFT JOIN grouped
    ON grouped.period = periods.period
  WHERE EXISTS (SELECT 1 FROM grouped)
)
SELECT
  period,
  effective_cost
FROM complete
ORDER BY period, effective_cost DESC NULLS LAST
