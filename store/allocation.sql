-- What each line of a pool gives to each target. Relations:
--   pool      rule, position, method, dimension, month, day, currency, provider, service, effective, billed
--   share_of  position, month, currency, target, share DECIMAL(19,18), place, last, basis
-- The running total of the month is multiplied and rounded, and a line gives the difference to the
-- line before it, so the parts of a target in a month are its share of the month's total, rounded
-- once. The last target takes what is left of each line, so each line's parts add up to the line.
WITH lines AS (
    SELECT
        *,
        CAST(effective * 1000000000000 AS HUGEINT) AS effective_units,
        CAST(billed * 1000000000000 AS HUGEINT) AS billed_units
    FROM pool
), running AS (
    SELECT
        *,
        sum(effective_units) OVER w AS effective_through,
        sum(billed_units) OVER w AS billed_through
    FROM lines
    WINDOW w AS (
        PARTITION BY position, month, currency ORDER BY day, provider, service
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
), rounded AS (
    SELECT
        r.*, s.target, s.share, s.last, s.basis,
        allocated_part(r.effective_through, s.share)
            - allocated_part(r.effective_through - r.effective_units, s.share) AS effective_part,
        allocated_part(r.billed_through, s.share)
            - allocated_part(r.billed_through - r.billed_units, s.share) AS billed_part
    FROM running r JOIN share_of s
      ON s.position = r.position AND s.month = r.month AND s.currency = r.currency
), settled AS (
    SELECT
        *,
        CASE WHEN last THEN effective_units - coalesce(sum(effective_part) FILTER (NOT last) OVER line, 0)
             ELSE effective_part END AS effective_given,
        CASE WHEN last THEN billed_units - coalesce(sum(billed_part) FILTER (NOT last) OVER line, 0)
             ELSE billed_part END AS billed_given
    FROM rounded
    WINDOW line AS (PARTITION BY position, day, currency, provider, service)
)
SELECT
    rule AS Rule,
    position AS Position,
    method AS Method,
    dimension AS Dimension,
    target AS Target,
    CAST(day AS TIMESTAMP) AS ChargePeriodStart,
    CAST(day AS TIMESTAMP) + INTERVAL 1 DAY AS ChargePeriodEnd,
    currency AS BillingCurrency,
    provider AS ServiceProviderName,
    service AS ServiceName,
    share AS Share,
    units_as_money(effective_given) AS EffectiveCost,
    units_as_money(billed_given) AS BilledCost,
    basis AS Basis
FROM settled
ORDER BY position, day, currency, provider, service, target
