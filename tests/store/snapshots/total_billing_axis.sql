SELECT
  sum(EffectiveCost) AS effective_cost
FROM focus
WHERE BillingPeriodStart >= TIMESTAMP '2026-03-01'
  AND BillingPeriodStart < TIMESTAMP '2026-04-01'
  AND ChargePeriodStart < TIMESTAMP '2026-04-01'
HAVING count(*) > 0
