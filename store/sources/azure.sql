-- One row of an Azure Cost Management export, actual or amortised cost, as one FOCUS charge.
--
-- What a row is follows from ChargeType, PricingModel, ReservationId and benefitId:
--   fee      Purchase or Refund of a reservation or savings plan  Purchase, no status
--   used     usage that a reservation or savings plan pays for    Usage, Committed, Used
--   unused   UnusedReservation, UnusedSavingsPlan                 Usage, Committed, Unused
--   plain    everything else: Usage; Purchase; Refund -> Usage with ChargeClass Correction (Purchase
--            for a OneTime or Recurring one of a product order); Tax; Credit; Adjustment and
--            RoundingAdjustment -> Adjustment
-- Cost:  BilledCost     the cost; 0 for used and unused in an amortised file
--        EffectiveCost  the cost (azure_pairs puts the two files of a month together afterwards)
--        ContractedCost UnitPrice x Quantity, else the cost (also where UnitPrice is EffectivePrice,
--                       and for fees, taxes, refunds and adjustments); 0 for unused and credits
--        ListCost       paygCostInBillingCurrency, else PayGPrice x Quantity, else ContractedCost
-- Service: azure_services.csv by MeterCategory ('Storage' with a subcategory '... Managed Disks' is
--        Managed Disks; 'Virtual Machines' consumed by Microsoft.MachineLearningServices is Azure
--        Machine Learning; 'Cognitive Services' with 'Azure OpenAI ...' is Azure OpenAI Service);
--        unknown: ServiceName = MeterCategory, category by ServiceFamily (azure_families.csv); tax,
--        credits and adjustments without a known MeterCategory: 'Invoice items', Other.
-- SkuMeter is 'MeterCategory / MeterSubCategory / MeterName'; SubAccountId '/subscriptions/<id>'.
-- Quantity counts UnitOfMeasure: '1K' of a meter of tokens is PricingUnit '1000 Tokens' and
--        ConsumedUnit 'Tokens' with 1000 times the quantity; '1 GB/Month' is 'GB-Months'; an hour of
--        'vCore' is 'vCore-Hours', of a 'Provisioned' meter 'PTU-Hours'.
WITH read AS (
    SELECT
        * REPLACE (
            nullif(nullif(trim(meter_category), ''), 'Unassigned') AS meter_category,
            nullif(trim(tags), '') AS tags,
            nullif(trim(benefit_id), '') AS benefit_id,
            nullif(trim(reservation_id), '') AS reservation_id,
            nullif(trim(resource_id), '') AS resource_id,
            CAST(date AS DATE) AS date
        ),
        lower(replace(coalesce(nullif(trim(charge_type), ''), 'Usage'), ' ', '')) AS charge,
        lower(replace(coalesce(nullif(trim(pricing_model), ''), ''), ' ', '')) AS model,
        date_trunc('day', coalesce(period_start, date_trunc('month', date))) AS first_day,
        -- 11 + 8 and 7 + 12 digits: the product has 38, which is all a DECIMAL holds
        TRY_CAST(quantity AS DECIMAL(19, 8)) AS amount,
        TRY_CAST(unit_price AS DECIMAL(19, 12)) AS contracted_price,
        TRY_CAST(payg_price AS DECIMAL(19, 12)) AS list_price,
        coalesce(TRY_CAST(replace(
            regexp_extract(unit_of_measure, '^\s*([0-9][0-9.,]*)', 1), ',', ''
        ) AS DECIMAL(6, 0)), 1) * CASE upper(
            regexp_extract(unit_of_measure, '^\s*[0-9][0-9.,]*\s*([KMBkmb])(?:\s|/|$)', 1)
        ) WHEN 'K' THEN 1000 WHEN 'M' THEN 1000000 WHEN 'B' THEN 1000000000 ELSE 1 END AS block,
        regexp_replace(
            regexp_replace(regexp_replace(regexp_replace(
                coalesce(unit_of_measure, ''),
                '^\s*[0-9.,]*\s*(?:[KMBkmb](?:\s+|/|$))?\s*/?\s*', ''
            ), '\(s\)', ''), '[\s/]+', '-', 'g'),
            '([a-rt-z])$', '\1s'
        ) AS unit_words
    FROM record
),
told AS (
    SELECT
        *,
        CASE
            WHEN charge LIKE 'unused%' THEN 'unused'
            WHEN NOT (
                model IN ('reservation', 'savingsplan')
                OR (model = '' OR charge <> 'usage')
                AND coalesce(benefit_id, reservation_id) IS NOT NULL
            ) THEN 'plain'
            WHEN charge = 'usage' THEN 'used'
            WHEN charge IN ('purchase', 'refund') THEN 'fee'
            ELSE 'plain'
        END AS kind,
        CASE
            WHEN unit_of_measure IS NULL THEN 'Units'
            WHEN unit_words = '' AND meter_name ILIKE '%token%' THEN 'Tokens'
            WHEN unit_words = '' THEN 'Units'
            WHEN unit_words = 'Hours' AND meter_name ILIKE '%provisioned%' THEN 'PTU-Hours'
            WHEN unit_words = 'Hours' AND meter_name = 'vCore' THEN 'vCore-Hours'
            ELSE unit_words
        END AS unit,
        CASE
            WHEN currency = coalesce(pricing_currency, currency) THEN contracted_price * amount
            -- unit prices of a Microsoft Customer Agreement are in its pricing currency
            ELSE TRY_CAST(contracted_price * amount AS DECIMAL(24, 10))
                * TRY_CAST(exchange_rate AS DECIMAL(14, 10))
        END AS contracted,
        CASE
            WHEN currency = coalesce(pricing_currency, currency) THEN list_price * amount
            ELSE TRY_CAST(list_price * amount AS DECIMAL(24, 10))
                * TRY_CAST(exchange_rate AS DECIMAL(14, 10))
        END AS listed,
        lower(CASE
            WHEN meter_category = 'Storage' AND meter_sub_category ILIKE '%managed disks%'
                THEN 'Managed Disks'
            WHEN meter_category = 'Cognitive Services' AND meter_sub_category ILIKE 'azure openai%'
                THEN 'Azure OpenAI'
            WHEN meter_category = 'Virtual Machines'
                AND consumed_service ILIKE 'microsoft.machinelearningservices'
                THEN 'Azure Machine Learning'
            ELSE meter_category
        END) AS service_key,
        lower(replace(coalesce(resource_location, ''), ' ', '')) AS region
    FROM read
),
priced AS (
    SELECT
        *,
        CASE kind WHEN 'plain' THEN CASE
            WHEN charge = 'purchase' THEN 'Purchase'
            WHEN charge = 'refund' AND lower(coalesce(frequency, 'UsageBased')) <> 'usagebased'
                AND product_order_id IS NOT NULL THEN 'Purchase'
            WHEN charge = 'tax' THEN 'Tax'
            WHEN charge = 'credit' THEN 'Credit'
            WHEN charge LIKE '%adjustment' THEN 'Adjustment'
            ELSE 'Usage'
        END WHEN 'fee' THEN 'Purchase' ELSE 'Usage' END AS charge_category,
        CASE
            WHEN kind = 'unused' OR charge = 'credit' THEN 0
            WHEN kind = 'fee' OR charge IN ('tax', 'refund') OR charge LIKE '%adjustment' THEN cost
            WHEN kind = 'plain' AND unit_price = effective_price THEN cost
            ELSE coalesce(TRY_CAST(nullif(contracted, 0) AS DECIMAL(38, 12)), cost)
        END AS contracted_cost
    FROM told
)
SELECT
    CASE WHEN :amortised AND kind IN ('used', 'unused') THEN 0 ELSE cost END AS BilledCost,
    cost AS EffectiveCost,
    contracted_cost AS ContractedCost,
    CASE
        WHEN kind = 'unused' OR charge = 'credit' THEN 0
        WHEN kind = 'fee' OR charge IN ('tax', 'refund') OR charge LIKE '%adjustment' THEN cost
        ELSE coalesce(
            nullif(payg_cost, 0),
            CASE WHEN payg_price <> unit_price THEN
                TRY_CAST(nullif(listed, 0) AS DECIMAL(38, 12)) END,
            contracted_cost
        )
    END AS ListCost,
    CASE WHEN :amortised AND kind IN ('used', 'unused') AND cost_in_usd IS NOT NULL THEN 0
        ELSE cost_in_usd END AS x_BilledCostInUsd,
    cost_in_usd AS x_EffectiveCostInUsd,
    currency AS BillingCurrency,
    coalesce(pricing_currency, currency) AS PricingCurrency,
    coalesce(billing_account_id, billing_profile_id, subscription_id) AS BillingAccountId,
    coalesce(billing_account_name, billing_profile_name) AS BillingAccountName,
    'Billing Account' AS BillingAccountType,
    CASE
        WHEN subscription_id LIKE '/%' THEN subscription_id
        ELSE '/subscriptions/' || subscription_id
    END AS SubAccountId,
    subscription_name AS SubAccountName,
    CASE WHEN subscription_id IS NOT NULL THEN 'Subscription' END AS SubAccountType,
    CAST(first_day AS TIMESTAMP) AS BillingPeriodStart,
    CAST(CASE
        WHEN period_end IS NULL OR period_end <= first_day THEN first_day + INTERVAL 1 MONTH
        -- the last day of the period, unless an export names the first day after it
        WHEN date_trunc('month', period_end) = period_end THEN period_end
        ELSE date_trunc('day', period_end) + INTERVAL 1 DAY
    END AS TIMESTAMP) AS BillingPeriodEnd,
    CAST(date AS TIMESTAMP) AS ChargePeriodStart,
    CAST(date + 1 AS TIMESTAMP) AS ChargePeriodEnd,
    invoice_id AS InvoiceId,
    'Microsoft' AS ServiceProviderName,
    coalesce(nullif(trim(reseller_name), ''), 'Microsoft') AS InvoiceIssuerName,
    CASE WHEN NOT coalesce(publisher_type ILIKE 'marketplace', FALSE) THEN 'Microsoft' END
        AS HostProviderName,
    publisher_name AS x_PublisherName,
    charge_category AS ChargeCategory,
    CASE WHEN charge = 'refund' THEN 'Correction' END AS ChargeClass,
    coalesce(product, nullif(concat_ws(' - ', meter_category, meter_sub_category, meter_name), ''))
        AS ChargeDescription,
    CASE lower(frequency)
        WHEN 'usagebased' THEN 'Usage-Based'
        WHEN 'onetime' THEN 'One-Time'
        WHEN 'recurring' THEN 'Recurring'
        ELSE CASE WHEN charge_category = 'Usage' THEN 'Usage-Based' ELSE 'One-Time' END
    END AS ChargeFrequency,
    CASE
        WHEN kind IN ('used', 'unused') THEN 'Committed'
        WHEN charge_category NOT IN ('Usage', 'Purchase') THEN NULL
        WHEN model = 'spot' THEN 'Dynamic'
        ELSE 'Standard'
    END AS PricingCategory,
    CASE WHEN charge_category IN ('Usage', 'Purchase') THEN quantity END AS PricingQuantity,
    CASE WHEN charge_category IN ('Usage', 'Purchase') THEN
        CASE WHEN block = 1 THEN unit ELSE concat(CAST(block AS BIGINT), ' ', unit) END
    END AS PricingUnit,
    CASE WHEN charge_category = 'Usage' AND kind <> 'unused' THEN
        CASE WHEN block = 1 THEN quantity
            ELSE TRY_CAST(quantity AS DECIMAL(26, 12)) * CAST(block AS DECIMAL(12, 0)) END
    END AS ConsumedQuantity,
    CASE WHEN charge_category = 'Usage' AND kind <> 'unused' THEN unit END AS ConsumedUnit,
    CASE WHEN charge_category IN ('Usage', 'Purchase') AND kind <> 'unused'
        AND currency = coalesce(pricing_currency, currency) THEN unit_price END
        AS ContractedUnitPrice,
    CASE WHEN charge_category IN ('Usage', 'Purchase') AND kind <> 'unused'
        AND currency = coalesce(pricing_currency, currency) THEN nullif(payg_price, 0) END
        AS ListUnitPrice,
    coalesce(meter_id, part_number, product_id) AS SkuId,
    coalesce(part_number, product_id, meter_id) AS SkuPriceId,
    nullif(concat_ws(' / ', meter_category, meter_sub_category, meter_name), '') AS SkuMeter,
    coalesce(
        known.name,
        CASE
            WHEN charge_category NOT IN ('Usage', 'Purchase') THEN NULL
            WHEN kind <> 'plain' THEN coalesce(meter_category, 'Azure commitments')
            ELSE coalesce(meter_category, product_order_name, publisher_name, consumed_service)
        END,
        'Invoice items'
    ) AS ServiceName,
    coalesce(
        known.category,
        CASE WHEN charge_category IN ('Usage', 'Purchase') THEN families.category END,
        'Other'
    ) AS ServiceCategory,
    coalesce(
        known.subcategory,
        CASE WHEN charge_category IN ('Usage', 'Purchase') THEN families.subcategory END,
        'Other (Other)'
    ) AS ServiceSubcategory,
    nullif(region, '') AS RegionId,
    coalesce(regions.name, nullif(trim(resource_location), '')) AS RegionName,
    availability_zone AS AvailabilityZone,
    resource_id AS ResourceId,
    coalesce(nullif(trim(resource_name), ''), regexp_extract(resource_id, '([^/]+)/*$', 1))
        AS ResourceName,
    nullif(regexp_extract(resource_id, '(?i)/providers/([^/]+/[^/]+)', 1), '') AS ResourceType,
    CASE WHEN kind <> 'plain' THEN coalesce(
        benefit_id,
        CASE WHEN reservation_id IS NOT NULL THEN
            '/providers/Microsoft.Capacity/reservationOrders/' || product_order_id
                || '/reservations/' || reservation_id END,
        reservation_id, product_order_id, product_order_name, model, charge
    ) END AS CommitmentDiscountId,
    CASE WHEN kind <> 'plain' THEN coalesce(
        nullif(trim(benefit_name), ''), nullif(trim(reservation_name), ''), product_order_name
    ) END AS CommitmentDiscountName,
    CASE WHEN kind <> 'plain' THEN
        CASE WHEN model = 'savingsplan' OR charge = 'unusedsavingsplan' THEN 'Savings Plan'
            ELSE 'Reservation' END
    END AS CommitmentDiscountType,
    CASE WHEN kind <> 'plain' THEN
        CASE WHEN model = 'savingsplan' OR charge = 'unusedsavingsplan' THEN 'Spend'
            ELSE 'Usage' END
    END AS CommitmentDiscountCategory,
    CASE kind WHEN 'used' THEN 'Used' WHEN 'unused' THEN 'Unused' END AS CommitmentDiscountStatus,
    CASE WHEN kind IN ('used', 'unused') THEN
        CASE WHEN model = 'savingsplan' OR charge = 'unusedsavingsplan'
            THEN CAST(cost AS DECIMAL(38, 15)) ELSE quantity END
    END AS CommitmentDiscountQuantity,
    CASE WHEN kind <> 'plain' THEN
        CASE WHEN model = 'savingsplan' OR charge = 'unusedsavingsplan' THEN currency ELSE unit END
    END AS CommitmentDiscountUnit,
    CASE WHEN starts_with(ltrim(additional_info), '{') AND json_valid(additional_info)
        THEN json_extract_string(additional_info, '$.ServiceType') END AS x_InstanceType,
    nullif(trim(cost_center), '') AS x_CostCentre,
    CASE
        WHEN trim(tags) = '""' THEN NULL
        WHEN starts_with(tags, '{') THEN tags
        -- an Enterprise Agreement writes the members of the object without its braces
        WHEN json_valid('{' || tags || '}') THEN '{' || tags || '}'
        ELSE tags
    END AS Tags,
    _line
FROM priced
LEFT JOIN azure_services AS known ON lower(known.written) = service_key
LEFT JOIN azure_families AS families ON lower(families.written) = lower(service_family)
LEFT JOIN azure_regions AS regions ON regions.code = region
