WITH grouped AS (
  SELECT
    CAST(date_trunc('week', ChargePeriodStart) AS DATE) AS period,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1
),
baseline AS (
  SELECT
    CAST(date_trunc('week', ChargePeriodStart) AS DATE) AS period,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-02-01'
    AND ChargePeriodStart < TIMESTAMP '2026-03-01'
  GROUP BY 1
),
periods AS (
  SELECT * FROM (
    VALUES
      (DATE '2026-02-23', DATE '2026-01-26'),
      (DATE '2026-03-02', DATE '2026-02-02'),
      (DATE '2026-03-09', DATE '2026-02-09'),
      (DATE '2026-03-16', DATE '2026-02-16'),
      (DATE '2026-03-23', DATE '2026-02-23'),
      (DATE '2026-03-30', CAST(NULL AS DATE))
  ) AS listed(period, period_previous)
),
complete AS (
  SELECT
    periods.period,
    CASE WHEN grouped.period IS NULL THEN 0 ELSE grouped.effective_cost END AS effective_cost,
    CASE WHEN periods.period_previous IS NOT NULL AND baseline.period IS NULL THEN 0 ELSE baseline.effective_cost END AS effective_cost_previous
  FROM periods
  LEFT JOIN grouped
    ON grouped.period = periods.period
  LEFT JOIN baseline
    ON baseline.period = periods.period_previous
  WHERE (EXISTS (SELECT 1 FROM grouped) OR EXISTS (SELECT 1 FROM baseline))
)
SELECT
  period,
  effective_cost,
  effective_cost_previous,
  effective_cost - effective_cost_previous AS effective_cost_change,
  CAST(effective_cost - effective_cost_previous AS DOUBLE) / nullif(abs(CAST(effective_cost_previous AS DOUBLE)), 0) AS effective_cost_change_ratio
FROM complete
ORDER BY period, effective_cost DESC NULLS LAST
