-- One record for every sample of every series of a range query (or of an instant query).
WITH series AS (
    SELECT
        unnest(from_json((json->'$.data.result'), '["JSON"]')) AS one
    FROM document
), named AS (
    SELECT
        one->>'$.metric.__name__' AS name,
        coalesce(
            one->>'$.metric.resource_id',
            one->>'$.metric.instance_id',
            one->>'$.metric.Hostname',
            one->>'$.metric.hostname',
            one->>'$.metric.node',
            one->>'$.metric.nodename',
            -- an exporter's address is that of its host: without the port
            regexp_replace(one->>'$.metric.instance', ':[0-9]+$', ''),
            one->>'$.metric.pod'
        ) AS resource_id,
        -- what tells the parts of one resource apart: its GPUs, its processors
        coalesce(
            one->>'$.metric.UUID', one->>'$.metric.gpu', one->>'$.metric.device',
            one->>'$.metric.cpu', ''
        ) || coalesce('/' || (one->>'$.metric.GPU_I_ID'), '') AS part,
        one->>'$.metric.modelName' AS model,
        one->>'$.metric.mode' AS mode,
        unnest(coalesce(
            from_json((one->'$.values'), '["JSON"]'),
            CASE WHEN (one->'$.value') IS NOT NULL THEN [one->'$.value'] END
        )) AS sample
    FROM series
)
SELECT
    name, resource_id, part, model, mode,
    sample->>'$[0]' AS timestamp,
    sample->>'$[1]' AS value
FROM named
-- NaN is Prometheus' way of saying that there was nothing to measure
WHERE lower(coalesce(sample->>'$[1]', '')) <> 'nan'
