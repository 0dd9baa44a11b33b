SELECT
  coalesce(ServiceName, '(none)') AS service,
  coalesce(coalesce(SubAccountId, BillingAccountId), '(none)') AS account,
  sum(EffectiveCost) AS effective_cost
FROM focus
WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
  AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  AND ServiceProviderName IN ('AWS', 'Google Cloud')
  AND (x_Team NOT IN ('search') OR x_Team IS NULL)
  AND x_Environment IS NULL
  AND strpos(lower(ResourceId), lower('gpu')) > 0
GROUP BY 1, 2
HAVING sum(EffectiveCost) > 0.5
ORDER BY effective_cost DESC NULLS LAST, service, account
LIMIT 5
