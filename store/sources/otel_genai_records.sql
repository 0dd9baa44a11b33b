-- One record for each span of a model call that counts tokens. Attributes are lists of
-- {key, value: {kind: text}}; one of the span comes before one of its resource. The span of an agent
-- repeats the tokens of the calls below it, so it is left out.
WITH resources AS (
    SELECT unnest(coalesce(
        json->'$.resourceSpans[*]', json->'$.resource_spans[*]'
    )) AS resource
    FROM document
),
scopes AS (
    SELECT
        resource->'$.resource.attributes[*]' AS resource_attributes,
        unnest(list_concat(
            resource->'$.scopeSpans[*]', resource->'$.instrumentationLibrarySpans[*]'
        )) AS scope
    FROM resources
),
spans AS (
    SELECT resource_attributes, unnest(scope->'$.spans[*]') AS span FROM scopes
),
listed AS (
    SELECT
        span,
        list_concat(span->'$.attributes[*]', resource_attributes) AS attributes
    FROM spans
),
keyed AS (
    SELECT
        span,
        list_transform(attributes, lambda a: a->>'key') AS names,
        list_transform(attributes, lambda a: coalesce(
            a->>'$.value.stringValue', a->>'$.value.intValue', a->>'$.value.doubleValue',
            a->>'$.value.boolValue', a->>'$.value.arrayValue.values[0].stringValue'
        )) AS texts
    FROM listed
)
-- list_position gives NULL for what is not there, and so does the element
SELECT
    span->>'traceId' AS trace_id,
    span->>'spanId' AS span_id,
    nullif(TRY_CAST(span->>'startTimeUnixNano' AS DOUBLE), 0) / 1e9 AS started_at,
    nullif(TRY_CAST(span->>'endTimeUnixNano' AS DOUBLE), 0) / 1e9 AS ended_at,
    CASE WHEN span->>'$.status.code' IN ('2', 'STATUS_CODE_ERROR') THEN 'true'
        WHEN texts[list_position(names, 'error.type')] IS NOT NULL THEN 'true'
        ELSE 'false' END AS failed,
    coalesce(
        texts[list_position(names, 'gen_ai.provider.name')],
        texts[list_position(names, 'gen_ai.system')]
    ) AS provider,
    texts[list_position(names, 'gen_ai.operation.name')] AS operation,
    texts[list_position(names, 'gen_ai.request.model')] AS request_model,
    texts[list_position(names, 'gen_ai.response.model')] AS response_model,
    coalesce(
        texts[list_position(names, 'gen_ai.conversation.id')],
        texts[list_position(names, 'session.id')]
    ) AS conversation_id,
    coalesce(
        texts[list_position(names, 'openai.response.service_tier')],
        texts[list_position(names, 'gen_ai.openai.response.service_tier')],
        texts[list_position(names, 'openai.request.service_tier')],
        texts[list_position(names, 'gen_ai.openai.request.service_tier')]
    ) AS service_tier,
    coalesce(
        texts[list_position(names, 'gen_ai.usage.input_tokens')],
        texts[list_position(names, 'gen_ai.usage.prompt_tokens')]
    ) AS input_tokens,
    coalesce(
        texts[list_position(names, 'gen_ai.usage.output_tokens')],
        texts[list_position(names, 'gen_ai.usage.completion_tokens')]
    ) AS output_tokens,
    coalesce(
        texts[list_position(names, 'gen_ai.usage.cache_read.input_tokens')],
        texts[list_position(names, 'gen_ai.usage.cache_read_input_tokens')]
    ) AS cached_tokens,
    coalesce(
        texts[list_position(names, 'gen_ai.usage.cache_creation.input_tokens')],
        texts[list_position(names, 'gen_ai.usage.cache_creation_input_tokens')]
    ) AS written_tokens,
    coalesce(
        texts[list_position(names, 'gen_ai.usage.reasoning.output_tokens')],
        texts[list_position(names, 'gen_ai.usage.reasoning_tokens')]
    ) AS reasoning_tokens,
    texts[list_position(names, 'team')] AS team,
    texts[list_position(names, 'project')] AS project,
    coalesce(
        texts[list_position(names, 'environment')],
        texts[list_position(names, 'deployment.environment.name')],
        texts[list_position(names, 'deployment.environment')]
    ) AS environment,
    texts[list_position(names, 'feature')] AS feature,
    coalesce(
        texts[list_position(names, 'customer')],
        texts[list_position(names, 'customer.id')]
    ) AS customer,
    coalesce(
        texts[list_position(names, 'user.id')],
        texts[list_position(names, 'enduser.id')]
    ) AS user_id,
    coalesce(
        texts[list_position(names, 'cost_centre')],
        texts[list_position(names, 'cost_center')]
    ) AS cost_centre,
    texts[list_position(names, 'initiative')] AS initiative,
    texts[list_position(names, 'service.name')] AS service,
    texts[list_position(names, 'prompt_hash')] AS prompt_hash,
    texts[list_position(names, 'prefix_hash')] AS prefix_hash,
    texts[list_position(names, 'prefix_tokens')] AS prefix_tokens,
    texts[list_position(names, 'complexity')] AS complexity
FROM keyed
WHERE list_has_any(names, [
    'gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens',
    'gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens'
])
AND coalesce(texts[list_position(names, 'gen_ai.operation.name')], '') NOT IN (
    'invoke_agent', 'create_agent', 'invoke_workflow', 'execute_tool'
)
