-- The lines of the AWS bill, as both generations of the Cost and Usage Report have them. Negotiated
-- prices are private rates (unblended), so the public price stands beside them. Usage that the savings
-- plan covers is charged and taken back; the plan's own fee says how much of it was used.
WITH unused AS (
  SELECT start, effective_cost AS unused_cost
  FROM charge WHERE vendor = 'AWS' AND CommitmentDiscountStatus = 'Unused'
),
kinds AS (
  SELECT charge.*, unused_cost,
    CASE
      WHEN ChargeCategory = 'Tax' THEN 'Tax'
      WHEN ChargeCategory = 'Credit' THEN 'Credit'
      WHEN ChargeCategory = 'Purchase' THEN 'SavingsPlanRecurringFee'
      WHEN CommitmentDiscountStatus = 'Used' THEN 'SavingsPlanCoveredUsage'
      ELSE 'Usage'
    END AS kind,
    CASE WHEN CommitmentDiscountStatus = 'Used' THEN contracted_cost ELSE billed_cost END AS cost,
    CASE WHEN RegionId = 'eu-west-1' THEN 'EU-'
      WHEN n_service IN ('AmazonSageMaker', 'AWSGlue', 'AmazonCloudWatch', 'AmazonEKS') THEN 'USE1-'
      ELSE '' END AS prefix
  FROM charge LEFT JOIN unused USING (start)
  WHERE vendor = 'AWS' AND CommitmentDiscountStatus IS DISTINCT FROM 'Unused'
),
rows AS (
  SELECT * FROM kinds
  UNION ALL
  SELECT * REPLACE ('SavingsPlanNegation' AS kind, -cost AS cost, -list_cost AS list_cost)
  FROM kinds WHERE kind = 'SavingsPlanCoveredUsage'
)
SELECT
  billing_month, start, line,
  md5(line || '-' || start || '-' || kind) AS item_id,
  strftime(starts, '%Y-%m-%dT%H:%M:%SZ') || '/' || strftime(stops, '%Y-%m-%dT%H:%M:%SZ')
    AS time_interval,
  'AWS-' || (24308 + billing_month) AS invoice_id,
  InvoiceIssuerName AS issuer,
  'Anniversary' AS bill_type,
  BillingAccountId AS payer_id,
  BillingAccountName AS payer_name,
  period_start, period_end, starts, stops,
  coalesce(SubAccountId, BillingAccountId) AS account_id,
  coalesce(SubAccountName, BillingAccountName) AS account_name,
  kind,
  n_service AS product_code,
  CASE WHEN n_meter IS NULL THEN NULL
    WHEN PricingCategory = 'Dynamic' THEN prefix || replace(n_meter, 'BoxUsage', 'SpotUsage')
    WHEN starts_with(n_meter, 'USE1-') THEN n_meter
    ELSE prefix || n_meter END AS usage_type,
  n_operation AS operation,
  AvailabilityZone AS zone,
  ResourceId AS resource_id,
  quantity,
  CASE WHEN NOT unpriced THEN deal_price END AS rate,
  cost,
  CASE kind WHEN 'SavingsPlanNegation' THEN 'SavingsPlanNegation used by ' || ChargeDescription
    ELSE ChargeDescription END AS description,
  CASE kind WHEN 'Tax' THEN 'Tax' END AS tax_type,
  ServiceName AS product_name,
  n_category AS family,
  nullif(regexp_extract(n_meter, '(?:Usage|Host|Notebk|Instance):([a-z0-9.]+)$', 1), '')
    AS instance_type,
  RegionId AS region,
  RegionName AS location,
  upper(md5(coalesce(n_meter, 'none') || '.' || coalesce(RegionId, ''))[:16]) AS sku,
  CASE WHEN kind IN ('Usage', 'SavingsPlanCoveredUsage', 'SavingsPlanNegation') THEN list_cost END
    AS public_cost,
  CASE WHEN kind IN ('Usage', 'SavingsPlanCoveredUsage', 'SavingsPlanNegation') AND NOT unpriced
    THEN public_price END AS public_rate,
  CASE WHEN PricingCategory = 'Dynamic' THEN 'Spot'
    WHEN kind IN ('Usage', 'SavingsPlanCoveredUsage', 'SavingsPlanNegation') AND n_service IS NOT NULL
      THEN 'OnDemand' END AS term,
  n_unit AS unit,
  CommitmentDiscountId AS plan_arn,
  CommitmentDiscountType AS plan_type,
  CASE kind WHEN 'SavingsPlanCoveredUsage' THEN effective_price END AS plan_rate,
  CASE kind WHEN 'SavingsPlanCoveredUsage' THEN effective_cost END AS plan_effective_cost,
  CASE kind WHEN 'SavingsPlanRecurringFee' THEN billed_cost END AS plan_commitment,
  CASE kind WHEN 'SavingsPlanRecurringFee' THEN billed_cost - unused_cost END AS plan_used,
  tags_map, tags_export_map
FROM rows
