SELECT
  coalesce(x_Feature, '(untagged)') AS feature,
  sum(Requests) AS requests
FROM usage
WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
  AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  AND ChosenDetail
  AND ServiceProviderName IN ('OpenAI')
  AND 'AI' IN ('AI')
  AND Requests IS NOT NULL
GROUP BY 1
ORDER BY requests DESC NULLS LAST, feature
