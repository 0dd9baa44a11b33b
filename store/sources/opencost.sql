WITH allocation AS (
    SELECT
        *,
        -- An allocation without a cluster belongs to the only cluster that the file names.
        coalesce(
            cluster,
            CASE WHEN min(cluster) OVER () = max(cluster) OVER () THEN min(cluster) OVER () END,
            'kubernetes'
        ) AS cluster_name,
        coalesce(cpu_cost, 0) + coalesce(cpu_adjustment, 0) AS cpu,
        coalesce(ram_cost, 0) + coalesce(ram_adjustment, 0) AS ram,
        coalesce(gpu_cost, 0) + coalesce(gpu_adjustment, 0) AS gpu,
        coalesce(pv_cost, 0) + coalesce(pv_adjustment, 0) AS pv,
        coalesce(network_cost, 0) + coalesce(network_adjustment, 0) AS network,
        coalesce(load_balancer_cost, 0) + coalesce(load_balancer_adjustment, 0) AS load_balancer,
        coalesce(shared_cost, 0) AS shared,
        coalesce(external_cost, 0) AS external,
        CAST(json_merge_patch(coalesce(namespace_labels, '{}'), coalesce(labels, '{}')) AS VARCHAR)
            AS all_labels,
        coalesce(
            total_cost, cpu_cost, ram_cost, gpu_cost, pv_cost, network_cost, load_balancer_cost,
            shared_cost, external_cost
        ) IS NULL AS silent
    FROM record
),
summed AS (
    SELECT
        *,
        cpu + ram + gpu + pv + network + load_balancer + shared + external AS parts_cost
    FROM allocation
),
split AS (
    SELECT
        *,
        unnest([
            {name: 'cpu', cost: cpu, quantity: cpu_core_hours, unit: 'Core-Hours'},
            {name: 'ram', cost: ram, quantity: ram_byte_hours, unit: 'Byte-Hours'},
            {name: 'gpu', cost: gpu, quantity: gpu_hours, unit: 'GPU-Hours'},
            {name: 'pv', cost: pv, quantity: pv_byte_hours, unit: 'Byte-Hours'},
            {name: 'network', cost: network, quantity: NULL, unit: NULL},
            {name: 'loadBalancer', cost: load_balancer, quantity: NULL, unit: NULL},
            {name: 'shared', cost: shared, quantity: NULL, unit: NULL},
            {name: 'external', cost: external, quantity: NULL, unit: NULL},
            -- The API rounds every figure by itself, so the parts may miss the total by a little.
            {name: 'other', cost: coalesce(total_cost - parts_cost, 0), quantity: NULL, unit: NULL}
        ]) AS share
    FROM summed
)
SELECT
    share.cost AS BilledCost,
    share.cost AS EffectiveCost,
    share.cost AS ContractedCost,
    share.cost AS ListCost,
    coalesce(currency, 'USD') AS BillingCurrency,
    coalesce(currency, 'USD') AS PricingCurrency,
    'allocated' AS x_CostBasis,

    cluster_name AS BillingAccountId,
    cluster_name AS BillingAccountName,
    'Cluster' AS BillingAccountType,
    CAST(date_trunc('month', window_start) AS TIMESTAMP) AS BillingPeriodStart,
    CAST(date_trunc('month', window_start) + INTERVAL 1 MONTH AS TIMESTAMP) AS BillingPeriodEnd,
    window_start AS ChargePeriodStart,
    window_end AS ChargePeriodEnd,
    namespace AS SubAccountId,
    namespace AS SubAccountName,
    CASE WHEN namespace IS NOT NULL THEN 'Namespace' END AS SubAccountType,

    'Kubernetes' AS ServiceProviderName,
    CASE
        WHEN provider_id LIKE 'aws:%' OR regexp_full_match(provider_id, 'i-[0-9a-f]+') THEN 'AWS'
        WHEN provider_id LIKE 'azure:%' THEN 'Microsoft'
        WHEN provider_id LIKE 'gce:%' THEN 'Google Cloud'
        WHEN provider_id LIKE 'oci:%' OR provider_id LIKE 'ocid1.%' THEN 'Oracle'
    END AS HostProviderName,
    'OpenCost' AS InvoiceIssuerName,
    'Kubernetes' AS ServiceName,
    'Compute' AS ServiceCategory,
    'Containers' AS ServiceSubcategory,
    CASE WHEN share.name = 'other' THEN 'Adjustment' ELSE 'Usage' END AS ChargeCategory,
    'Usage-Based' AS ChargeFrequency,
    concat_ws(' ', share.name, 'of', name) AS ChargeDescription,
    share.name AS SkuMeter,

    -- The node as the cloud's own bill calls it, so that a split finds the charge it is part of.
    CASE
        WHEN provider_id LIKE 'azure:%' THEN regexp_replace(provider_id, '^azure:/+', '/')
        ELSE coalesce(nullif(regexp_extract(provider_id, '[^/]+$'), ''), node)
    END AS ResourceId,
    node AS ResourceName,
    CASE WHEN coalesce(provider_id, node) IS NOT NULL THEN 'Node' END AS ResourceType,
    concat_ws(
        '/', cluster_name,
        CASE WHEN namespace IS NULL AND pod IS NULL AND controller IS NULL THEN name END,
        namespace, coalesce(pod, controller)
    ) AS AllocatedResourceId,
    name AS AllocatedResourceName,
    'opencost' AS AllocatedMethodId,
    nullif(all_labels, '{}') AS AllocatedTags,
    nullif(all_labels, '{}') AS Tags,

    CASE WHEN share.quantity <> 0 THEN share.quantity END AS ConsumedQuantity,
    CASE WHEN share.quantity <> 0 THEN share.unit END AS ConsumedUnit,
    CASE WHEN share.name = 'gpu' AND share.quantity <> 0 THEN share.quantity END AS x_GpuHours,
    CASE
        WHEN silent THEN 'has no cost'
        WHEN window_end <= window_start THEN 'ends before it starts'
    END AS _problem,
    CASE WHEN silent THEN 'totalCost' WHEN window_end <= window_start THEN 'window' END
        AS _problem_column,
    _line
FROM split
WHERE
    share.cost <> 0
    OR (share.name = 'gpu' AND share.quantity <> 0)
    OR (silent AND share.name = 'cpu')
