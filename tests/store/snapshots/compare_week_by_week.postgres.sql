WITH "grouped" AS (
  SELECT
    CAST(DATE_TRUNC('WEEK', "ChargePeriodStart") AS DATE) AS "period",
    SUM("EffectiveCost") AS "effective_cost"
  FROM "focus"
  WHERE
    "ChargePeriodStart" >= CAST('2026-03-01' AS TIMESTAMP)
    AND "ChargePeriodStart" < CAST('2026-04-01' AS TIMESTAMP)
  GROUP BY
    1
), "baseline" AS (
  SELECT
    CAST(DATE_TRUNC('WEEK', "ChargePeriodStart") AS DATE) AS "period",
    SUM("EffectiveCost") AS "effective_cost"
  FROM "focus"
  WHERE
    "ChargePeriodStart" >= CAST('2026-02-01' AS TIMESTAMP)
    AND "ChargePeriodStart" < CAST('2026-03-01' AS TIMESTAMP)
  GROUP BY
    1
), "periods" AS (
  SELECT
    *
  FROM (VALUES
    (CAST('2026-02-23' AS DATE), CAST('2026-01-26' AS DATE)),
    (CAST('2026-03-02' AS DATE), CAST('2026-02-02' AS DATE)),
    (CAST('2026-03-09' AS DATE), CAST('2026-02-09' AS DATE)),
    (CAST('2026-03-16' AS DATE), CAST('2026-02-16' AS DATE)),
    (CAST('2026-03-23' AS DATE), CAST('2026-02-23' AS DATE)),
    (CAST('2026-03-30' AS DATE), CAST(NULL AS DATE))) AS "listed"("period", "period_previous")
), "complete" AS (
  SELECT
    "periods"."period",
    CASE WHEN "grouped"."period" IS NULL THEN 0 ELSE "grouped"."effective_cost" END AS "effective_cost",
    CASE
      WHEN NOT "periods"."period_previous" IS NULL AND "baseline"."period" IS NULL
      THEN 0
      ELSE "baseline"."effective_cost"
    END AS "effective_cost_previous"
  FROM "periods"
  LEFT JOIN "grouped"
    ON "grouped"."period" = "periods"."period"
  LEFT JOIN "baseline"
    ON "baseline"."period" = "periods"."period_previous"
  WHERE
    (
      EXISTS(
        SELECT
          1
        FROM "grouped"
      )
      OR EXISTS(
        SELECT
          1
        FROM "baseline"
      )
    )
)
SELECT
  "period",
  "effective_cost",
  "effective_cost_previous",
  "effective_cost" - "effective_cost_previous" AS "effective_cost_change",
  CAST("effective_cost" - "effective_cost_previous" AS DOUBLE PRECISION) / NULLIF(ABS(CAST("effective_cost_previous" AS DOUBLE PRECISION)), 0) AS "effective_cost_change_ratio"
FROM "complete"
ORDER BY
  "period",
  "effective_cost" DESC NULLS LAST
