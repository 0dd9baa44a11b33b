-- Langfuse observations -> llm_requests.
-- Kinds of usage are separate parts by Langfuse's convention, but some integrations count cached
-- input in `input` as well. `total` tells which: where it is input + output, the cache is inside.
WITH opened AS (
    SELECT
        *,
        -- a JSON text inside JSON comes quoted once more
        CASE WHEN NOT json_valid(usage_details) THEN NULL
            WHEN json_type(usage_details) = 'VARCHAR' THEN usage_details->>'$'
            ELSE usage_details END AS details,
        CASE WHEN json_valid(usage) THEN usage END AS old_usage,
        CASE WHEN NOT json_valid(metadata) THEN NULL
            WHEN json_type(metadata) = 'VARCHAR' THEN metadata->>'$'
            ELSE metadata END AS meta,
        CASE WHEN NOT json_valid(cost_details) THEN NULL
            WHEN json_type(cost_details) = 'VARCHAR' THEN cost_details->>'$'
            ELSE cost_details END AS costs,
        CASE WHEN json_valid(model_parameters) THEN model_parameters END AS parameters
    FROM record
),
extracted AS (
    SELECT
        *,
        json_extract_string(CASE WHEN json_valid(details) THEN details END, [
            '$.input', '$.output', '$.total',
            '$.cache_read_input_tokens', '$.input_cached_tokens', '$.input_cache_read',
            '$.cache_creation_input_tokens', '$.input_cache_creation', '$.input_cache_write_tokens',
            '$.output_reasoning_tokens', '$.output_reasoning', '$.reasoning_tokens',
            '$.prompt_tokens', '$.completion_tokens', '$.input_tokens', '$.output_tokens'
        ]) AS u,
        json_extract_string(old_usage, ['$.input', '$.output', '$.promptTokens',
            '$.completionTokens']) AS o,
        json_extract_string(CASE WHEN json_valid(meta) THEN meta END, [
            '$.team', '$.project', '$.environment', '$.feature', '$.customer', '$.prompt_hash',
            '$.prefix_hash', '$.prefix_tokens', '$.complexity', '$.cost_centre', '$.initiative',
            '$.ls_provider', '$.provider'
        ]) AS m,
        CASE WHEN json_valid(costs) THEN costs->>'$.total' END AS detailed_cost,
        coalesce(parameters->>'$.provider', '') AS parameter_provider
    FROM opened
),
counted AS (
    SELECT
        *,
        coalesce(
            TRY_CAST(coalesce(u[1], u[15], u[13], o[1], o[3]) AS DECIMAL(36,15)), prompt_tokens
        ) AS plain_input,
        coalesce(
            TRY_CAST(coalesce(u[2], u[16], u[14], o[2], o[4]) AS DECIMAL(36,15)), completion_tokens
        ) AS plain_output,
        TRY_CAST(u[3] AS DECIMAL(36,15)) AS total,
        TRY_CAST(coalesce(u[4], u[5], u[6]) AS DECIMAL(36,15)) AS cached,
        TRY_CAST(coalesce(u[7], u[8], u[9]) AS DECIMAL(36,15)) AS written,
        TRY_CAST(coalesce(u[10], u[11], u[12]) AS DECIMAL(36,15)) AS reasoning,
        list_filter(u, lambda x: x IS NOT NULL AND TRY_CAST(x AS DECIMAL(36,15)) IS NULL) AS unread
    FROM extracted
    WHERE type IS NULL OR upper(type) IN ('GENERATION', 'EMBEDDING')
),
shaped AS (
    SELECT
        *,
        coalesce(cached, 0) + coalesce(written, 0) AS of_cache,
        total = plain_input + plain_output AND of_cache <= plain_input AS cache_inside,
        total = plain_input + plain_output OR total IS NOT NULL AND total
            = plain_input + plain_output + coalesce(cached, 0) + coalesce(written, 0)
            AS reasoning_inside,
        list_filter(
            [
                {n: 'input', v: plain_input},
                {n: 'output', v: plain_output},
                {n: 'cache_read_input_tokens', v: cached},
                {n: 'cache_creation_input_tokens', v: written},
                {n: 'output_reasoning_tokens', v: reasoning}
            ],
            lambda x: x.v < 0 OR x.v <> trunc(x.v)
        ) AS bad,
        lower(trim(coalesce(m[12], m[13], nullif(parameter_provider, ''),
            CASE WHEN contains(model, '/') THEN split_part(model, '/', 1) END))) AS written_provider
    FROM counted
)
SELECT
    'langfuse' AS source,
    s.id AS request_id,
    'trace' AS layer,
    s.started_at,
    coalesce(
        p.provider,
        (SELECT arg_max(v.provider, length(v.prefix)) FROM model_vendors v
            WHERE starts_with(lower(s.model), v.prefix)),
        s.written_provider
    ) AS provider,
    s.model,
    CASE WHEN coalesce(s.cache_inside, FALSE) THEN s.plain_input
        ELSE s.plain_input + s.of_cache END AS input_tokens,
    s.cached AS cached_input_tokens,
    s.written AS cache_write_tokens,
    CASE WHEN coalesce(s.reasoning_inside, FALSE) THEN s.plain_output
        ELSE s.plain_output + coalesce(s.reasoning, 0) END AS output_tokens,
    s.reasoning AS reasoning_tokens,
    upper(s.level) = 'ERROR' AS failed,
    CASE WHEN s.ended_at >= s.started_at
        THEN date_diff('millisecond', s.started_at, s.ended_at) END AS latency_ms,
    coalesce(s.total_cost, TRY_CAST(s.detailed_cost AS DECIMAL(38,12))) AS reported_cost,
    nullif(trim(s.m[1]), '') AS team,
    nullif(trim(s.m[2]), '') AS project,
    coalesce(nullif(trim(s.m[3]), ''), nullif(nullif(trim(s.environment), ''), 'default'))
        AS environment,
    nullif(trim(s.m[4]), '') AS feature,
    nullif(trim(s.m[5]), '') AS customer,
    s.user_id,
    s.name AS endpoint,
    s.session_id AS conversation_id,
    CASE WHEN lower(s.m[9]) IN ('low', 'medium', 'high') THEN lower(s.m[9]) END AS complexity,
    s.m[6] AS prompt_hash,
    s.m[7] AS prefix_hash,
    CASE WHEN TRY_CAST(s.m[8] AS BIGINT) >= 0 THEN TRY_CAST(s.m[8] AS BIGINT) END AS prefix_tokens,
    CASE WHEN upper(s.type) = 'EMBEDDING' THEN 'embeddings' ELSE 'completions' END AS operation,
    nullif(trim(s.m[10]), '') AS cost_centre,
    nullif(trim(s.m[11]), '') AS initiative,
    s.tags,
    CASE
        WHEN len(s.unread) > 0 THEN 'holds what is no number: ' || s.unread[1]
        WHEN len(s.bad) > 0 THEN 'is no count of tokens: ' || s.bad[1].v::DOUBLE
    END AS _problem,
    CASE WHEN len(s.unread) > 0 THEN 'usageDetails' WHEN len(s.bad) > 0 THEN s.bad[1].n END
        AS _problem_column,
    s._line
FROM shaped s
LEFT JOIN providers p ON p.written = s.written_provider
