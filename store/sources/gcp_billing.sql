-- One row of a Google Cloud billing export as one FOCUS charge.
--
-- Cost:  BilledCost and EffectiveCost  cost + every credit of the row
--        ContractedCost  cost before credits (cost_at_effective_price_default where it is given:
--                        before committed use discounts)
--        ListCost        cost_at_list, else ContractedCost
-- What a row is (kind):
--   tax      cost_type tax                                      Tax
--   change   cost_type rounding_error or adjustment             Adjustment; a correction of usage or
--            price: Usage with ChargeClass Correction; goodwill: Credit
--   credit   cost 0 with credits, or a negative cost without usage
--                                                               Credit; List and Contracted cost 0
--   unused   the fee of a commitment (SKU 'Commitment ...') less FEE_UTILIZATION_OFFSET credits:
--            what is left was not used                          Usage, Committed, Unused;
--            List and Contracted cost 0
--   fee      such a fee without those credits                   Purchase, Recurring
--   used     usage with a COMMITTED_USAGE_DISCOUNT credit or at a consumption model that is not
--            'Default'                                          Usage, Committed, Used
--   usage    everything else                                    Usage
-- Commitment id: subscription.instance_id, for fees else resource.global_name or resource.name, else
--        the id, full name or name of the discount's credit.
-- Service: gcp_services.csv by service.description; unknown: ServiceName = service.description,
--        category Other; 'Invoice' and rows without a service: 'Invoice items', Other. SKUs of the
--        input or output of a language model: ServiceSubcategory Generative AI.
-- SkuMeter is sku.description; SubAccountId project.id; ResourceId resource.global_name; RegionId
--        location.region. Tags: labels, then tags, then project.labels, first come first served;
--        the machine type of system_labels is x_InstanceType.
-- usage.amount is ConsumedQuantity, in raw units (bytes, seconds, tokens); the pricing units are
--        PricingQuantity and PricingUnit ('1M tokens' -> '1000000 Tokens'). The unit 'count' is
--        'Tokens' for such an SKU ('Characters' where it says so), else 'Units'.
WITH texts AS (
    SELECT
        *,
        CASE WHEN cost_type = 'tax' THEN NULL ELSE sku_text END AS sold,
        list_transform([credits, labels, tags, project_labels, system_labels], lambda text: CASE
            WHEN text IS NULL OR trim(text) IN ('', '[]', '{}', 'null', 'None') THEN '[]'
            WHEN NOT json_valid(text) THEN
                -- a Python literal: its tokens, with the strings, None, True and False as in JSON
                list_aggregate(list_transform(
                    regexp_extract_all(
                        text,
                        '''(?:[^''\\]|\\.)*''|"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s''"\[\]{},:]+'
                    ),
                    lambda token: CASE
                        WHEN token[1] IN ('''', '"') THEN CAST(to_json(
                            regexp_replace(token[2:-2], '\\([''"\\])', '\1', 'g')
                        ) AS VARCHAR)
                        ELSE CASE token WHEN 'None' THEN 'null' WHEN 'True' THEN 'true'
                            WHEN 'False' THEN 'false' ELSE token END
                    END
                ), 'string_agg', '')
            -- BigQuery writes a list in Parquet as {list: [{element: ...}]}
            WHEN json_exists(text, '$.list')
                THEN CAST(to_json(json_extract(text, '$.list[*].element')) AS VARCHAR)
            WHEN json_type(text) = 'OBJECT' AND NOT json_exists(text, '$.amount')
                AND NOT json_exists(text, '$.key')
                THEN CAST(to_json(list_transform(
                    map_entries(from_json(text, '"MAP(VARCHAR, VARCHAR)"')),
                    lambda member: {'key': member.key, 'value': member.value}
                )) AS VARCHAR)
            WHEN json_type(text) = 'OBJECT' THEN '[' || text || ']'
            ELSE text
        END) AS lists
    FROM record
),
parsed AS (
    SELECT
        *,
        TRY(from_json(lists[1], '[{"name": "VARCHAR", "amount": "VARCHAR", "full_name": "VARCHAR",
            "id": "VARCHAR", "type": "VARCHAR"}]')) AS credit_list,
        list_concat(
            TRY(from_json(lists[2], '[{"key": "VARCHAR", "value": "VARCHAR"}]')),
            TRY(from_json(lists[3], '[{"key": "VARCHAR", "value": "VARCHAR"}]')),
            TRY(from_json(lists[4], '[{"key": "VARCHAR", "value": "VARCHAR"}]'))
        ) AS labelled,
        TRY(from_json(lists[5], '[{"key": "VARCHAR", "value": "VARCHAR"}]')) AS system_list,
        coalesce(regexp_matches(sold, '(?i)\btokens?\b')
            OR regexp_matches(sold, '(?i)gemini|claude|llama|mistral|deepseek|qwen|gemma|embedding')
                AND regexp_matches(sold, '(?i)\b(input|output|embedding)\b'),
            FALSE) AS of_model,
        nullif(upper(regexp_extract(
            sold, '(?i)\b(character|image|second|minute|audio hour|token)s?\b', 1
        )), '') AS counted,
        try_strptime(invoice_month, '%Y%m') AS first_day
    FROM texts
),
summed AS (
    SELECT
        *,
        list_transform(credit_list, lambda c: TRY_CAST(c.amount AS DECIMAL(38, 24))) AS amounts,
        list_transform(credit_list, lambda c: c.type) AS types,
        list_transform(labelled, lambda l: l.key) AS label_keys,
        coalesce(sold ILIKE 'commitment%', FALSE) AS is_fee,
        CASE
            WHEN NOT of_model THEN 'Units'
            WHEN counted = 'CHARACTER' THEN 'Characters'
            WHEN coalesce(counted, 'TOKEN') = 'TOKEN' THEN 'Tokens'
            ELSE 'Units'
        END AS counted_unit
    FROM parsed
),
told AS (
    SELECT
        summed.*,
        coalesce(list_sum(amounts), 0) AS off,
        CASE
            WHEN cost_type = 'tax' THEN 'tax'
            WHEN coalesce(cost_type, 'regular') IN ('rounding_error', 'adjustment') THEN 'change'
            WHEN cost = 0 AND list_sum(amounts) <> 0 THEN 'credit'
            WHEN cost < 0 AND coalesce(usage_amount, 0) = 0 THEN 'credit'
            WHEN is_fee AND list_contains(types, 'FEE_UTILIZATION_OFFSET') THEN 'unused'
            WHEN is_fee THEN 'fee'
            WHEN list_has_any(
                types, ['COMMITTED_USAGE_DISCOUNT', 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE']
            ) OR coalesce(consumption_name, 'Default') <> 'Default' THEN 'used'
            ELSE 'usage'
        END AS kind,
        coalesce(list_contains(types, 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE'), FALSE)
            OR coalesce(consumption_name, 'Default') <> 'Default'
            OR is_fee AND coalesce(sold ILIKE '%dollar based%', FALSE)
            OR coalesce(list_contains(types, 'FEE_UTILIZATION_OFFSET'), FALSE) AS spend_based,
        list_filter(credit_list, lambda c: c.type LIKE 'COMMITTED_USAGE_DISCOUNT%'
            OR c.type = 'FEE_UTILIZATION_OFFSET')[1] AS discount,
        CASE
            WHEN of_model AND lower(usage_unit) = 'count' THEN counted_unit
            ELSE coalesce(used_unit.name, usage_unit)
        END AS consumed_unit,
        coalesce(
            CASE WHEN lower(priced_unit) = 'count' THEN counted_unit END,
            priced.name,
            -- '1M tokens' and '1000 count'
            CASE upper(regexp_extract(priced_unit, '^\d+\s?([kKmM]?)\s?\w+$', 1))
                WHEN 'K' THEN regexp_extract(priced_unit, '^(\d+)', 1) || '000 '
                WHEN 'M' THEN regexp_extract(priced_unit, '^(\d+)', 1) || '000000 '
            END || counted_unit,
            priced_unit
        ) AS pricing_unit
    FROM summed
    LEFT JOIN gcp_units AS used_unit ON used_unit.unit = lower(usage_unit)
    LEFT JOIN gcp_units AS priced ON priced.unit = lower(priced_unit)
),
charges AS (
    SELECT
        *,
        CASE kind
            WHEN 'tax' THEN 'Tax'
            WHEN 'credit' THEN 'Credit'
            WHEN 'fee' THEN 'Purchase'
            WHEN 'change' THEN CASE
                WHEN adjustment_type ILIKE '%correction%' THEN 'Usage'
                WHEN adjustment_type ILIKE '%goodwill%' THEN 'Credit'
                ELSE 'Adjustment'
            END
            ELSE 'Usage'
        END AS charge_category,
        kind IN ('used', 'unused', 'fee') AS committed,
        CASE
            WHEN kind IN ('credit', 'unused') THEN 0
            WHEN kind = 'fee' THEN cost
            ELSE coalesce(cost_before_commitments, cost)
        END AS contracted
    FROM told
)
SELECT
    cost + off AS BilledCost,
    cost + off AS EffectiveCost,
    contracted AS ContractedCost,
    CASE WHEN kind IN ('credit', 'unused') THEN 0
        ELSE coalesce(cost_at_list, contracted) END AS ListCost,
    CASE WHEN len(credit_list) > 0 THEN off END AS x_CreditAmount,
    nullif(array_to_string(list_sort(list_distinct(types)), ', '), '') AS x_CreditTypes,
    currency AS BillingCurrency,
    currency AS PricingCurrency,
    billing_account_id AS BillingAccountId,
    'Billing Account' AS BillingAccountType,
    project_id AS SubAccountId,
    coalesce(project_name, project_id) AS SubAccountName,
    CASE WHEN project_id IS NOT NULL THEN 'Project' END AS SubAccountType,
    CAST(coalesce(first_day, date_trunc('month', usage_start)) AS TIMESTAMP) AS BillingPeriodStart,
    CAST(coalesce(first_day, date_trunc('month', usage_start)) + INTERVAL 1 MONTH AS TIMESTAMP)
        AS BillingPeriodEnd,
    usage_start AS ChargePeriodStart,
    CASE WHEN usage_end > usage_start THEN usage_end
        ELSE CAST(usage_start + INTERVAL 1 HOUR AS TIMESTAMP) END AS ChargePeriodEnd,
    'Google Cloud' AS ServiceProviderName,
    'Google Cloud' AS InvoiceIssuerName,
    CASE WHEN coalesce(seller_name, 'Google') ILIKE 'google%' THEN 'Google Cloud' END
        AS HostProviderName,
    seller_name AS x_PublisherName,
    charge_category AS ChargeCategory,
    CASE WHEN kind = 'change' AND charge_category = 'Usage' THEN 'Correction' END AS ChargeClass,
    coalesce(adjustment_description, sku_text, service_text) AS ChargeDescription,
    CASE
        WHEN kind = 'fee' THEN 'Recurring'
        WHEN charge_category = 'Usage' THEN 'Usage-Based'
        ELSE 'One-Time'
    END AS ChargeFrequency,
    CASE
        WHEN kind IN ('used', 'unused') THEN 'Committed'
        WHEN charge_category NOT IN ('Usage', 'Purchase') THEN NULL
        WHEN regexp_matches(sku_text, '(?i)^spot |preemptible') THEN 'Dynamic'
        ELSE 'Standard'
    END AS PricingCategory,
    CASE WHEN charge_category IN ('Usage', 'Purchase') THEN priced_amount END AS PricingQuantity,
    CASE WHEN charge_category IN ('Usage', 'Purchase') THEN pricing_unit END AS PricingUnit,
    CASE WHEN charge_category = 'Usage' AND kind <> 'unused' THEN usage_amount END
        AS ConsumedQuantity,
    CASE WHEN charge_category = 'Usage' AND kind <> 'unused' AND usage_amount IS NOT NULL
        THEN consumed_unit END AS ConsumedUnit,
    CASE WHEN charge_category = 'Usage' AND kind <> 'unused' THEN effective_price END
        AS ContractedUnitPrice,
    sku_id AS SkuId,
    sku_id AS SkuPriceId,
    sku_text AS SkuMeter,
    coalesce(known.name, service_text, 'Invoice items') AS ServiceName,
    CASE
        WHEN known.category IS NOT NULL THEN known.category
        WHEN of_model THEN 'AI and Machine Learning'
        ELSE 'Other'
    END AS ServiceCategory,
    CASE
        WHEN of_model AND coalesce(known.category, 'AI and Machine Learning')
            = 'AI and Machine Learning' THEN 'Generative AI'
        ELSE coalesce(known.subcategory, 'Other (Other)')
    END AS ServiceSubcategory,
    coalesce(region, location_name) AS RegionId,
    coalesce(regions.name, region, location_name) AS RegionName,
    zone AS AvailabilityZone,
    coalesce(resource_global_name, resource_name) AS ResourceId,
    coalesce(resource_name, regexp_extract(resource_global_name, '([^/]+)/*$', 1)) AS ResourceName,
    nullif(regexp_extract(resource_global_name, '([^/]+)/[^/]+/*$', 1), '') AS ResourceType,
    CASE WHEN committed THEN coalesce(
        subscription_id,
        CASE WHEN kind <> 'used' THEN coalesce(resource_global_name, resource_name) END,
        nullif(discount.id, ''), nullif(discount.full_name, ''), nullif(discount.name, ''),
        consumption_name, sku_id
    ) END AS CommitmentDiscountId,
    CASE WHEN committed THEN coalesce(
        nullif(discount.full_name, ''), nullif(discount.name, ''),
        nullif(consumption_name, 'Default'), sku_text
    ) END AS CommitmentDiscountName,
    CASE WHEN committed THEN
        CASE WHEN spend_based THEN 'Spend-based committed use discount'
            ELSE 'Resource-based committed use discount' END
    END AS CommitmentDiscountType,
    CASE WHEN committed THEN CASE WHEN spend_based THEN 'Spend' ELSE 'Usage' END END
        AS CommitmentDiscountCategory,
    CASE kind WHEN 'used' THEN 'Used' WHEN 'unused' THEN 'Unused' END AS CommitmentDiscountStatus,
    CASE WHEN kind IN ('used', 'unused') THEN
        CASE WHEN spend_based THEN CAST(cost + off AS DECIMAL(38, 15)) ELSE priced_amount END
    END AS CommitmentDiscountQuantity,
    CASE WHEN committed THEN CASE WHEN spend_based THEN currency ELSE pricing_unit END END
        AS CommitmentDiscountUnit,
    list_filter(system_list, lambda l: l.key = 'compute.googleapis.com/machine_spec')[1].value
        AS x_InstanceType,
    CASE WHEN len(labelled) > 0 THEN '{' || array_to_string(list_transform(
        list_filter(labelled, lambda l, i: l.key IS NOT NULL AND list_position(label_keys, l.key) = i),
        lambda l: CAST(to_json(l.key) AS VARCHAR) || ':'
            || CAST(to_json(coalesce(l.value, '')) AS VARCHAR)
    ), ',') || '}' END AS Tags,
    CASE
        WHEN invoice_month IS NOT NULL AND first_day IS NULL
            THEN 'is not a month like 202611: ' || invoice_month
        WHEN credit_list IS NULL THEN 'cannot be read as a list of credits: ' || credits
        WHEN list_contains(list_transform(amounts, lambda a: a IS NULL), TRUE)
            THEN 'holds a credit whose amount is not a number: ' || credits
    END AS _problem,
    CASE WHEN invoice_month IS NOT NULL AND first_day IS NULL THEN 'invoice.month' ELSE 'credits'
        END AS _problem_column,
    _line
FROM charges
LEFT JOIN gcp_services AS known ON lower(known.written) = lower(service_text)
LEFT JOIN gcp_regions AS regions ON regions.code = coalesce(region, location_name)
