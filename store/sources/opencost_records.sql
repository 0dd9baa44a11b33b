-- One record per allocation. A document is an answer of the API ({code, data: [set, ...]}), one set
-- ({name: allocation, ...}), or an allocation of a flat list.
WITH answer AS (
    SELECT
        json ->> '$.currency' AS currency,
        CASE
            WHEN json_type(json, '$.data') = 'ARRAY' THEN json_extract(json, '$.data[*]')
            WHEN json_type(json, '$.data.sets') = 'ARRAY' THEN json_extract(json, '$.data.sets[*]')
            WHEN json_type(json, '$.data') = 'OBJECT' THEN [json_extract(json, '$.data')]
            ELSE [json]
        END AS sets
    FROM document
),
piece AS (
    SELECT currency, unnest(sets) AS piece FROM answer
),
named AS (
    SELECT
        currency,
        unnest(
            CASE
                WHEN json_exists(piece, '$.totalCost') OR json_exists(piece, '$.cpuCost')
                    THEN [{key: piece ->> '$.name', value: piece}]
                WHEN json_type(piece, '$.allocations') = 'OBJECT'
                    THEN map_entries(
                        CAST(json_extract(piece, '$.allocations') AS MAP(VARCHAR, JSON))
                    )
                WHEN json_type(piece) = 'OBJECT'
                    THEN map_entries(CAST(piece AS MAP(VARCHAR, JSON)))
            END
        ) AS entry
    FROM piece
),
allocation AS (
    SELECT currency, entry.key AS key, entry.value AS value
    FROM named
    WHERE json_type(entry.value) = 'OBJECT'
)
SELECT
    coalesce(value ->> '$.name', key) AS name,
    -- The window is the step of the query; start and end are when the workload ran within it.
    coalesce(value ->> '$.window.start', value ->> '$.start') AS window_start,
    coalesce(value ->> '$.window.end', value ->> '$.end') AS window_end,
    value ->> '$.properties.cluster' AS cluster,
    value ->> '$.properties.node' AS node,
    value ->> '$.properties.providerID' AS provider_id,
    value ->> '$.properties.namespace' AS namespace,
    value ->> '$.properties.controller' AS controller,
    value ->> '$.properties.pod' AS pod,
    value ->> '$.properties.container' AS container,
    CAST(json_extract(value, '$.properties.labels') AS VARCHAR) AS labels,
    CAST(json_extract(value, '$.properties.namespaceLabels') AS VARCHAR) AS namespace_labels,
    coalesce(value ->> '$.currency', currency) AS currency,
    value ->> '$.cpuCost' AS cpu_cost,
    value ->> '$.cpuCostAdjustment' AS cpu_adjustment,
    value ->> '$.ramCost' AS ram_cost,
    value ->> '$.ramCostAdjustment' AS ram_adjustment,
    value ->> '$.gpuCost' AS gpu_cost,
    value ->> '$.gpuCostAdjustment' AS gpu_adjustment,
    value ->> '$.pvCost' AS pv_cost,
    value ->> '$.pvCostAdjustment' AS pv_adjustment,
    value ->> '$.networkCost' AS network_cost,
    value ->> '$.networkCostAdjustment' AS network_adjustment,
    value ->> '$.loadBalancerCost' AS load_balancer_cost,
    value ->> '$.loadBalancerCostAdjustment' AS load_balancer_adjustment,
    value ->> '$.sharedCost' AS shared_cost,
    value ->> '$.externalCost' AS external_cost,
    value ->> '$.totalCost' AS total_cost,
    value ->> '$.cpuCoreHours' AS cpu_core_hours,
    value ->> '$.ramByteHours' AS ram_byte_hours,
    value ->> '$.gpuHours' AS gpu_hours,
    value ->> '$.pvByteHours' AS pv_byte_hours
FROM allocation
