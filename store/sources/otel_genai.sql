-- OpenTelemetry GenAI spans -> llm_requests. By the conventions input_tokens includes cached input;
-- earlier instrumentation of Anthropic's models left it out: more cached than input shows that.
WITH shaped AS (
    SELECT
        *,
        coalesce(response_model, request_model) AS model,
        coalesce(cached_tokens, 0) + coalesce(written_tokens, 0) AS of_cache,
        of_cache > input_tokens AND (
            starts_with(lower(coalesce(provider, '')), 'anthropic')
            OR contains(lower(coalesce(response_model, request_model, '')), 'claude')
        ) AS cache_outside,
        list_filter(
            [
                {n: 'gen_ai.usage.input_tokens', v: input_tokens},
                {n: 'gen_ai.usage.output_tokens', v: output_tokens},
                {n: 'gen_ai.usage.cache_read.input_tokens', v: cached_tokens},
                {n: 'gen_ai.usage.cache_creation.input_tokens', v: written_tokens},
                {n: 'gen_ai.usage.reasoning.output_tokens', v: reasoning_tokens}
            ],
            lambda x: x.v < 0 OR x.v <> trunc(x.v)
        ) AS bad
    FROM record
)
SELECT
    'otel-genai' AS source,
    concat_ws('-', s.trace_id, s.span_id) AS request_id,
    'trace' AS layer,
    s.started_at,
    coalesce(
        p.provider,
        s.provider,
        (SELECT arg_max(v.provider, length(v.prefix)) FROM model_vendors v
            WHERE starts_with(lower(s.model), v.prefix))
    ) AS provider,
    s.model,
    CASE WHEN s.cache_outside THEN s.input_tokens + s.of_cache ELSE s.input_tokens END
        AS input_tokens,
    s.cached_tokens AS cached_input_tokens,
    s.written_tokens AS cache_write_tokens,
    s.output_tokens,
    s.reasoning_tokens,
    s.failed = 'true' AS failed,
    CASE WHEN s.ended_at >= s.started_at
        THEN date_diff('millisecond', s.started_at, s.ended_at) END AS latency_ms,
    nullif(trim(s.team), '') AS team,
    nullif(trim(s.project), '') AS project,
    nullif(trim(s.environment), '') AS environment,
    nullif(trim(s.feature), '') AS feature,
    nullif(trim(s.customer), '') AS customer,
    s.user_id,
    s.operation AS endpoint,
    s.conversation_id,
    CASE WHEN lower(s.complexity) IN ('low', 'medium', 'high') THEN lower(s.complexity) END
        AS complexity,
    s.prompt_hash,
    s.prefix_hash,
    CASE WHEN s.prefix_tokens >= 0 THEN s.prefix_tokens END AS prefix_tokens,
    CASE WHEN s.operation = 'embeddings' THEN 'embeddings' ELSE 'completions' END AS operation,
    s.service_tier,
    s.cost_centre,
    s.initiative,
    CASE WHEN s.service IS NOT NULL
        THEN CAST(json_object('service.name', s.service) AS VARCHAR) END AS tags,
    CASE
        WHEN len(s.bad) > 0 THEN 'is no count of tokens: ' || s.bad[1].v::DOUBLE
        WHEN s.of_cache > s.input_tokens AND NOT s.cache_outside
            THEN 'is more than gen_ai.usage.input_tokens, which includes it'
    END AS _problem,
    CASE WHEN len(s.bad) > 0 THEN s.bad[1].n ELSE 'gen_ai.usage.cache_read.input_tokens' END
        AS _problem_column,
    s._line
FROM shaped s
LEFT JOIN providers p ON p.written = lower(trim(s.provider))
