SELECT
    -- The API tells one amount: what is billed. Prices before a discount are not in it.
    amount AS BilledCost,
    amount AS EffectiveCost,
    amount AS ContractedCost,
    amount AS ListCost,
    currency AS BillingCurrency,
    currency AS PricingCurrency,

    coalesce(organization_id, 'openai') AS BillingAccountId,
    organization_name AS BillingAccountName,
    CAST(date_trunc('month', start_time) AS TIMESTAMP) AS BillingPeriodStart,
    CAST(date_trunc('month', start_time) + INTERVAL 1 MONTH AS TIMESTAMP) AS BillingPeriodEnd,
    start_time AS ChargePeriodStart,
    coalesce(end_time, start_time + INTERVAL 1 DAY) AS ChargePeriodEnd,
    project_id AS SubAccountId,
    coalesce(project_name, project_id) AS SubAccountName,
    CASE WHEN project_id IS NOT NULL THEN 'Project' END AS SubAccountType,
    api_key_id AS x_ApiKeyId,
    CAST(
        nullif(
            json_merge_patch('{}', json_object('user_id', user_id, 'api_source', api_source)), '{}'
        ) AS VARCHAR
    ) AS Tags,

    'OpenAI' AS ServiceProviderName,
    'OpenAI' AS InvoiceIssuerName,
    'OpenAI API' AS ServiceName,
    'AI and Machine Learning' AS ServiceCategory,
    'Generative AI' AS ServiceSubcategory,
    CASE WHEN amount < 0 THEN 'Credit' ELSE 'Usage' END AS ChargeCategory,
    'Usage-Based' AS ChargeFrequency,
    line_item AS ChargeDescription,
    line_item AS SkuId,
    line_item AS SkuPriceId,
    line_item AS SkuMeter,
    CASE WHEN amount >= 0 THEN 'Standard' END AS PricingCategory,

    -- A quantity whose unit the API leaves open is no quantity of anything.
    CASE WHEN unit.sold IS NOT NULL THEN quantity END AS PricingQuantity,
    CASE WHEN quantity IS NOT NULL THEN unit.sold END AS PricingUnit,
    CASE WHEN unit.sold IS NOT NULL THEN quantity * unit.block END AS ConsumedQuantity,
    CASE WHEN quantity IS NOT NULL THEN unit.consumed END AS ConsumedUnit,
    _line
FROM (
    SELECT
        *,
        CASE lower(quantity_unit)
            WHEN 'tokens' THEN {sold: 'Tokens', consumed: 'Tokens', block: 1}
            WHEN '1000_tokens' THEN {sold: '1000 Tokens', consumed: 'Tokens', block: 1000}
            WHEN '1000000_tokens' THEN {sold: '1000000 Tokens', consumed: 'Tokens', block: 1000000}
            WHEN 'duration_seconds' THEN {sold: 'Seconds', consumed: 'Seconds', block: 1}
            WHEN 'duration_minutes' THEN {sold: 'Minutes', consumed: 'Minutes', block: 1}
            WHEN 'duration_hours' THEN {sold: 'Hours', consumed: 'Hours', block: 1}
            WHEN 'gibibyte_hours' THEN {sold: 'GiB-Hours', consumed: 'GiB-Hours', block: 1}
            WHEN 'images' THEN {sold: 'Images', consumed: 'Images', block: 1}
            WHEN 'characters' THEN {sold: 'Characters', consumed: 'Characters', block: 1}
            ELSE {sold: quantity_unit, consumed: quantity_unit, block: 1}
        END AS unit
    FROM record
    -- The CSV export has a line for every day, also for one without any cost.
    WHERE amount IS NOT NULL OR currency IS NOT NULL
)
