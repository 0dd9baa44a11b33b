WITH members AS (
  SELECT
    x_Team AS member
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND x_Team IS NOT NULL
  GROUP BY 1
  HAVING sum(EffectiveCost) >= 1000
)
SELECT
  count(*) AS count
FROM members
