WITH costs AS (
  SELECT
    BillingCurrency AS currency,
    coalesce(ServiceProviderName, '(none)') AS provider,
    CAST(ChargePeriodStart AS DATE) AS match_day,
    coalesce(ServiceProviderName, '(none)') AS match_1,
    coalesce(SubAccountId, '(none)') AS match_2,
    coalesce(x_ModelId, '(none)') AS match_3,
    sum(EffectiveCost) AS effective_cost,
    sum(CASE WHEN (x_TokenDirection IS NOT NULL OR ConsumedUnit = 'Tokens') THEN EffectiveCost END) AS cost_per_1m_tokens_above
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1, 2, 3, 4, 5, 6
),
model_usage AS (
  SELECT
    coalesce(ServiceProviderName, '(none)') AS provider,
    CAST(ChargePeriodStart AS DATE) AS match_day,
    coalesce(ServiceProviderName, '(none)') AS match_1,
    coalesce(SubAccountId, '(none)') AS match_2,
    coalesce(x_ModelId, '(none)') AS match_3,
    BillingCurrency AS billed_in,
    sum(Tokens) AS cost_per_1m_tokens_below
  FROM usage
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND Chosen
    AND Tokens IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5, 6
),
usage_in AS (
  SELECT
    coalesce(model_usage.billed_in, priced.currency, '(none)') AS currency,
    model_usage.provider,
    model_usage.match_day,
    model_usage.match_1,
    model_usage.match_2,
    model_usage.match_3,
    sum(model_usage.cost_per_1m_tokens_below) AS cost_per_1m_tokens_below
  FROM model_usage
  LEFT JOIN (
    SELECT
      provider,
      match_day,
      match_1,
      match_2,
      match_3,
      min(currency) AS currency
    FROM costs
    GROUP BY 1, 2, 3, 4, 5
    HAVING min(currency) = max(currency)
  ) AS priced
    ON model_usage.provider = priced.provider
    AND model_usage.match_day = priced.match_day
    AND model_usage.match_1 = priced.match_1
    AND model_usage.match_2 = priced.match_2
    AND model_usage.match_3 = priced.match_3
  GROUP BY 1, 2, 3, 4, 5, 6
),
grouped AS (
  SELECT
    coalesce(costs.currency, usage_in.currency) AS currency,
    coalesce(costs.provider, usage_in.provider) AS provider,
    sum(costs.effective_cost) AS effective_cost,
    CAST(sum(CASE WHEN costs.cost_per_1m_tokens_above IS NOT NULL AND usage_in.cost_per_1m_tokens_below IS NOT NULL THEN costs.cost_per_1m_tokens_above END) AS DOUBLE) / nullif(CAST(sum(CASE WHEN costs.cost_per_1m_tokens_above IS NOT NULL AND usage_in.cost_per_1m_tokens_below IS NOT NULL THEN usage_in.cost_per_1m_tokens_below END) AS DOUBLE), 0) * 1000000 AS cost_per_1m_tokens
  FROM costs
  FULL JOIN usage_in
    ON costs.currency = usage_in.currency
    AND costs.provider = usage_in.provider
    AND costs.match_day = usage_in.match_day
    AND costs.match_1 = usage_in.match_1
    AND costs.match_2 = usage_in.match_2
    AND costs.match_3 = usage_in.match_3
  GROUP BY 1, 2
)
SELECT
  currency,
  provider,
  effective_cost,
  cost_per_1m_tokens
FROM grouped
ORDER BY currency, effective_cost DESC NULLS LAST, provider
