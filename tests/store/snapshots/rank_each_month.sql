WITH grouped AS (
  SELECT
    CAST(date_trunc('month', ChargePeriodStart) AS DATE) AS period,
    coalesce(x_Team, '(untagged)') AS team,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-01-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1, 2
),
measured AS (
  SELECT
    period,
    team,
    effective_cost,
    rank() OVER (PARTITION BY period ORDER BY effective_cost DESC NULLS LAST) AS rank
  FROM grouped
),
placed AS (
  SELECT
    period,
    team,
    effective_cost,
    rank,
    row_number() OVER (PARTITION BY period ORDER BY period, effective_cost DESC NULLS LAST, team) AS place
  FROM measured
)
SELECT
  period,
  team,
  effective_cost,
  rank
FROM placed
WHERE place <= 2
ORDER BY period, effective_cost DESC NULLS LAST, team
