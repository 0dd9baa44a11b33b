SELECT
  sum(ConsumedQuantity) AS tokens
FROM focus
WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
  AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  AND ConsumedUnit = 'Tokens'
HAVING count(*) > 0
