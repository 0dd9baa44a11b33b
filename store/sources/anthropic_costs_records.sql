-- One record per result. A document is a page, or a bucket that stands alone. A result that two
-- pages repeat (same bucket, same groups) counts once: the later page is the newer answer. What a
-- page or bucket says is read before its results are laid out: with each of them it would be copied.
WITH page AS (
    SELECT
        row_number() OVER () AS page_number,
        json ->> '$.organization_id' AS page_organization_id,
        json ->> '$.organization_name' AS page_organization_name,
        CASE WHEN json_type(json, '$.data') = 'ARRAY' THEN json_extract(json, '$.data[*]')
             ELSE [json] END AS buckets
    FROM document
),
bucket AS (
    SELECT
        * EXCLUDE (buckets),
        unnest(buckets) AS bucket,
        unnest(range(len(buckets))) AS place
    FROM page
),
result AS (
    SELECT
        * EXCLUDE (bucket),
        bucket ->> '$.starting_at' AS starting_at,
        bucket ->> '$.ending_at' AS ending_at,
        -- a bucket that does not say its results, not even that it has none, is set aside
        unnest(CASE WHEN json_type(bucket, '$.results') = 'ARRAY'
            THEN json_extract(bucket, '$.results[*]') ELSE [NULL] END) AS result
    FROM bucket
),
told AS (
    SELECT
        page_number, place, starting_at, ending_at,
        result ->> '$.amount' AS amount,
        result ->> '$.currency' AS currency,
        result ->> '$.cost_type' AS cost_type,
        result ->> '$.description' AS description,
        result ->> '$.model' AS model,
        result ->> '$.token_type' AS token_type,
        result ->> '$.service_tier' AS service_tier,
        result ->> '$.context_window' AS context_window,
        result ->> '$.inference_geo' AS inference_geo,
        result ->> '$.speed' AS speed,
        result ->> '$.workspace_id' AS workspace_id,
        result ->> '$.workspace_name' AS workspace_name,
        coalesce(result ->> '$.organization_id', page_organization_id) AS organization_id,
        coalesce(result ->> '$.organization_name', page_organization_name) AS organization_name
    FROM result
)
SELECT * EXCLUDE (page_number, place)
FROM told
QUALIFY (page_number, place) = max((page_number, place)) OVER (
    PARTITION BY
        organization_id, starting_at, ending_at,
        workspace_id, description, cost_type, model, token_type, service_tier, context_window,
        inference_geo, speed
)
