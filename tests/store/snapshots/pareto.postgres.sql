WITH "grouped" AS (
  SELECT
    COALESCE("ServiceName", '(none)') AS "service",
    SUM("EffectiveCost") AS "effective_cost"
  FROM "focus"
  WHERE
    "ChargePeriodStart" >= CAST('2026-03-01' AS TIMESTAMP)
    AND "ChargePeriodStart" < CAST('2026-04-01' AS TIMESTAMP)
  GROUP BY
    1
)
SELECT
  "service",
  "effective_cost",
  CAST("effective_cost" AS DOUBLE PRECISION) / NULLIF(CAST(SUM("effective_cost") OVER () AS DOUBLE PRECISION), 0) AS "share",
  CAST(SUM("effective_cost") OVER (
    ORDER BY "effective_cost" DESC NULLS LAST, "service"
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS DOUBLE PRECISION) / NULLIF(CAST(SUM("effective_cost") OVER () AS DOUBLE PRECISION), 0) AS "cumulative_share"
FROM "grouped"
ORDER BY
  "effective_cost" DESC NULLS LAST,
  "service"
LIMIT 10
