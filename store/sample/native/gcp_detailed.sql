-- Google Cloud: the detailed export of Cloud Billing to BigQuery. Cost is at the negotiated price,
-- before credits; the list price stands beside it. The commitment is one of the spend-based kind:
-- usage is charged at its rate, and its fee is offset by what was used of it.
WITH used AS (
  SELECT start, sum(effective_cost) AS used_cost
  FROM charge WHERE vendor = 'Google Cloud' AND CommitmentDiscountStatus = 'Used' GROUP BY start
)
SELECT
  billing_month, start, line,
  BillingAccountId AS billing_account_id,
  {month: strftime(period_start, '%Y%m'), publisher_type: 'GOOGLE'} AS invoice,
  CASE WHEN ChargeCategory = 'Tax' THEN 'tax' ELSE 'regular' END AS cost_type,
  {id: coalesce(n_category, '0000-0000-0000'), description: ServiceName} AS service,
  {
    id: upper(md5(coalesce(n_meter, ChargeDescription))[:4] || '-'
      || md5(coalesce(n_meter, ChargeDescription))[5:8] || '-'
      || md5(coalesce(n_meter, ChargeDescription))[9:12]),
    description: coalesce(n_meter, ChargeDescription)
  } AS sku,
  starts AS usage_start_time,
  stops AS usage_end_time,
  CASE WHEN SubAccountId IS NOT NULL THEN {
    id: SubAccountId, number: (hash(SubAccountId) % 1000000000000)::VARCHAR, name: SubAccountName,
    ancestry_numbers: '/541098765432/', labels: []::STRUCT("key" VARCHAR, "value" VARCHAR)[]
  } END AS project,
  coalesce(tags_list, []) AS labels,
  CASE WHEN n_meter IS NOT NULL AND gpus > 0 THEN [
    {'key': 'compute.googleapis.com/machine_spec', 'value': SkuMeter}
  ] ELSE [] END AS system_labels,
  {
    location: RegionId, country: CASE RegionId WHEN 'us-central1' THEN 'US' WHEN 'europe-west1' THEN 'BE' END,
    region: RegionId, zone: AvailabilityZone
  } AS location,
  []::STRUCT("key" VARCHAR, "value" VARCHAR, inherited BOOLEAN, "namespace" VARCHAR)[] AS tags,
  CASE WHEN ResourceId IS NOT NULL THEN {name: ResourceName, global_name: ResourceId} END AS resource,
  CASE WHEN ChargeCategory = 'Credit' THEN 0
    WHEN CommitmentDiscountStatus = 'Unused' THEN (billed_cost + used_cost)::DOUBLE
    ELSE billed_cost::DOUBLE END AS cost,
  'USD' AS currency,
  1.0::DOUBLE AS currency_conversion_rate,
  {
    amount: CASE WHEN unpriced THEN 0 ELSE quantity * n_factor END::DOUBLE,
    unit: CASE WHEN ConsumedUnit = 'Tokens' THEN 'tokens' WHEN n_factor = 3600 THEN 'seconds'
      ELSE coalesce(n_unit, 'requests') END,
    amount_in_pricing_units: coalesce(quantity, 0)::DOUBLE,
    pricing_unit: coalesce(n_unit, 'requests')
  } AS usage,
  CASE WHEN ChargeCategory = 'Credit' THEN [
    {name: ChargeDescription, amount: billed_cost::DOUBLE, full_name: ChargeDescription,
     id: 'promotion-' || billing_month, type: 'PROMOTION'}
  ] WHEN CommitmentDiscountStatus = 'Unused' THEN [
    {name: CommitmentDiscountName, amount: -used_cost::DOUBLE,
     full_name: CommitmentDiscountName, id: CommitmentDiscountId, type: 'FEE_UTILIZATION_OFFSET'}
  ] ELSE [] END AS credits,
  NULL::STRUCT(id VARCHAR, description VARCHAR, mode VARCHAR, "type" VARCHAR) AS adjustment_info,
  period_end + INTERVAL 2 DAY AS export_time,
  CASE WHEN NOT unpriced THEN {
    effective_price: deal_price, tier_start_amount: 0::DECIMAL(24,12),
    unit: coalesce(n_unit, 'requests'), pricing_unit_quantity: 1::DECIMAL(24,12)
  } END AS price,
  CASE WHEN CommitmentDiscountStatus = 'Unused' THEN (billed_cost + used_cost)::DOUBLE
    ELSE list_cost::DOUBLE END AS cost_at_list,
  CASE WHEN CommitmentDiscountStatus = 'Unused' THEN (billed_cost + used_cost)::DOUBLE
    ELSE contracted_cost::DOUBLE END AS cost_at_effective_price_default,
  {id: md5(coalesce(CommitmentDiscountName, 'Default'))[:9],
   description: coalesce(CommitmentDiscountName, 'Default')} AS consumption_model,
  CASE WHEN CommitmentDiscountId IS NOT NULL THEN {instance_id: CommitmentDiscountId} END
    AS subscription,
  'GOOGLE' AS transaction_type,
  'Google' AS seller_name
FROM charge LEFT JOIN used USING (start) WHERE vendor = 'Google Cloud'
