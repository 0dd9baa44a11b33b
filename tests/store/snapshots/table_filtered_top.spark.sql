SELECT
  COALESCE(ServiceName, '(none)') AS service,
  COALESCE(COALESCE(SubAccountId, BillingAccountId), '(none)') AS account,
  SUM(EffectiveCost) AS effective_cost
FROM focus
WHERE
  ChargePeriodStart >= CAST('2026-03-01' AS TIMESTAMP_NTZ)
  AND ChargePeriodStart < CAST('2026-04-01' AS TIMESTAMP_NTZ)
  AND ServiceProviderName IN ('AWS', 'Google Cloud')
  AND (
    NOT x_Team IN ('search') OR x_Team IS NULL
  )
  AND x_Environment IS NULL
  AND LOCATE(LOWER('gpu'), LOWER(ResourceId)) > 0
GROUP BY
  1,
  2
HAVING
  SUM(EffectiveCost) > 0.5
ORDER BY
  effective_cost DESC,
  service NULLS LAST,
  account NULLS LAST
LIMIT 5
