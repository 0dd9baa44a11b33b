WITH grouped AS (
  SELECT
    BillingCurrency AS currency,
    coalesce(ServiceName, '(none)') AS service,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1, 2
),
measured AS (
  SELECT
    currency,
    service,
    effective_cost,
    CAST(effective_cost AS DOUBLE) / nullif(CAST(sum(effective_cost) OVER (PARTITION BY currency) AS DOUBLE), 0) AS share
  FROM grouped
),
placed AS (
  SELECT
    currency,
    service,
    effective_cost,
    share,
    row_number() OVER (PARTITION BY currency ORDER BY currency, effective_cost DESC NULLS LAST, service) AS place
  FROM measured
)
SELECT
  currency,
  service,
  effective_cost,
  share
FROM placed
WHERE place <= 2
ORDER BY currency, effective_cost DESC NULLS LAST, service
