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
    SELECT bucket, unnest(bucket->'$.results[*]') AS result
    FROM (SELECT unnest(json->'$.data[*]') AS bucket FROM document)
)
