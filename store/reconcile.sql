-- Billed against priced, per provider, model and day: what vendors bill for tokens beside what the
-- dated price list says the reported usage costs.
WITH billed AS (
    SELECT ServiceProviderName AS provider, x_ModelId AS model,
           CAST(ChargePeriodStart AS DATE) AS day, BillingCurrency AS currency,
           sum(EffectiveCost) AS billed,
           sum(ConsumedQuantity) FILTER (ConsumedUnit = 'Tokens') AS tokens_billed
    FROM focus
    WHERE x_ModelId IS NOT NULL AND ChargeCategory = 'Usage'
      AND (x_TokenDirection IS NOT NULL OR ConsumedUnit = 'Tokens')
      AND ($scope) AND ChargePeriodStart >= $start AND ChargePeriodStart < $end
    GROUP BY ALL
),
used AS (
    SELECT ServiceProviderName AS provider, x_ModelId AS model,
           CAST(ChargePeriodStart AS DATE) AS day,
           sum(PricedCost) AS priced, sum(Tokens) AS tokens_used,
           coalesce(sum(Tokens) FILTER (PricedBy IS NULL), 0) AS tokens_unpriced,
           min(Layer) AS layer
    FROM usage
    WHERE Chosen AND Layer <> 'bill' AND Measure = 'tokens'
      AND ($scope) AND ChargePeriodStart >= $start AND ChargePeriodStart < $end
    GROUP BY ALL
)
SELECT coalesce(b.provider, u.provider) AS provider, coalesce(b.model, u.model) AS model,
       coalesce(b.day, u.day) AS day, coalesce(b.currency, 'USD') AS currency,
       b.billed, u.priced, b.tokens_billed, u.tokens_used, u.tokens_unpriced, u.layer
FROM billed b FULL JOIN used u
  ON b.provider = u.provider AND b.model = u.model AND b.day = u.day
ORDER BY 1, 2, 3
