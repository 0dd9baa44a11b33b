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
        bucket ->> '$.start_time' AS start_time,
        bucket ->> '$.end_time' AS end_time,
        -- a bucket that does not say its results, not even that it has none, is set aside
        unnest(CASE WHEN json_type(bucket, '$.results') = 'ARRAY'
            THEN json_extract(bucket, '$.results[*]') ELSE [NULL] END) AS result
    FROM bucket
),
told AS (
    SELECT
        page_number, place, start_time, end_time,
        result ->> '$.object' AS object,
        -- A word in place of what is not there: such a result is set aside, not an empty day.
        coalesce(result ->> '$.amount.value', 'missing') AS amount,
        coalesce(result ->> '$.amount.currency', 'missing') AS currency,
        result ->> '$.line_item' AS line_item,
        result ->> '$.project_id' AS project_id,
        result ->> '$.project_name' AS project_name,
        result ->> '$.api_key_id' AS api_key_id,
        result ->> '$.user_id' AS user_id,
        result ->> '$.api_source' AS api_source,
        result ->> '$.quantity' AS quantity,
        result ->> '$.quantity_unit' AS quantity_unit,
        coalesce(result ->> '$.organization_id', page_organization_id) AS organization_id,
        coalesce(result ->> '$.organization_name', page_organization_name) AS organization_name
    FROM result
)
SELECT * EXCLUDE (page_number, place, object)
FROM told
QUALIFY (page_number, place) = max((page_number, place)) OVER (
    PARTITION BY
        organization_id, start_time, end_time,
        object, line_item, project_id, api_key_id, user_id, api_source
)
