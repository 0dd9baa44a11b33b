SELECT
  sum(Tokens) AS tokens
FROM usage
WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
  AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  AND Chosen
  AND Tokens IS NOT NULL
HAVING count(*) > 0
