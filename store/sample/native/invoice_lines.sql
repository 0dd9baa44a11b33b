-- Lines of invoices, as an accounting system hands them out: days are included, amounts are net of
-- nothing. The variable ``vendors`` says whose; of vendors with a cost report of their own only what
-- that report leaves out (tax, a credit, a refund).
SELECT
  billing_month, start, line,
  vendor,
  upper(left(vendor, 3)) || '-' || (24308 + billing_month) AS invoice_number,
  strftime(period_start, '%Y-%m') AS invoice_month,
  strftime(starts, '%Y-%m-%d') AS from_day,
  strftime(stops, '%Y-%m-%d') AS until_day,
  CASE WHEN ChargeClass IS NOT NULL THEN 'correction' ELSE lower(ChargeCategory) END AS kind,
  ServiceName AS service,
  ChargeDescription AS description,
  SkuMeter AS sku,
  trim_decimal(quantity) AS quantity,
  PricingUnit AS unit,
  CASE WHEN NOT unpriced THEN trim_decimal(deal_price) END AS unit_price,
  trim_decimal(billed_cost) AS amount,
  'USD' AS currency,
  BillingAccountId AS customer_account,
  BillingAccountName AS customer_name,
  SubAccountId AS workspace_id,
  SubAccountName AS workspace,
  x_ApiKeyId AS api_key,
  tags_map['team'] AS team,
  tags_map['project'] AS project,
  tags_map['environment'] AS environment,
  tags_map['cost-centre'] AS "cost-centre",
  tags_map['feature'] AS feature,
  tags_map['initiative'] AS initiative
FROM charge
WHERE list_contains(getvariable('vendors'), vendor)
  AND (vendor = 'Mistral AI' OR token_class IS NULL)
