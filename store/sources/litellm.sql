-- LiteLLM spend logs -> llm_requests.
-- prompt_tokens counts cached input, except in calls passed through in Anthropic's own format: where
-- the cached parts are more than prompt_tokens, they cannot be in it and are added.
WITH opened AS (
    SELECT
        *,
        -- a JSON text inside JSON comes quoted once more
        CASE WHEN NOT json_valid(metadata) THEN NULL
            WHEN json_type(metadata) = 'VARCHAR' THEN metadata->>'$'
            ELSE metadata END AS opened_metadata
    FROM record
),
extracted AS (
    SELECT
        * EXCLUDE (opened_metadata),
        json_extract_string(
            CASE WHEN json_valid(opened_metadata) THEN opened_metadata END,
            [
                '$.team', '$.spend_logs_metadata.team', '$.requester_metadata.team',
                '$.user_api_key_team_alias',
                '$.project', '$.spend_logs_metadata.project', '$.requester_metadata.project',
                '$.environment', '$.spend_logs_metadata.environment',
                '$.requester_metadata.environment',
                '$.feature', '$.spend_logs_metadata.feature', '$.requester_metadata.feature',
                '$.customer', '$.spend_logs_metadata.customer', '$.requester_metadata.customer',
                '$.prompt_hash', '$.spend_logs_metadata.prompt_hash',
                '$.prefix_hash', '$.spend_logs_metadata.prefix_hash',
                '$.prefix_tokens', '$.spend_logs_metadata.prefix_tokens',
                '$.complexity', '$.spend_logs_metadata.complexity',
                '$.cost_centre', '$.spend_logs_metadata.cost_centre',
                '$.initiative', '$.spend_logs_metadata.initiative',
                '$.usage_object.cache_read_input_tokens',
                '$.usage_object.prompt_tokens_details.cached_tokens',
                '$.additional_usage_values.cache_read_input_tokens',
                '$.additional_usage_values.prompt_tokens_details.cached_tokens',
                '$.usage_object.cache_creation_input_tokens',
                '$.usage_object.prompt_tokens_details.cache_creation_tokens',
                '$.additional_usage_values.cache_creation_input_tokens',
                '$.additional_usage_values.prompt_tokens_details.cache_creation_tokens',
                '$.usage_object.completion_tokens_details.reasoning_tokens',
                '$.additional_usage_values.completion_tokens_details.reasoning_tokens'
            ]
        ) AS m
    FROM opened
),
read AS (
    SELECT
        * EXCLUDE (m),
        coalesce(nullif(trim(m[1]), ''), nullif(trim(m[2]), ''), nullif(trim(m[3]), ''),
            nullif(trim(m[4]), '')) AS team,
        coalesce(nullif(trim(m[5]), ''), nullif(trim(m[6]), ''), nullif(trim(m[7]), '')) AS project,
        coalesce(nullif(trim(m[8]), ''), nullif(trim(m[9]), ''), nullif(trim(m[10]), ''))
            AS environment,
        coalesce(nullif(trim(m[11]), ''), nullif(trim(m[12]), ''), nullif(trim(m[13]), ''))
            AS feature,
        coalesce(nullif(trim(m[14]), ''), nullif(trim(m[15]), ''), nullif(trim(m[16]), ''),
            nullif(trim(end_user), '')) AS customer,
        coalesce(m[17], m[18]) AS prompt_hash,
        coalesce(m[19], m[20]) AS prefix_hash,
        TRY_CAST(coalesce(m[21], m[22]) AS BIGINT) AS prefix_tokens,
        lower(trim(coalesce(m[23], m[24]))) AS complexity,
        nullif(trim(coalesce(m[25], m[26])), '') AS cost_centre,
        nullif(trim(coalesce(m[27], m[28])), '') AS initiative,
        -- A zero may stand beside the true count under another name, so the largest counts.
        greatest(TRY_CAST(m[29] AS BIGINT), TRY_CAST(m[30] AS BIGINT), TRY_CAST(m[31] AS BIGINT),
            TRY_CAST(m[32] AS BIGINT)) AS cached,
        greatest(TRY_CAST(m[33] AS BIGINT), TRY_CAST(m[34] AS BIGINT), TRY_CAST(m[35] AS BIGINT),
            TRY_CAST(m[36] AS BIGINT)) AS written,
        greatest(TRY_CAST(m[37] AS BIGINT), TRY_CAST(m[38] AS BIGINT)) AS reasoning,
        lower(trim(coalesce(provider, CASE WHEN contains(model, '/') THEN split_part(model, '/', 1)
            END, CASE WHEN contains(model_group, '/') THEN split_part(model_group, '/', 1) END)))
            AS written_provider
    FROM extracted
),
counted AS (
    SELECT
        *,
        coalesce(cached, 0) + coalesce(written, 0) AS of_cache,
        list_filter(
            [
                {n: 'prompt_tokens', v: prompt_tokens},
                {n: 'completion_tokens', v: completion_tokens},
                {n: 'metadata', v: CAST(cached AS DECIMAL(38,15))},
                {n: 'metadata', v: CAST(written AS DECIMAL(38,15))}
            ],
            lambda x: x.v < 0 OR x.v <> trunc(x.v)
        ) AS bad
    FROM read
)
SELECT
    'litellm' AS source,
    r.request_id,
    'gateway' AS layer,
    r.started_at,
    coalesce(
        v.provider,
        r.provider,
        (SELECT arg_max(m.provider, length(m.prefix)) FROM model_vendors m
            WHERE starts_with(lower(r.model), m.prefix))
    ) AS provider,
    r.model,
    r.api_key,
    CASE WHEN r.of_cache > r.prompt_tokens THEN r.prompt_tokens + r.of_cache
        ELSE r.prompt_tokens END AS input_tokens,
    r.cached AS cached_input_tokens,
    r.written AS cache_write_tokens,
    r.completion_tokens AS output_tokens,
    r.reasoning AS reasoning_tokens,
    lower(trim(r.status)) IN ('failure', 'failed', 'error') AS failed,
    CASE
        WHEN r.duration_ms >= 0 THEN r.duration_ms
        WHEN r.ended_at >= r.started_at THEN date_diff('millisecond', r.started_at, r.ended_at)
    END AS latency_ms,
    r.spend AS reported_cost,
    r.team,
    r.project,
    r.environment,
    r.feature,
    r.customer,
    r.user_id,
    r.call_type AS endpoint,
    r.session_id AS conversation_id,
    CASE WHEN r.complexity IN ('low', 'medium', 'high') THEN r.complexity END AS complexity,
    r.prompt_hash,
    r.prefix_hash,
    CASE WHEN r.prefix_tokens >= 0 THEN r.prefix_tokens END AS prefix_tokens,
    CASE
        WHEN contains(r.call_type, 'embedding') THEN 'embeddings'
        WHEN contains(r.call_type, 'moderation') THEN 'moderations'
        WHEN contains(r.call_type, 'image') THEN 'images'
        WHEN contains(r.call_type, 'transcription') THEN 'audio_transcriptions'
        WHEN contains(r.call_type, 'speech') THEN 'audio_speeches'
        WHEN contains(r.call_type, 'rerank') THEN 'rerank'
        WHEN r.call_type IS NOT NULL THEN 'completions'
    END AS operation,
    r.team_id AS gateway_team,
    r.cost_centre,
    r.initiative,
    CASE WHEN lower(r.cache_hit) = 'true' OR length(r.request_tags) > 4 THEN CAST(json_object(
        'gateway_cache_hit', CASE WHEN lower(r.cache_hit) = 'true' THEN 'true' END,
        'request_tags', CASE WHEN length(r.request_tags) > 4 THEN r.request_tags END
    ) AS VARCHAR) END AS tags,
    CASE WHEN len(r.bad) > 0 THEN 'is no count of tokens: ' || r.bad[1].v::DOUBLE END AS _problem,
    CASE WHEN len(r.bad) > 0 THEN r.bad[1].n END AS _problem_column,
    r._line
FROM counted r
LEFT JOIN providers v ON v.written = r.written_provider
