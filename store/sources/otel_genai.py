"""OpenTelemetry spans with the GenAI conventions, as OTLP JSON (one exported batch a line).

A span with a token count becomes one row of ``llm_requests``, layer ``trace``; other spans are left
out. Both the present attribute names and the earlier ones are read. Spans carry no cost.
"""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.source import Field, SqlSource

OTEL_GENAI: Final = SqlSource(
    name="otel-genai",
    title="OpenTelemetry GenAI spans",
    signatures=(
        ("gen_ai.usage.input_tokens",),
        ("gen_ai.usage.prompt_tokens",),
        ("gen_ai.usage.output_tokens",),
    ),
    fields=(
        Field("trace_id"),
        Field("span_id", essential=True),
        Field("started_at", "time", essential=True),
        Field("ended_at", "time"),
        Field("failed"),
        *(
            Field(name)
            for name in (
                "provider",
                "operation",
                "request_model",
                "response_model",
                "conversation_id",
                "service_tier",
                "team",
                "project",
                "environment",
                "feature",
                "customer",
                "user_id",
                "cost_centre",
                "initiative",
                "service",
                "prompt_hash",
                "prefix_hash",
                "complexity",
            )
        ),
        *(
            Field(name, "quantity")
            for name in (
                "input_tokens",
                "output_tokens",
                "cached_tokens",
                "written_tokens",
                "reasoning_tokens",
                "prefix_tokens",
            )
        ),
    ),
    table="llm_requests",
    nested=True,
    lookups=("providers.csv", "model_vendors.csv"),
)
