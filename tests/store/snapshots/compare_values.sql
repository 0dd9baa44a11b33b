WITH grouped AS (
  SELECT
    coalesce(x_Team, '(untagged)') AS team,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND x_Team IN ('search', 'ads')
  GROUP BY 1
),
asked AS (
  SELECT * FROM (
    VALUES
      ('search'),
      ('ads')
  ) AS listed(team)
),
complete AS (
  SELECT
    asked.team,
    CASE WHEN grouped.team IS NULL THEN 0 ELSE grouped.effective_cost END AS effective_cost
  FROM asked
  LEFT JOIN grouped
    ON grouped.team = asked.team
  WHERE EXISTS (SELECT 1 FROM grouped)
)
SELECT
  team,
  effective_cost
FROM complete
ORDER BY effective_cost DESC NULLS LAST, team
