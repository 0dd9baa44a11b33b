WITH "grouped" AS (
  SELECT
    CAST(DATE_TRUNC('WEEK', "ChargePeriodStart") AS DATE) AS "period",
    COALESCE("x_Team", '(untagged)') AS "team",
    SUM("EffectiveCost") AS "effective_cost"
  FROM "focus"
  WHERE
    "ChargePeriodStart" >= CAST('2026-01-01' AS TIMESTAMP)
    AND "ChargePeriodStart" < CAST('2026-04-01' AS TIMESTAMP)
  GROUP BY
    1,
    2
), "periods" AS (
  SELECT
    *
  FROM (VALUES
    (CAST('2026-01-12' AS DATE)),
    (CAST('2026-01-19' AS DATE)),
    (CAST('2026-01-26' AS DATE)),
    (CAST('2026-02-02' AS DATE)),
    (CAST('2026-02-09' AS DATE)),
    (CAST('2026-02-16' AS DATE)),
    (CAST('2026-02-23' AS DATE)),
    (CAST('2026-03-02' AS DATE)),
    (CAST('2026-03-09' AS DATE)),
    (CAST('2026-03-16' AS DATE)),
    (CAST('2026-03-23' AS DATE)),
    (CAST('2026-03-30' AS DATE))) AS "listed"("period")
), "largest" AS (
  SELECT
    COALESCE("x_Team", '(untagged)') AS "team",
    SUM("EffectiveCost") AS "effective_cost"
  FROM "focus"
  WHERE
    "ChargePeriodStart" >= CAST('2026-01-01' AS TIMESTAMP)
    AND "ChargePeriodStart" < CAST('2026-04-01' AS TIMESTAMP)
  GROUP BY
    1
  ORDER BY
    "effective_cost" DESC NULLS LAST,
    "team"
  LIMIT 3
), "items" AS (
  SELECT
    "team"
  FROM "largest"
), "complete" AS (
  SELECT
    "periods"."period",
    "items"."team",
    CASE WHEN "grouped"."team" IS NULL THEN 0 ELSE "grouped"."effective_cost" END AS "effective_cost"
  FROM "periods"
  CROSS JOIN "items"
  LEFT JOIN "grouped"
    ON "grouped"."period" = "periods"."period" AND "grouped"."team" = "items"."team"
)
SELECT
  "period",
  "team",
  "effective_cost"
FROM "complete"
ORDER BY
  "period",
  "effective_cost" DESC NULLS LAST,
  "team"
