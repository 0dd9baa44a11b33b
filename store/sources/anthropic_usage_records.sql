-- One record for each result of each bucket; the bucket's times beside it.
SELECT
    bucket->>'starting_at' AS starting_at,
    bucket->>'ending_at' AS ending_at,
    result->>'model' AS model,
    result->>'workspace_id' AS workspace_id,
    result->>'api_key_id' AS api_key_id,
    result->>'service_tier' AS service_tier,
    result->>'context_window' AS context_window,
    result->>'inference_geo' AS inference_geo,
    result->>'uncached_input_tokens' AS uncached_input_tokens,
    result->>'$.cache_creation.ephemeral_5m_input_tokens' AS cache_creation_5m,
    result->>'$.cache_creation.ephemeral_1h_input_tokens' AS cache_creation_1h,
    result->>'cache_read_input_tokens' AS cache_read_input_tokens,
    result->>'output_tokens' AS output_tokens,
    result->>'$.server_tool_use.web_search_requests' AS web_search_requests
FROM (
    -- a bucket that does not say its results, not even that it has none, is set aside
    SELECT bucket, unnest(CASE WHEN json_type(bucket, '$.results') = 'ARRAY'
        THEN bucket->'$.results[*]' ELSE [NULL] END) AS result
    FROM (SELECT unnest(json->'$.data[*]') AS bucket FROM document)
)
