-- Azure Cost Management, Enterprise Agreement: columns of the actual and of the amortised export.
-- Actual: what is invoiced, reservations as purchases and the usage they cover at no cost.
-- Amortised: no purchases, the covered usage at the reservation's price, and what stayed unused.
WITH kinds AS (
  SELECT *,
    CASE WHEN amortised THEN effective_cost ELSE billed_cost END AS cost,
    CASE
      WHEN unpriced THEN NULL
      WHEN amortised OR CommitmentDiscountStatus IS NULL THEN effective_price
      ELSE 0
    END AS paid_price
  FROM (
    SELECT *, getvariable('amortised')::BOOLEAN AS amortised FROM charge WHERE vendor = 'Microsoft'
  )
  WHERE CASE WHEN amortised THEN ChargeCategory <> 'Purchase'
    ELSE CommitmentDiscountStatus IS DISTINCT FROM 'Unused' END
)
SELECT
  billing_month, start, line,
  BillingAccountId,
  BillingAccountName,
  strftime(period_start, '%m/%d/%Y') AS BillingPeriodStartDate,
  strftime(period_end - INTERVAL 1 DAY, '%m/%d/%Y') AS BillingPeriodEndDate,
  BillingAccountId AS BillingProfileId,
  BillingAccountName AS BillingProfileName,
  'cloud@wrenfield.example' AS AccountOwnerId,
  'Wrenfield Cloud' AS AccountName,
  replace(SubAccountId, '/subscriptions/', '') AS SubscriptionId,
  SubAccountName AS SubscriptionName,
  strftime(starts, '%m/%d/%Y') AS Date,
  CASE WHEN ChargeCategory IN ('Tax', 'Credit') OR ChargeClass IS NOT NULL THEN ChargeDescription
    WHEN n_meter IS NOT NULL THEN concat_ws(' - ', n_category, n_meter, 'EU West')
  END AS Product,
  upper(md5(coalesce(n_meter, ChargeDescription))[:9]) AS PartNumber,
  md5(coalesce(n_meter, ChargeDescription))::UUID::VARCHAR AS MeterId,
  ServiceCategory AS ServiceFamily,
  coalesce(n_service, ServiceName) AS MeterCategory,
  n_category AS MeterSubCategory,
  CASE WHEN RegionId IS NOT NULL THEN 'EU West' END AS MeterRegion,
  n_meter AS MeterName,
  trim_decimal(coalesce(quantity, 1)) AS Quantity,
  trim_decimal(coalesce(paid_price, cost)) AS EffectivePrice,
  trim_decimal(cost) AS Cost,
  trim_decimal(CASE WHEN unpriced THEN cost ELSE deal_price END) AS UnitPrice,
  'USD' AS BillingCurrency,
  RegionId AS ResourceLocation,
  AvailabilityZone,
  n_operation AS ConsumedService,
  ResourceId,
  ResourceName,
  NULL::VARCHAR AS ServiceInfo1,
  NULL::VARCHAR AS ServiceInfo2,
  CASE WHEN gpus > 0 THEN '{"ServiceType":"Standard_NC24ads_A100_v4"}' END AS AdditionalInfo,
  trim(tags_json, '{}') AS Tags,
  NULL::VARCHAR AS InvoiceSectionId,
  'Wrenfield' AS InvoiceSection,
  NULL::VARCHAR AS CostCenter,
  coalesce(n_unit, '1') AS UnitOfMeasure,
  CASE WHEN ResourceId LIKE '%/resourceGroups/%' THEN 'wrenfield' END AS ResourceGroup,
  CommitmentDiscountId AS ReservationId,
  CommitmentDiscountName AS ReservationName,
  CommitmentDiscountId AS ProductOrderId,
  CASE WHEN CommitmentDiscountId IS NOT NULL THEN CommitmentDiscountName || ', 1 Year' END
    AS ProductOrderName,
  'MS-AZR-0017P' AS OfferId,
  'True' AS IsAzureCreditEligible,
  CASE WHEN CommitmentDiscountId IS NOT NULL THEN '12' END AS Term,
  'Microsoft' AS PublisherName,
  NULL::VARCHAR AS PlanName,
  CASE
    WHEN ChargeCategory = 'Purchase' THEN 'Purchase'
    WHEN ChargeCategory = 'Tax' THEN 'Tax'
    WHEN ChargeCategory = 'Credit' THEN 'Credit'
    WHEN ChargeClass = 'Correction' THEN 'Refund'
    WHEN CommitmentDiscountStatus = 'Unused' THEN 'UnusedReservation'
    ELSE 'Usage'
  END AS ChargeType,
  replace(ChargeFrequency, '-', '') AS Frequency,
  'Azure' AS PublisherType,
  trim_decimal(CASE WHEN unpriced THEN cost ELSE public_price END) AS PayGPrice,
  CASE WHEN CommitmentDiscountId IS NOT NULL THEN 'Reservation'
    WHEN ChargeCategory = 'Usage' THEN 'OnDemand' END AS PricingModel,
  NULL::VARCHAR AS CostAllocationRuleName,
  CommitmentDiscountId AS benefitId,
  CommitmentDiscountName AS benefitName
FROM kinds
