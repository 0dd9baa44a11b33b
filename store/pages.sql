-- One row per result of the pages in document(filename, json), and one without content for a bucket
-- that has none. A JSON file may hold one page, a list of them, or one a line.
, numbered AS (
    SELECT filename, json, row_number() OVER (ORDER BY filename) AS page
    FROM document
    WHERE json_type(json, '$.data') = 'ARRAY'
),
paged AS (
    SELECT
        filename,
        page,
        coalesce(TRY_CAST(json ->> '$.has_more' AS BOOLEAN), FALSE) AS has_more,
        -- A page without any result does not show of which report it is.
        (json ->> '$.data[*].results[0].object')[1] AS kind,
        coalesce(
            json ->> '$.organization_id',
            (json ->> '$.data[*].results[0].organization_id')[1],
            ''
        ) AS organization,
        json_extract(json, '$.data[*]') AS buckets
    FROM numbered
),
bucket AS (
    SELECT * EXCLUDE (buckets), unnest(buckets) AS bucket FROM paged
),
timed AS (
    SELECT
        * EXCLUDE (bucket),
        coalesce(
            TRY(to_timestamp(TRY_CAST(bucket ->> '$.start_time' AS BIGINT))),
            TRY_CAST(bucket ->> '$.starting_at' AS TIMESTAMPTZ)
        ) AT TIME ZONE 'UTC' AS started,
        coalesce(
            TRY(to_timestamp(TRY_CAST(bucket ->> '$.end_time' AS BIGINT))),
            TRY_CAST(bucket ->> '$.ending_at' AS TIMESTAMPTZ)
        ) AT TIME ZONE 'UTC' AS ended,
        CASE WHEN json_array_length(bucket, '$.results') > 0
             THEN json_extract(bucket, '$.results[*]') ELSE [NULL] END AS results
    FROM bucket
),
result AS (
    SELECT * EXCLUDE (results), unnest(results) AS result FROM timed
)
SELECT
    page_file.source AS source,
    concat_ws(' ', page_file.source, nullif(regexp_extract(kind, 'usage\.([a-z_]+)', 1), ''),
              nullif(organization, '')) AS report,
    page_file.label AS label,
    page,
    has_more,
    started,
    ended,
    TRY_CAST(
        coalesce(
            result ->> '$.amount.value', result ->> '$.amount',
            result ->> '$.input_tokens', result ->> '$.uncached_input_tokens'
        ) AS DECIMAL(38, 12)
    ) AS amount,
    CAST(grouped AS VARCHAR) AS groups,
    -- By which fields it is grouped.
    CAST([g IS NOT NULL FOR g IN grouped] AS VARCHAR) AS shape,
    CASE WHEN result IS NOT NULL THEN hash(CAST(result AS VARCHAR)) END AS content
FROM (
    SELECT
        *,
        json_extract_string(
            result,
            [
                '$.organization_id', '$.project_id', '$.user_id', '$.api_key_id', '$.line_item',
                '$.api_source', '$.model', '$.batch', '$.service_tier', '$.size', '$.source',
                '$.workspace_id', '$.description', '$.cost_type', '$.token_type',
                '$.context_window', '$.inference_geo', '$.speed', '$.account_id',
                '$.service_account_id', '$.object'
            ]
        ) AS grouped
    FROM result
) JOIN page_file USING (filename)
-- A bucket without a time that makes sense has been set aside, and belongs to no sequence.
WHERE started < ended AND started >= TIMESTAMP '2000-01-01' AND ended < TIMESTAMP '2200-01-01'
