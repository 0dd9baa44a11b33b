WITH costs AS (
  SELECT
    CAST(DATE_TRUNC('WEEK', ChargePeriodStart) AS DATE) AS period,
    SUM(EffectiveCost) AS effective_cost
  FROM focus
  WHERE
    ChargePeriodStart >= CAST('2026-03-01' AS TIMESTAMP_NTZ)
    AND ChargePeriodStart < CAST('2026-04-01' AS TIMESTAMP_NTZ)
  GROUP BY
    1
), model_usage AS (
  SELECT
    CAST(DATE_TRUNC('WEEK', ChargePeriodStart) AS DATE) AS period,
    SUM(Tokens) AS tokens
  FROM usage
  WHERE
    ChargePeriodStart >= CAST('2026-03-01' AS TIMESTAMP_NTZ)
    AND ChargePeriodStart < CAST('2026-04-01' AS TIMESTAMP_NTZ)
    AND Chosen
    AND NOT Tokens IS NULL
  GROUP BY
    1
), grouped AS (
  SELECT
    COALESCE(costs.period, model_usage.period) AS period,
    costs.effective_cost,
    model_usage.tokens
  FROM costs
  FULL JOIN model_usage
    ON costs.period = model_usage.period
), costs_before AS (
  SELECT
    CAST(DATE_TRUNC('WEEK', ChargePeriodStart) AS DATE) AS period,
    SUM(EffectiveCost) AS effective_cost
  FROM focus
  WHERE
    ChargePeriodStart >= CAST('2026-02-01' AS TIMESTAMP_NTZ)
    AND ChargePeriodStart < CAST('2026-03-01' AS TIMESTAMP_NTZ)
  GROUP BY
    1
), model_usage_before AS (
  SELECT
    CAST(DATE_TRUNC('WEEK', ChargePeriodStart) AS DATE) AS period,
    SUM(Tokens) AS tokens
  FROM usage
  WHERE
    ChargePeriodStart >= CAST('2026-02-01' AS TIMESTAMP_NTZ)
    AND ChargePeriodStart < CAST('2026-03-01' AS TIMESTAMP_NTZ)
    AND Chosen
    AND NOT Tokens IS NULL
  GROUP BY
    1
), baseline AS (
  SELECT
    COALESCE(costs_before.period, model_usage_before.period) AS period,
    costs_before.effective_cost,
    model_usage_before.tokens
  FROM costs_before
  FULL JOIN model_usage_before
    ON costs_before.period = model_usage_before.period
), periods AS (
  SELECT
    *
  FROM VALUES
    (CAST('2026-02-23' AS DATE), CAST('2026-01-26' AS DATE)),
    (CAST('2026-03-02' AS DATE), CAST('2026-02-02' AS DATE)),
    (CAST('2026-03-09' AS DATE), CAST('2026-02-09' AS DATE)),
    (CAST('2026-03-16' AS DATE), CAST('2026-02-16' AS DATE)),
    (CAST('2026-03-23' AS DATE), CAST('2026-02-23' AS DATE)),
    (CAST('2026-03-30' AS DATE), CAST(NULL AS DATE)) AS listed(period, period_previous)
), complete AS (
  SELECT
    periods.period,
    CASE WHEN grouped.period IS NULL THEN 0 ELSE grouped.effective_cost END AS effective_cost,
    CASE
      WHEN NOT periods.period_previous IS NULL AND baseline.period IS NULL
      THEN 0
      ELSE baseline.effective_cost
    END AS effective_cost_previous,
    CASE WHEN grouped.period IS NULL THEN 0 ELSE grouped.tokens END AS tokens,
    CASE
      WHEN NOT periods.period_previous IS NULL AND baseline.period IS NULL
      THEN 0
      ELSE baseline.tokens
    END AS tokens_previous
  FROM periods
  LEFT JOIN grouped
    ON grouped.period = periods.period
  LEFT JOIN baseline
    ON baseline.period = periods.period_previous
  WHERE
    (
      EXISTS(
        SELECT
          1
        FROM grouped
      )
      OR EXISTS(
        SELECT
          1
        FROM baseline
      )
    )
)
SELECT
  period,
  effective_cost,
  effective_cost_previous,
  effective_cost - effective_cost_previous AS effective_cost_change,
  CAST(effective_cost - effective_cost_previous AS DOUBLE) / NULLIF(ABS(CAST(effective_cost_previous AS DOUBLE)), 0) AS effective_cost_change_ratio,
  tokens,
  tokens_previous,
  tokens - tokens_previous AS tokens_change,
  CAST(tokens - tokens_previous AS DOUBLE) / NULLIF(ABS(CAST(tokens_previous AS DOUBLE)), 0) AS tokens_change_ratio
FROM complete
ORDER BY
  period NULLS LAST,
  effective_cost DESC
