WITH costs AS (
  SELECT
    coalesce(x_Team, '(untagged)') AS team,
    sum(EffectiveCost) AS effective_cost
  FROM focus
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND x_Team IS NOT NULL
  GROUP BY 1
),
model_usage AS (
  SELECT
    coalesce(x_Team, '(untagged)') AS team,
    sum(Tokens) AS tokens
  FROM usage
  WHERE ChargePeriodStart >= TIMESTAMP '2026-03-01'
    AND ChargePeriodStart < TIMESTAMP '2026-04-01'
    AND Chosen
    AND Tokens IS NOT NULL
    AND x_Team IS NOT NULL
  GROUP BY 1
),
grouped AS (
  SELECT
    coalesce(costs.team, model_usage.team) AS team,
    costs.effective_cost,
    model_usage.tokens
  FROM costs
  FULL JOIN model_usage
    ON costs.team = model_usage.team
),
members AS (
  SELECT
    team
  FROM grouped
  WHERE effective_cost >= 1000
    AND tokens > 0
)
SELECT
  count(*) AS count
FROM members
