-- AWS Cost and Usage Report -> FOCUS 1.4. Columns on the right are called as in CUR 2.0.
--
-- line_item_line_item_type     ChargeCategory BilledCost          EffectiveCost
-- Usage                        Usage          paid                paid
-- SavingsPlanCoveredUsage      Usage          paid, netted later  savings_plan_savings_plan_
--                                                                 effective_cost
-- SavingsPlanNegation          Adjustment     paid, netted later  0
-- SavingsPlanRecurringFee      Purchase       paid                0
--   + a row of what is unused  Usage          0                   savings_plan_total_commitment_
--                                                                 to_date - ..._used_commitment
-- SavingsPlanUpfrontFee        Purchase       paid                0
-- DiscountedUsage              Usage          paid                reservation_effective_cost
-- RIFee                        Purchase       paid                0
--   + a row of what is unused  Usage          0                   reservation_unused_amortized_
--                                                                 upfront_fee_for_billing_period
--                                                                 + ..._unused_recurring_fee
-- Fee with a reservation ARN   Purchase       paid                0
-- Fee (marketplace, support)   Purchase       paid                paid
-- Tax, Credit                  Tax, Credit    paid                paid
-- Refund                       Adjustment     paid                paid (ChargeClass Correction)
-- EdpDiscount, ...Discount     Adjustment     paid                paid
-- anything else                Adjustment     paid                paid
--
-- "paid" is line_item_unblended_cost: discounts are lines of their own, and the sum of BilledCost
-- is that of the unblended cost. Only where CUR 2.0 puts discounts into the row (column "discount")
-- it is line_item_net_unblended_cost, which is what AWS then invoices; the net columns of
-- reservations and savings plans follow. Covered usage and its negation, which offset each other on
-- the bill, are netted after loading (aws_savings_plans.py); sums stay as they are.
-- EffectiveCost sums up to the amortised cost of AWS's own CUR queries. Covered or discounted usage
-- without its effective cost has none and is set aside.
--
-- ListCost: usage pricing_public_on_demand_cost, else the unblended cost; 0 on negations,
--   discounts, credits and unused rows; the unblended cost on the rest.
-- ContractedCost: "paid"; DiscountedUsage as listed; 0 on negations, credits and unused rows.
-- ServiceName, -Category, -Subcategory: aws_services.csv by line_item_product_code and, for EC2,
--   product_product_family; marketplace offers of Bedrock models are Amazon Bedrock. An unknown
--   code is called product_product_name, category Other; a line without any is an invoice item.
-- x_ModelIdBilled: the model that a marketplace offer of Bedrock is named after.
-- PricingUnit: pricing_unit by aws_units.csv (Hrs -> Hours). Of tokens, ConsumedQuantity is raw.
-- SkuId product_sku, SkuPriceId pricing_rate_code, SkuMeter line_item_usage_type.
-- SubAccountId line_item_usage_account_id, BillingAccountId bill_payer_account_id.
-- ResourceId line_item_resource_id, ResourceType as the ARN says.
-- InvoiceIssuerName bill_invoicing_entity, x_PublisherName line_item_legal_entity (the seller).
-- ChargeClass Correction: refunds, and usage of an earlier billing period.
-- Tags: resource tags without "user:" or "user_"; cost categories as "cost_category:<name>".
-- Source: AWS Data Exports User Guide, table dictionary of CUR 2.0 and data dictionary of CUR.
WITH line AS (
    SELECT
        *,
        line_item_line_item_type AS type,
        type IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage') AS is_usage,
        type IN (
            'Fee', 'RIFee', 'SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee',
            'FlatRateSubscription'
        ) AS is_purchase,
        coalesce(split_line_item_parent_resource_id, '') <> '' AS is_split,
        CASE WHEN type <> 'DiscountedUsage' THEN nullif(savings_plan_savings_plan_a_r_n, '') END
            AS plan,
        nullif(reservation_reservation_a_r_n, '') AS reservation,
        nullif(line_item_usage_type, '') AS meter,
        CASE
            WHEN product NOT IN ('', '{}') THEN TRY(json_extract_string(
                product, ['/product_name', '/operating_system', '/tenancy', '/region']
            ))
        END AS attributes,
        coalesce(nullif(product_product_name, ''), attributes[1]) AS product_name,
        CASE
            WHEN contains(product_name, 'Amazon Bedrock') THEN 'AmazonBedrock'
            ELSE nullif(line_item_product_code, '')
        END AS code,
        lower(trim(nullif(pricing_unit, ''))) AS unit,
        coalesce(
            nullif(product_region_code, ''),
            nullif(product_region, ''),
            attributes[4],
            nullif(regexp_replace(line_item_availability_zone, '[a-z]$', ''), '')
        ) AS place,
        coalesce(resource_tags, legacy_tags, column_tags) AS tags,
        coalesce(cost_category, legacy_categories, column_categories) AS categories,
        discount IS NOT NULL AND discount NOT IN ('', '{}') AS is_net,
        CASE
            WHEN NOT is_net THEN line_item_unblended_cost
            WHEN line_item_net_unblended_cost IS NOT NULL THEN line_item_net_unblended_cost
            WHEN TRY(CAST(discount ->> 'total_discount' AS DOUBLE)) = 0
                THEN line_item_unblended_cost
        END AS paid,
        CASE
            WHEN type = 'SavingsPlanRecurringFee'
                THEN savings_plan_total_commitment_to_date - savings_plan_used_commitment
            WHEN type = 'RIFee' AND is_net
                THEN coalesce(reservation_net_unused_amortized_upfront_fee_for_billing_period, 0)
                    + coalesce(reservation_net_unused_recurring_fee, 0)
            WHEN type = 'RIFee'
                THEN coalesce(reservation_unused_amortized_upfront_fee_for_billing_period, 0)
                    + coalesce(reservation_unused_recurring_fee, 0)
        END AS unused
    FROM record
),
row_of AS (
    SELECT
        *,
        unnest(CASE WHEN unused <> 0 THEN [FALSE, TRUE] ELSE [FALSE] END) AS is_unused,
        CASE
            WHEN code = 'AmazonEC2' THEN coalesce(
                nullif(product_product_family, ''),
                CASE
                    WHEN contains(meter, 'EBS:') THEN 'Storage'
                    WHEN contains(meter, 'NatGateway') THEN 'NAT Gateway'
                    WHEN contains(meter, 'LoadBalancer') THEN 'Load Balancer'
                END
            )
        END AS family
    FROM line
),
costed AS (
    SELECT
        row_of.* EXCLUDE (unit),
        CASE WHEN is_unused THEN 0 ELSE paid END AS billed,
        CASE
            WHEN is_unused THEN unused
            WHEN type = 'SavingsPlanRecurringFee' AND unused IS NULL THEN NULL
            WHEN type = 'SavingsPlanCoveredUsage' AND is_net THEN coalesce(
                savings_plan_net_savings_plan_effective_cost,
                savings_plan_savings_plan_effective_cost
            )
            WHEN type = 'SavingsPlanCoveredUsage' THEN savings_plan_savings_plan_effective_cost
            WHEN type = 'DiscountedUsage' AND is_net
                THEN coalesce(reservation_net_effective_cost, reservation_effective_cost)
            WHEN type = 'DiscountedUsage' THEN reservation_effective_cost
            WHEN type IN (
                'SavingsPlanNegation', 'SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee', 'RIFee'
            ) THEN 0
            WHEN type = 'Fee' AND reservation IS NOT NULL THEN 0
            ELSE paid
        END AS effective,
        CASE
            WHEN is_unused OR type IN ('SavingsPlanNegation', 'Credit') THEN 0
            WHEN contains(type, 'Discount') AND NOT is_usage THEN 0
            WHEN is_usage AND pricing_public_on_demand_cost IS NOT NULL
                AND NOT (pricing_public_on_demand_cost = 0 AND line_item_unblended_cost <> 0)
                THEN pricing_public_on_demand_cost
            ELSE line_item_unblended_cost
        END AS listed,
        CASE
            WHEN is_unused OR type IN ('SavingsPlanNegation', 'Credit') THEN 0
            WHEN type = 'DiscountedUsage' THEN listed
            ELSE paid
        END AS contracted,
        coalesce(narrow.service, wide.service, product_name, row_of.code, 'Invoice items')
            AS service,
        coalesce(narrow.category, wide.category, 'Other') AS category,
        coalesce(narrow.subcategory, wide.subcategory, 'Other (Other)') AS subcategory,
        coalesce(aws_units.name, nullif(pricing_unit, '')) AS unit,
        coalesce(
            aws_units.tokens,
            -- marketplace offers count in "Units" and say in words how many tokens that is
            CASE
                WHEN row_of.code = 'AmazonBedrock'
                    AND regexp_matches(
                        line_item_line_item_description, '(?i)\bmillion\b.*\btokens?\b'
                    )
                    THEN '1000000'
                WHEN row_of.code = 'AmazonBedrock'
                    AND regexp_matches(
                        line_item_line_item_description, '(?i)\bthousand\b.*\btokens?\b'
                    )
                    THEN '1000'
            END
        ) AS tokens,
        coalesce(
            nullif(product_instance_type, ''),
            nullif(regexp_extract(
                meter, '(?:Usage|Host|Train|Notebk|Tsform|Processing|Instance):([a-z0-9.-]+)$', 1
            ), '')
        ) AS instance,
        aws_regions.name AS region_name
    FROM row_of
    LEFT JOIN aws_services AS narrow ON row_of.code = narrow.code AND row_of.family = narrow.family
    LEFT JOIN aws_services AS wide ON row_of.code = wide.code AND wide.family IS NULL
    LEFT JOIN aws_units ON row_of.unit = aws_units.unit
    LEFT JOIN aws_regions ON row_of.place = aws_regions.region
)
SELECT
    _line,
    billed AS BilledCost,
    effective AS EffectiveCost,
    listed AS ListCost,
    contracted AS ContractedCost,
    line_item_currency_code AS BillingCurrency,
    bill_payer_account_id AS BillingAccountId,
    nullif(bill_payer_account_name, '') AS BillingAccountName,
    'Management Account' AS BillingAccountType,
    nullif(line_item_usage_account_id, '') AS SubAccountId,
    nullif(line_item_usage_account_name, '') AS SubAccountName,
    CASE WHEN line_item_usage_account_id <> '' THEN 'Account' END AS SubAccountType,
    bill_billing_period_start_date AS BillingPeriodStart,
    coalesce(
        bill_billing_period_end_date, bill_billing_period_start_date + INTERVAL 1 MONTH
    ) AS BillingPeriodEnd,
    line_item_usage_start_date AS ChargePeriodStart,
    -- fees and tax end at 23:59:59
    CASE
        WHEN line_item_usage_end_date > line_item_usage_start_date IS NOT TRUE
            THEN line_item_usage_start_date + INTERVAL 1 HOUR
        WHEN second(line_item_usage_end_date) = 59
            THEN date_trunc('second', line_item_usage_end_date) + INTERVAL 1 SECOND
        ELSE line_item_usage_end_date
    END AS ChargePeriodEnd,
    CASE
        WHEN is_usage OR is_unused THEN 'Usage'
        WHEN is_purchase THEN 'Purchase'
        WHEN type IN ('Tax', 'Credit') THEN type
        ELSE 'Adjustment'
    END AS ChargeCategory,
    CASE
        WHEN type = 'Refund' THEN 'Correction'
        WHEN is_usage AND line_item_usage_start_date < bill_billing_period_start_date
            THEN 'Correction'
    END AS ChargeClass,
    CASE
        WHEN is_unused THEN 'Unused: ' || coalesce(line_item_line_item_description, type)
        ELSE nullif(line_item_line_item_description, '')
    END AS ChargeDescription,
    CASE
        WHEN subcategory = 'Support' AND (is_usage OR is_purchase) THEN 'Recurring'
        WHEN is_usage OR is_unused OR type = 'SavingsPlanNegation' THEN 'Usage-Based'
        WHEN type IN ('RIFee', 'SavingsPlanRecurringFee', 'FlatRateSubscription', 'Tax')
            THEN 'Recurring'
        ELSE 'One-Time'
    END AS ChargeFrequency,
    nullif(bill_invoice_id, '') AS InvoiceId,
    coalesce(nullif(bill_invoicing_entity, ''), nullif(line_item_legal_entity, ''), 'AWS')
        AS InvoiceIssuerName,
    'AWS' AS ServiceProviderName,
    CASE WHEN coalesce(bill_billing_entity, 'AWS') = 'AWS' THEN 'AWS' END AS HostProviderName,
    nullif(line_item_legal_entity, '') AS x_PublisherName,
    service AS ServiceName,
    category AS ServiceCategory,
    subcategory AS ServiceSubcategory,
    place AS RegionId,
    coalesce(region_name, nullif(product_location, '')) AS RegionName,
    CASE WHEN regexp_matches(line_item_availability_zone, '[a-z]$')
        THEN line_item_availability_zone END AS AvailabilityZone,
    nullif(line_item_resource_id, '') AS ResourceId,
    CASE
        WHEN starts_with(line_item_resource_id, 'arn:') THEN nullif(regexp_extract(
            line_item_resource_id, '^arn:[^:]+:[^:]+:[^:]*:[^:]*:([A-Za-z-]+)[/:]', 1
        ), '')
        WHEN starts_with(line_item_resource_id, 'i-') THEN 'instance'
        WHEN starts_with(line_item_resource_id, 'vol-') THEN 'volume'
    END AS ResourceType,
    nullif(product_sku, '') AS SkuId,
    coalesce(nullif(pricing_rate_code, ''), nullif(pricing_rate_id, '')) AS SkuPriceId,
    meter AS SkuMeter,
    CASE
        WHEN is_unused OR type IN (
            'SavingsPlanCoveredUsage', 'SavingsPlanNegation', 'DiscountedUsage'
        ) THEN 'Committed'
        WHEN is_usage AND (pricing_term = 'Spot' OR contains(meter, 'SpotUsage')) THEN 'Dynamic'
        WHEN is_usage OR is_purchase THEN 'Standard'
    END AS PricingCategory,
    CASE
        WHEN is_split THEN NULL
        WHEN is_unused AND type = 'RIFee' THEN reservation_unused_quantity
        WHEN is_usage OR is_purchase THEN line_item_usage_amount
    END AS PricingQuantity,
    CASE WHEN (is_usage OR is_purchase) AND NOT is_split THEN unit END AS PricingUnit,
    CASE
        WHEN NOT is_usage OR is_split THEN NULL
        WHEN tokens = '1000' THEN line_item_usage_amount * 1000
        WHEN tokens = '1000000' THEN line_item_usage_amount * 1000000
        ELSE line_item_usage_amount
    END AS ConsumedQuantity,
    CASE
        WHEN NOT is_usage OR is_split THEN NULL
        WHEN tokens IS NOT NULL THEN 'Tokens'
        ELSE unit
    END AS ConsumedUnit,
    CASE WHEN is_usage THEN pricing_public_on_demand_rate WHEN is_purchase AND NOT is_unused
        THEN line_item_unblended_rate END AS ListUnitPrice,
    CASE WHEN type = 'DiscountedUsage' THEN pricing_public_on_demand_rate
        WHEN (is_usage OR is_purchase) AND NOT is_unused AND NOT is_net
            THEN line_item_unblended_rate
    END AS ContractedUnitPrice,
    coalesce(pricing_currency, line_item_currency_code) AS PricingCurrency,
    CASE WHEN coalesce(pricing_currency, line_item_currency_code) = line_item_currency_code
        THEN effective END AS PricingCurrencyEffectiveCost,
    coalesce(plan, reservation) AS CommitmentDiscountId,
    CASE WHEN plan IS NOT NULL THEN 'Spend' WHEN reservation IS NOT NULL THEN 'Usage' END
        AS CommitmentDiscountCategory,
    CASE
        WHEN plan IS NOT NULL THEN CASE savings_plan_offering_type
            WHEN 'ComputeSavingsPlans' THEN 'Compute Savings Plan'
            WHEN 'EC2InstanceSavingsPlans' THEN 'EC2 Instance Savings Plan'
            WHEN 'SageMakerSavingsPlans' THEN 'SageMaker Savings Plan'
            WHEN 'DatabaseSavingsPlans' THEN 'Database Savings Plan'
            ELSE 'Savings Plan'
        END
        WHEN reservation IS NOT NULL THEN 'Reserved Instance'
    END AS CommitmentDiscountType,
    CASE
        WHEN coalesce(plan, reservation) IS NULL THEN NULL
        WHEN is_unused THEN 'Unused'
        WHEN type IN ('SavingsPlanCoveredUsage', 'DiscountedUsage') THEN 'Used'
    END AS CommitmentDiscountStatus,
    CASE
        WHEN plan IS NOT NULL THEN CASE
            WHEN type = 'SavingsPlanRecurringFee' AND NOT is_unused
                THEN savings_plan_total_commitment_to_date
            WHEN is_usage OR is_unused THEN effective
        END
        WHEN reservation IS NULL THEN NULL
        WHEN is_unused THEN reservation_unused_quantity
        WHEN is_usage OR is_purchase THEN line_item_usage_amount
    END AS CommitmentDiscountQuantity,
    CASE
        WHEN NOT (is_usage OR is_purchase) THEN NULL
        WHEN plan IS NOT NULL THEN line_item_currency_code
        WHEN reservation IS NOT NULL THEN unit
    END AS CommitmentDiscountUnit,
    nullif(capacity_reservation_capacity_reservation_arn, '') AS CapacityReservationId,
    CASE lower(capacity_reservation_capacity_reservation_status)
        WHEN 'used' THEN 'Used'
        WHEN 'unused' THEN 'Unused'
    END AS CapacityReservationStatus,
    instance AS x_InstanceType,
    nullif(regexp_extract(product_name, '^(.+?) \(Amazon Bedrock Edition\)$', 1), '')
        AS x_ModelIdBilled,
    '{' || nullif(concat_ws(
        ', ',
        '"InstanceType": ' || to_json(instance),
        '"InstanceSeries": ' || to_json(nullif(product_instance_family, '')),
        '"OperatingSystem": '
            || to_json(coalesce(nullif(product_operating_system, ''), attributes[2])),
        '"x_Operation": ' || to_json(nullif(line_item_operation, '')),
        '"x_ProductFamily": ' || to_json(nullif(product_product_family, '')),
        '"x_Tenancy": ' || to_json(coalesce(nullif(product_tenancy, ''), attributes[3])),
        -- what the bill shows, for aws_savings_plans.py
        CASE WHEN type = 'SavingsPlanNegation' THEN '"x_NegatedCost": "' || paid || '"' END
    ), '') || '}' AS SkuPriceDetails,
    CASE
        WHEN categories NOT IN ('', '{}') THEN CAST(to_json(map_concat(
            map_from_entries(list_transform(
                map_entries(CAST(
                    CAST(coalesce(nullif(tags, ''), '{}') AS JSON) AS MAP(VARCHAR, VARCHAR)
                )),
                lambda tag: {'key': regexp_replace(tag.key, '^user[:_]', ''), 'value': tag.value}
            )),
            map_from_entries(list_transform(
                map_entries(CAST(CAST(categories AS JSON) AS MAP(VARCHAR, VARCHAR))),
                lambda tag: {'key': 'cost_category:' || tag.key, 'value': tag.value}
            ))
        )) AS VARCHAR)
        WHEN tags IN ('', '{}') THEN NULL
        -- a quote inside a JSON string is escaped, so these stand only before a key
        WHEN contains(tags, '"user_') THEN replace(replace(replace(
            tags, '{"user_', '{"'), ',"user_', ',"'), ', "user_', ', "')
        WHEN contains(tags, '"user:') THEN replace(replace(replace(
            tags, '{"user:', '{"'), ',"user:', ',"'), ', "user:', ', "')
        ELSE tags
    END AS Tags
FROM costed
