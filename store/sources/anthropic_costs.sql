WITH cost AS (
    SELECT
        *,
        amount * 0.01 AS dollars,  -- cents to whole units; a product of decimals is exact
        nullif(concat_ws(' / ', model, token_type), '') AS model_and_token
    FROM record
)
SELECT
    -- The report tells one amount: what is billed. Prices before a discount are not in it.
    dollars AS BilledCost,
    dollars AS EffectiveCost,
    dollars AS ContractedCost,
    dollars AS ListCost,
    currency AS BillingCurrency,
    currency AS PricingCurrency,

    coalesce(organization_id, 'anthropic') AS BillingAccountId,
    organization_name AS BillingAccountName,
    CAST(date_trunc('month', starting_at) AS TIMESTAMP) AS BillingPeriodStart,
    CAST(date_trunc('month', starting_at) + INTERVAL 1 MONTH AS TIMESTAMP) AS BillingPeriodEnd,
    starting_at AS ChargePeriodStart,
    coalesce(ending_at, starting_at + INTERVAL 1 DAY) AS ChargePeriodEnd,
    -- NULL in the report means the default workspace, or that nothing was grouped by workspace.
    workspace_id AS SubAccountId,
    coalesce(workspace_name, workspace_id) AS SubAccountName,
    CASE WHEN workspace_id IS NOT NULL THEN 'Workspace' END AS SubAccountType,

    'Anthropic' AS ServiceProviderName,
    'Anthropic' AS InvoiceIssuerName,
    'Anthropic API' AS ServiceName,
    'AI and Machine Learning' AS ServiceCategory,
    'Generative AI' AS ServiceSubcategory,
    CASE WHEN dollars < 0 THEN 'Credit' ELSE 'Usage' END AS ChargeCategory,
    'Usage-Based' AS ChargeFrequency,
    coalesce(description, model_and_token, cost_type) AS ChargeDescription,
    CASE WHEN dollars >= 0 THEN 'Standard' END AS PricingCategory,

    coalesce(model_and_token, cost_type, description) AS SkuMeter,
    nullif(concat_ws('/', coalesce(model, cost_type), token_type), '') AS SkuId,
    nullif(
        concat_ws(
            '/', coalesce(model, cost_type), token_type, service_tier, context_window,
            inference_geo, speed
        ),
        ''
    ) AS SkuPriceId,
    CAST(
        nullif(
            json_merge_patch(
                '{}',
                json_object(
                    'ModelId', model,
                    'TokenDirection',
                    CASE
                        WHEN token_type = 'output_tokens' THEN 'Output'
                        WHEN token_type LIKE '%input_tokens' THEN 'Input'
                    END,
                    'TokenCacheAction',
                    CASE
                        WHEN token_type = 'uncached_input_tokens' THEN 'Uncached'
                        WHEN token_type = 'cache_read_input_tokens' THEN 'Read'
                        WHEN token_type LIKE 'cache_creation.%' THEN 'Write'
                    END,
                    'x_TokenType', token_type,
                    'x_CostType', cost_type,
                    'x_ServiceTier', service_tier,
                    'x_ContextWindow', context_window,
                    'x_InferenceGeo', inference_geo,
                    'x_Speed', speed
                )
            ),
            '{}'
        ) AS VARCHAR
    ) AS SkuPriceDetails,
    model AS x_ModelIdBilled,
    service_tier AS x_ServiceTier,
    _line
FROM cost
