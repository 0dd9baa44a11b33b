-- A plain request log -> llm_requests. input_tokens counts all input.
WITH checked AS (
    SELECT
        *,
        coalesce(cached_input_tokens, 0) + coalesce(cache_write_tokens, 0) AS of_cache,
        list_filter(
            [
                {n: 'input_tokens', v: input_tokens},
                {n: 'output_tokens', v: output_tokens},
                {n: 'cached_input_tokens', v: cached_input_tokens},
                {n: 'cache_write_tokens', v: cache_write_tokens},
                {n: 'reasoning_tokens', v: reasoning_tokens}
            ],
            lambda x: x.v < 0 OR x.v <> trunc(x.v)
        ) AS bad,
        md5(concat_ws(chr(31), timestamp, provider, model, input_tokens, output_tokens,
            coalesce(cached_input_tokens, -1), coalesce(team, ''), coalesce(project, ''),
            coalesce(feature, ''), coalesce(customer, ''), coalesce(prompt_hash, ''),
            coalesce(latency_ms, -1), coalesce(status, ''))) AS content
    FROM record
),
identified AS (
    SELECT
        *,
        -- Without ids, rows that are alike in all they say are told apart by their number among
        -- their like: an overlapping export then repeats none of them.
        coalesce(nullif(trim(request_id), ''), content || '-'
            || row_number() OVER (PARTITION BY nullif(trim(request_id), ''), content)) AS id
    FROM checked
)
SELECT
    'request-log' AS source,
    r.id AS request_id,
    CASE lower(trim(r.layer)) WHEN 'gateway' THEN 'gateway' ELSE 'trace' END AS layer,
    r.timestamp AS started_at,
    coalesce(p.provider, r.provider) AS provider,
    r.model,
    r.account,
    r.api_key,
    r.input_tokens,
    r.cached_input_tokens,
    r.cache_write_tokens,
    r.output_tokens,
    r.reasoning_tokens,
    CASE WHEN lower(trim(r.batch)) IN ('true', '1', 'yes') THEN TRUE
        WHEN r.batch IS NOT NULL THEN FALSE END AS batch,
    CASE
        WHEN r.status IS NULL THEN NULL
        WHEN TRY_CAST(r.status AS INTEGER) IS NOT NULL THEN TRY_CAST(r.status AS INTEGER) >= 400
        ELSE lower(trim(r.status)) NOT IN ('ok', 'success', 'succeeded', 'completed', 'true')
    END AS failed,
    CASE WHEN r.latency_ms >= 0 THEN r.latency_ms END AS latency_ms,
    r.cost AS reported_cost,
    r.team,
    r.project,
    r.environment,
    r.feature,
    r.customer,
    r.user_id,
    r.endpoint,
    r.conversation_id,
    CASE WHEN lower(trim(r.complexity)) IN ('low', 'medium', 'high')
        THEN lower(trim(r.complexity)) END AS complexity,
    r.prompt_hash,
    r.prefix_hash,
    CASE WHEN r.prefix_tokens >= 0 THEN r.prefix_tokens END AS prefix_tokens,
    r.service_tier,
    r.operation,
    r.cost_centre,
    r.initiative,
    r.other AS tags,
    CASE
        WHEN len(r.bad) > 0 THEN 'is no count of tokens: ' || r.bad[1].v::DOUBLE
        WHEN r.provider IS NULL OR r.model IS NULL OR r.input_tokens IS NULL
            OR r.output_tokens IS NULL THEN 'is empty'
        WHEN r.of_cache > r.input_tokens THEN 'is more than input_tokens, which includes it'
    END AS _problem,
    CASE
        WHEN len(r.bad) > 0 THEN r.bad[1].n
        WHEN r.provider IS NULL THEN 'provider'
        WHEN r.model IS NULL THEN 'model'
        WHEN r.input_tokens IS NULL THEN 'input_tokens'
        WHEN r.output_tokens IS NULL THEN 'output_tokens'
        ELSE 'cached_input_tokens'
    END AS _problem_column,
    r._line
FROM identified r
LEFT JOIN providers p ON p.written = lower(trim(r.provider))
