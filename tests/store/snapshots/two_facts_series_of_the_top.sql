WITH costs AS (
  SELECT
    CAST(date_trunc('month', ChargePeriodStart) AS DATE) AS period,
    coalesce(x_ModelId, '(none)') AS model,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-01-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1, 2
),
model_usage AS (
  SELECT
    CAST(date_trunc('month', ChargePeriodStart) AS DATE) AS period,
    coalesce(x_ModelId, '(none)') AS model,
    sum(Tokens) AS tokens
  FROM usage
  WHERE ChargePeriodStart >= TIMESTAMP '2026-01-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND Chosen
    AND Tokens IS NOT NULL
  GROUP BY 1, 2
),
grouped AS (
  SELECT
    coalesce(costs.period, model_usage.period) AS period,
    coalesce(costs.model, model_usage.model) AS model,
    model_usage.tokens,
    costs.effective_cost
  FROM costs
  FULL JOIN model_usage
    ON costs.period = model_usage.period
    AND costs.model = model_usage.model
),
periods AS (
  SELECT * FROM (
    VALUES
      (DATE '2026-01-01'),
      (DATE '2026-02-01'),
      (DATE '2026-03-01')
  ) AS listed(period)
),
costs_over AS (
  SELECT
    coalesce(x_ModelId, '(none)') AS model,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-01-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1
),
model_usage_over AS (
  SELECT
    coalesce(x_ModelId, '(none)') AS model,
    sum(Tokens) AS tokens
  FROM usage
  WHERE ChargePeriodStart >= TIMESTAMP '2026-01-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND Chosen
    AND Tokens IS NOT NULL
  GROUP BY 1
),
largest AS (
  SELECT
    coalesce(costs_over.model, model_usage_over.model) AS model,
    model_usage_over.tokens
  FROM costs_over
  FULL JOIN model_usage_over
    ON costs_over.model = model_usage_over.model
  ORDER BY tokens DESC NULLS LAST, model
  LIMIT 2
),
items AS (
  SELECT
    model
  FROM largest
),
complete AS (
  SELECT
    periods.period,
    items.model,
    CASE WHEN grouped.model IS NULL THEN 0 ELSE grouped.tokens END AS tokens,
    CASE WHEN grouped.model IS NULL THEN 0 ELSE grouped.effective_cost END AS effective_cost
  FROM periods CROSS JOIN items
  LEFT JOIN grouped
    ON grouped.period = periods.period
    AND grouped.model = items.model
)
SELECT
  period,
  model,
  tokens,
  effective_cost
FROM complete
ORDER BY period, tokens DESC NULLS LAST, model
