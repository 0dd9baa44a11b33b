"""A plain request log: a CSV (or Parquet, or JSON Lines) of one's own with one call a row.

One call becomes one row of ``llm_requests``, layer ``trace`` unless a column ``layer`` says
``gateway``. ``input_tokens`` counts all input, cached input included. Columns that are not known
become tags.
"""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.source import Field, SqlSource

_TEXTS: Final = (
    "request_id",
    "layer",
    "account",
    "api_key",
    "team",
    "project",
    "environment",
    "feature",
    "customer",
    "user_id",
    "endpoint",
    "conversation_id",
    "complexity",
    "prompt_hash",
    "prefix_hash",
    "status",
    "batch",
    "service_tier",
    "operation",
    "cost_centre",
    "initiative",
)

REQUEST_LOG: Final = SqlSource(
    name="request-log",
    title="Plain request log",
    signatures=(("timestamp", "provider", "model", "input_tokens", "output_tokens"),),
    fields=(
        Field("timestamp", "time", essential=True),
        Field("provider", essential=True),
        Field("model", essential=True),
        Field("input_tokens", "quantity", essential=True),
        Field("output_tokens", "quantity", essential=True),
        Field("cached_input_tokens", "quantity"),
        Field("cache_write_tokens", "quantity"),
        Field("reasoning_tokens", "quantity"),
        Field("prefix_tokens", "quantity"),
        Field("latency_ms", "quantity"),
        Field("cost", "money", also=("spend", "reported_cost")),
        *(Field(name) for name in _TEXTS),
    ),
    table="llm_requests",
    gather={"other": "*"},
    lookups=("providers.csv",),
)
