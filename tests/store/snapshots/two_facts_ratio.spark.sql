WITH costs AS (
  SELECT
    COALESCE(ServiceProviderName, '(none)') AS provider,
    CAST(ChargePeriodStart AS DATE) AS match_day,
    COALESCE(ServiceProviderName, '(none)') AS match_1,
    COALESCE(SubAccountId, '(none)') AS match_2,
    COALESCE(x_ModelId, '(none)') AS match_3,
    SUM(EffectiveCost) AS cost_per_request_above
  FROM focus
  WHERE
    ChargePeriodStart >= CAST('2026-03-01' AS TIMESTAMP_NTZ)
    AND ChargePeriodStart < CAST('2026-04-01' AS TIMESTAMP_NTZ)
    AND NOT x_ModelId IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5
), model_usage AS (
  SELECT
    COALESCE(ServiceProviderName, '(none)') AS provider,
    CAST(ChargePeriodStart AS DATE) AS match_day,
    COALESCE(ServiceProviderName, '(none)') AS match_1,
    COALESCE(SubAccountId, '(none)') AS match_2,
    COALESCE(x_ModelId, '(none)') AS match_3,
    SUM(Requests) AS cost_per_request_below
  FROM usage
  WHERE
    ChargePeriodStart >= CAST('2026-03-01' AS TIMESTAMP_NTZ)
    AND ChargePeriodStart < CAST('2026-04-01' AS TIMESTAMP_NTZ)
    AND Chosen
    AND NOT Requests IS NULL
  GROUP BY
    1,
    2,
    3,
    4,
    5
), grouped AS (
  SELECT
    COALESCE(costs.provider, model_usage.provider) AS provider,
    CAST(SUM(
      CASE
        WHEN NOT costs.cost_per_request_above IS NULL
        AND NOT model_usage.cost_per_request_below IS NULL
        THEN costs.cost_per_request_above
      END
    ) AS DOUBLE) / NULLIF(
      CAST(SUM(
        CASE
          WHEN NOT costs.cost_per_request_above IS NULL
          AND NOT model_usage.cost_per_request_below IS NULL
          THEN model_usage.cost_per_request_below
        END
      ) AS DOUBLE),
      0
    ) AS cost_per_request
  FROM costs
  FULL JOIN model_usage
    ON costs.provider = model_usage.provider
    AND costs.match_day = model_usage.match_day
    AND costs.match_1 = model_usage.match_1
    AND costs.match_2 = model_usage.match_2
    AND costs.match_3 = model_usage.match_3
  GROUP BY
    1
)
SELECT
  provider,
  cost_per_request
FROM grouped
ORDER BY
  cost_per_request DESC,
  provider NULLS LAST
LIMIT 3
