-- One row for every resource, metric and moment: the mean over the resource's GPUs or processors,
-- and the sum of what is counted.
WITH known AS (
    SELECT name, metric, TRY_CAST(scale AS INTEGER) AS scale, CAST(preferred AS INTEGER) AS preferred
    FROM prometheus_metrics WHERE metric IS NOT NULL
), plain AS (
    SELECT r.timestamp, r.resource_id, k.metric, r.part, r.model, r.name, k.preferred,
           r.value * k.scale AS value
    FROM record r JOIN known k USING (name) WHERE k.scale IS NOT NULL
), memory AS (
    -- MiB of the frame buffer in use, of those in use or free
    SELECT timestamp, resource_id, 'gpu_memory_utilization' AS metric, part, any_value(model) AS model,
           'DCGM_FI_DEV_FB_USED' AS name, 3 AS preferred,
           max(value) FILTER (name = 'DCGM_FI_DEV_FB_USED') AS used,
           max(value) FILTER (name = 'DCGM_FI_DEV_FB_FREE') AS free
    FROM record WHERE name IN ('DCGM_FI_DEV_FB_USED', 'DCGM_FI_DEV_FB_FREE') GROUP BY ALL
), idle AS (
    -- seconds that a processor was idle, since the sample before; a counter that began anew is left out
    SELECT timestamp, resource_id, part,
           value - lag(value) OVER w AS idle,
           epoch_us(timestamp) - epoch_us(lag(timestamp) OVER w) AS span
    FROM record WHERE name = 'node_cpu_seconds_total' AND mode = 'idle'
    WINDOW w AS (PARTITION BY resource_id, part ORDER BY timestamp)
), every AS (
    SELECT * FROM plain
    UNION ALL BY NAME
    SELECT * EXCLUDE (used, free), used::DOUBLE * 100 / (used + free)::DOUBLE AS value
    FROM memory WHERE used + free > 0
    UNION ALL BY NAME
    SELECT timestamp, resource_id, 'cpu_utilization' AS metric, part, NULL AS model,
           'node_cpu_seconds_total' AS name, 3 AS preferred,
           greatest(0, least(100, 100 - idle::DOUBLE * 100000000 / span)) AS value
    FROM idle WHERE idle >= 0 AND span > 0
), best AS (
    -- of two ways to measure the same thing on one GPU, the better one
    SELECT * FROM every
    QUALIFY preferred = min(preferred) OVER (PARTITION BY timestamp, resource_id, metric, part)
), merged AS (
    SELECT timestamp, resource_id, metric,
           CASE WHEN ends_with(metric, 'utilization') THEN avg(value::DOUBLE)
                ELSE sum(value::DOUBLE) END AS value,
           count(DISTINCT part) AS parts, any_value(model) AS model, min(name) AS name
    FROM best GROUP BY timestamp, resource_id, metric
)
SELECT
    timestamp, resource_id, metric,
    CAST(round(value, 6) AS DECIMAL(38,12)) AS value,
    CAST(json_merge_patch('{}', json_object(
        'read_from', name,
        'gpus', CASE WHEN starts_with(metric, 'gpu') THEN CAST(parts AS VARCHAR) END,
        'gpu_model', model
    )) AS VARCHAR) AS tags,
    CASE
        WHEN ends_with(metric, 'utilization') AND value NOT BETWEEN 0 AND 100
        THEN 'is outside 0 to 100 percent: ' || round(value, 3)
        WHEN value < 0 THEN 'is below 0: ' || value
    END AS _problem,
    'value' AS _problem_column
FROM merged
UNION ALL BY NAME
-- Series of which nothing can be made, each once.
SELECT
    min(timestamp) AS timestamp, min(resource_id) AS resource_id, coalesce(r.name, '') AS metric,
    0 AS value, NULL AS tags,
    CASE
        WHEN r.name IS NULL THEN 'has no name: give the query''s result one with label_replace'
        WHEN r.name = 'DCGM_FI_DEV_FB_USED' THEN 'DCGM_FI_DEV_FB_USED needs DCGM_FI_DEV_FB_FREE in the same file'
        WHEN r.name = 'DCGM_FI_DEV_FB_FREE' THEN 'DCGM_FI_DEV_FB_FREE needs DCGM_FI_DEV_FB_USED in the same file'
        ELSE 'is no metric that is known: ' || r.name
    END AS _problem,
    '__name__' AS _problem_column
FROM record r LEFT JOIN prometheus_metrics p ON p.name = r.name
WHERE p.name IS NULL
   OR (r.name IN ('DCGM_FI_DEV_FB_USED', 'DCGM_FI_DEV_FB_FREE')
       AND NOT EXISTS (SELECT 1 FROM memory WHERE used + free > 0))
GROUP BY r.name
