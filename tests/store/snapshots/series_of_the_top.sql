WITH grouped AS (
  SELECT
    CAST(date_trunc('week', ChargePeriodStart) AS DATE) AS period,
    coalesce(x_Team, '(untagged)') AS team,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-01-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1, 2
),
periods AS (
  SELECT * FROM (
    VALUES
      (DATE '2026-01-12'),
      (DATE '2026-01-19'),
      (DATE '2026-01-26'),
      (DATE '2026-02-02'),
      (DATE '2026-02-09'),
      (DATE '2026-02-16'),
      (DATE '2026-02-23'),
      (DATE '2026-03-02'),
      (DATE '2026-03-09'),
      (DATE '2026-03-16'),
      (DATE '2026-03-23'),
      (DATE '2026-03-30')
  ) AS listed(period)
),
largest AS (
  SELECT
    coalesce(x_Team, '(untagged)') AS team,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-01-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1
  ORDER BY effective_cost DESC NULLS LAST, team
  LIMIT 3
),
items AS (
  SELECT
    team
  FROM largest
),
complete AS (
  SELECT
    periods.period,
    items.team,
    CASE WHEN grouped.team IS NULL THEN 0 ELSE grouped.effective_cost END AS effective_cost
  FROM periods CROSS JOIN items
  LEFT JOIN grouped
    ON grouped.period = periods.period
    AND grouped.team = items.team
)
SELECT
  period,
  team,
  effective_cost
FROM complete
ORDER BY period, effective_cost DESC NULLS LAST, team
