SELECT
  sum(EffectiveCost) AS effective_cost
FROM focus
WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
  AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  AND x_Team IN ('search', 'ads')
HAVING count(*) > 0
