"""Spend logs of the LiteLLM gateway: the table ``LiteLLM_SpendLogs`` as CSV, Parquet or JSON Lines.

One call becomes one row of ``llm_requests``, layer ``gateway``. ``spend`` is the gateway's estimate
and never part of a bill. ``metadata`` is untrusted text: what is not JSON there says nothing.
"""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.source import Field, SqlSource

LITELLM: Final = SqlSource(
    name="litellm",
    title="LiteLLM spend logs",
    signatures=(("request_id", "spend", "prompt_tokens"),),
    fields=(
        Field("request_id", essential=True),
        Field("started_at", "time", essential=True, also=("startTime", "start_time")),
        Field("ended_at", "time", also=("endTime", "end_time")),
        Field("duration_ms", "quantity", also=("request_duration_ms",)),
        Field("spend", "money"),
        Field("prompt_tokens", "quantity", required=True),
        Field("completion_tokens", "quantity", required=True),
        Field("model", required=True),
        Field("model_group"),
        Field("provider", also=("custom_llm_provider",)),
        Field("call_type"),
        Field("api_key"),
        Field("team_id"),
        Field("end_user"),
        Field("user_id", also=("user",)),
        Field("session_id"),
        Field("status"),
        Field("cache_hit"),
        Field("metadata", "json"),
        Field("request_tags", "json"),
    ),
    table="llm_requests",
    lookups=("providers.csv", "model_vendors.csv"),
)
