"""Observations exported from Langfuse, as JSON Lines or CSV, in camelCase or snake_case.

A generation or an embedding becomes one row of ``llm_requests``, layer ``trace``; spans and events,
which call no model, are left out. Costs are Langfuse's estimate and never part of a bill.
"""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.source import Field, SqlSource

LANGFUSE: Final = SqlSource(
    name="langfuse",
    title="Langfuse observations",
    signatures=(
        ("usageDetails", "traceId"),
        ("usage_details", "trace_id"),
        ("calculatedTotalCost", "traceId"),
        ("calculated_total_cost", "trace_id"),
        ("usageDetails", "startTime"),
        ("usage_details", "start_time"),
    ),
    fields=(
        Field("id", essential=True),
        Field("type"),
        Field("name"),
        Field("started_at", "time", essential=True, also=("startTime", "start_time")),
        Field("ended_at", "time", also=("endTime", "end_time")),
        Field(
            "model",
            also=("providedModelName", "provided_model_name", "modelName", "model_name"),
        ),
        Field("environment"),
        Field("user_id", also=("userId",)),
        Field("session_id", also=("sessionId",)),
        Field("level"),
        Field("usage_details", "json", also=("usageDetails",)),
        Field("usage", "json"),
        Field("cost_details", "json", also=("costDetails",)),
        Field("prompt_tokens", "quantity", also=("promptTokens", "inputUsage", "input_usage")),
        Field(
            "completion_tokens",
            "quantity",
            also=("completionTokens", "outputUsage", "output_usage"),
        ),
        Field(
            "total_cost",
            "money",
            also=("totalCost", "calculatedTotalCost", "calculated_total_cost"),
        ),
        Field("metadata", "json"),
        Field("model_parameters", "json", also=("modelParameters",)),
        Field("tags", "json"),
    ),
    table="llm_requests",
    lookups=("providers.csv", "model_vendors.csv"),
)
