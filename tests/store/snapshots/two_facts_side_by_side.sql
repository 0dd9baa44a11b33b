WITH costs AS (
  SELECT
    coalesce(x_Team, '(untagged)') AS team,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
  GROUP BY 1
),
model_usage AS (
  SELECT
    coalesce(x_Team, '(untagged)') AS team,
    sum(Requests) AS requests
  FROM usage
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND Chosen
    AND Requests IS NOT NULL
  GROUP BY 1
),
grouped AS (
  SELECT
    coalesce(costs.team, model_usage.team) AS team,
    costs.effective_cost,
    model_usage.requests
  FROM costs
  FULL JOIN model_usage
    ON costs.team = model_usage.team
)
SELECT
  team,
  effective_cost,
  requests
FROM grouped
ORDER BY effective_cost DESC NULLS LAST, team
