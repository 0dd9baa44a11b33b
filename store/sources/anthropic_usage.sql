-- Anthropic usage results -> llm_usage. The uncached input excludes the cache: the parts add up.
WITH checked AS (
    SELECT
        *,
        coalesce(cache_creation_5m, 0) + coalesce(cache_creation_1h, 0) AS written,
        list_filter(
            [
                {n: 'uncached_input_tokens', v: uncached_input_tokens},
                {n: 'ephemeral_5m_input_tokens', v: cache_creation_5m},
                {n: 'ephemeral_1h_input_tokens', v: cache_creation_1h},
                {n: 'cache_read_input_tokens', v: cache_read_input_tokens},
                {n: 'output_tokens', v: output_tokens},
                {n: 'web_search_requests', v: web_search_requests}
            ],
            lambda x: x.v < 0 OR x.v <> trunc(x.v)
        ) AS bad
    FROM record
)
SELECT
    'anthropic-usage' AS source,
    'vendor' AS layer,
    starting_at AS started_at,
    ending_at AS ended_at,
    'Anthropic' AS provider,
    model AS model_billed,
    workspace_id AS account,
    api_key_id AS api_key,
    CASE WHEN service_tier IS NOT NULL THEN lower(service_tier) = 'batch' END AS batch,
    service_tier,
    context_window,
    'messages' AS operation,
    inference_geo AS endpoint,
    uncached_input_tokens + coalesce(cache_read_input_tokens, 0) + written AS input_tokens,
    cache_read_input_tokens AS cached_input_tokens,
    CASE WHEN cache_creation_5m IS NOT NULL OR cache_creation_1h IS NOT NULL THEN written END
        AS cache_write_tokens,
    cache_creation_1h AS cache_write_1h_tokens,
    output_tokens,
    CASE WHEN web_search_requests > 0 THEN web_search_requests END AS quantity,
    CASE WHEN web_search_requests > 0 THEN 'Web searches' END AS quantity_unit,
    CASE
        WHEN len(bad) > 0 THEN 'is no count: ' || bad[1].v::DOUBLE
        WHEN uncached_input_tokens IS NULL OR output_tokens IS NULL THEN 'is empty'
        WHEN ending_at <= starting_at THEN 'is not after starting_at'
    END AS _problem,
    CASE
        WHEN len(bad) > 0 THEN bad[1].n
        WHEN uncached_input_tokens IS NULL THEN 'uncached_input_tokens'
        WHEN output_tokens IS NULL THEN 'output_tokens'
        ELSE 'ending_at'
    END AS _problem_column,
    _line
FROM checked
