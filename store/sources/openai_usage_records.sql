-- One record for each result of each bucket; the bucket's times beside it.
SELECT
    bucket->>'start_time' AS start_time,
    bucket->>'end_time' AS end_time,
    result->>'object' AS object,
    result->>'model' AS model,
    result->>'project_id' AS project_id,
    result->>'user_id' AS user_id,
    result->>'api_key_id' AS api_key_id,
    result->>'batch' AS batch,
    result->>'service_tier' AS service_tier,
    result->>'source' AS source,
    result->>'size' AS size,
    result->>'context_level' AS context_level,
    result->>'vector_store_id' AS vector_store_id,
    result->>'num_model_requests' AS num_model_requests,
    result->>'num_requests' AS num_requests,
    result->>'num_sessions' AS num_sessions,
    result->>'input_tokens' AS input_tokens,
    result->>'input_cached_tokens' AS input_cached_tokens,
    result->>'input_cache_write_tokens' AS input_cache_write_tokens,
    result->>'input_uncached_tokens' AS input_uncached_tokens,
    result->>'output_tokens' AS output_tokens,
    result->>'input_audio_tokens' AS input_audio_tokens,
    result->>'output_audio_tokens' AS output_audio_tokens,
    result->>'input_image_tokens' AS input_image_tokens,
    result->>'output_image_tokens' AS output_image_tokens,
    result->>'images' AS images,
    result->>'characters' AS characters,
    result->>'seconds' AS seconds,
    result->>'usage_bytes' AS usage_bytes
FROM (
    -- a bucket that does not say its results, not even that it has none, is set aside
    SELECT bucket, unnest(CASE WHEN json_type(bucket, '$.results') = 'ARRAY'
        THEN bucket->'$.results[*]' ELSE [NULL] END) AS result
    FROM (SELECT unnest(json->'$.data[*]') AS bucket FROM document)
)
