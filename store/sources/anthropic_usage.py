"""Anthropic's messages usage report: pages of ``/v1/organizations/usage_report/messages``.

One result becomes one row of ``llm_usage``, layer ``vendor``. The report's uncached input excludes
the cache, so the parts are added up: uncached + read + written (kept 5 minutes, or an hour). It has
no number of requests.
"""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.source import Field, SqlSource

_ALWAYS: Final = ("uncached_input_tokens", "output_tokens")
_COUNTS: Final = (
    "cache_creation_5m",
    "cache_creation_1h",
    "cache_read_input_tokens",
    "web_search_requests",
)

ANTHROPIC_USAGE: Final = SqlSource(
    name="anthropic-usage",
    title="Anthropic messages usage report",
    signatures=(("uncached_input_tokens", "cache_creation"),),
    fields=(
        Field("starting_at", "time", essential=True),
        Field("ending_at", "time", essential=True),
        *(
            Field(name)
            for name in (
                "model",
                "workspace_id",
                "api_key_id",
                "service_tier",
                "context_window",
                "inference_geo",
            )
        ),
        *(Field(name, "quantity", essential=True) for name in _ALWAYS),
        *(Field(name, "quantity") for name in _COUNTS),
    ),
    table="llm_usage",
    nested=True,
    pages=True,
)
