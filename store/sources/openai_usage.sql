-- OpenAI usage results -> llm_usage. input_tokens includes cached input, as our column does.
WITH named AS (
    SELECT
        *,
        regexp_extract(object, '^organization\.usage\.(.+)\.result$', 1) AS kind,
        CASE
            WHEN input_cache_write_tokens IS NOT NULL THEN input_cache_write_tokens
            -- older pages have the uncached part only
            WHEN input_uncached_tokens IS NOT NULL AND input_tokens > 0
                THEN input_tokens - input_uncached_tokens - coalesce(input_cached_tokens, 0)
        END AS written
    FROM record
),
checked AS (
    SELECT
        *,
        list_filter(
            [
                {n: 'input_tokens', v: input_tokens},
                {n: 'input_cached_tokens', v: input_cached_tokens},
                {n: 'input_cache_write_tokens', v: written},
                {n: 'output_tokens', v: output_tokens},
                {n: 'num_model_requests', v: num_model_requests},
                {n: 'num_requests', v: num_requests},
                {n: 'images', v: images},
                {n: 'characters', v: characters},
                {n: 'num_sessions', v: num_sessions},
                {n: 'usage_bytes', v: usage_bytes}
            ],
            lambda x: x.v < 0 OR x.v <> trunc(x.v)
        ) AS bad
    FROM named
)
SELECT
    'openai-usage' AS source,
    'vendor' AS layer,
    start_time AS started_at,
    end_time AS ended_at,
    'OpenAI' AS provider,
    model AS model_billed,
    project_id AS account,
    api_key_id AS api_key,
    user_id,
    CASE lower(batch) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END AS batch,
    service_tier,
    kind AS operation,
    nullif(concat_ws(' ', source, size, context_level, vector_store_id), '') AS endpoint,
    -- tool calls happen inside model requests, which completions count
    CASE WHEN kind NOT LIKE '%search%' THEN num_model_requests END AS requests,
    input_tokens,
    input_cached_tokens AS cached_input_tokens,
    written AS cache_write_tokens,
    -- these kinds generate no tokens, so that none is known and not missing
    CASE WHEN kind IN ('embeddings', 'moderations') THEN coalesce(output_tokens, 0)
        ELSE output_tokens END AS output_tokens,
    CASE WHEN input_audio_tokens IS NOT NULL OR input_image_tokens IS NOT NULL
        OR output_audio_tokens IS NOT NULL OR output_image_tokens IS NOT NULL
        THEN coalesce(input_audio_tokens, 0) + coalesce(output_audio_tokens, 0)
            + coalesce(input_image_tokens, 0) + coalesce(output_image_tokens, 0)
    END AS media_tokens,
    coalesce(images, characters, seconds, num_sessions, usage_bytes, num_requests) AS quantity,
    CASE
        WHEN images IS NOT NULL THEN 'Images'
        WHEN characters IS NOT NULL THEN 'Characters'
        WHEN seconds IS NOT NULL THEN 'Seconds'
        WHEN num_sessions IS NOT NULL THEN 'Sessions'
        WHEN usage_bytes IS NOT NULL THEN 'Bytes'
        WHEN num_requests IS NOT NULL THEN 'Calls'
    END AS quantity_unit,
    CASE
        WHEN len(bad) > 0 THEN 'is no count: ' || bad[1].v::DOUBLE
        WHEN input_tokens IS NULL AND kind IN ('completions', 'embeddings', 'moderations')
            THEN 'is empty'
        WHEN output_tokens IS NULL AND kind = 'completions' THEN 'is empty'
        WHEN coalesce(input_cached_tokens, 0) + coalesce(written, 0) > input_tokens
            THEN 'is more than input_tokens, which includes it'
        WHEN end_time <= start_time THEN 'is not after start_time'
    END AS _problem,
    CASE
        WHEN len(bad) > 0 THEN bad[1].n
        WHEN input_tokens IS NULL AND kind IN ('completions', 'embeddings', 'moderations')
            THEN 'input_tokens'
        WHEN output_tokens IS NULL AND kind = 'completions' THEN 'output_tokens'
        WHEN end_time <= start_time THEN 'end_time'
        ELSE 'input_cached_tokens'
    END AS _problem_column,
    _line
FROM checked
