"""Pages of Anthropic's cost report (``/v1/organizations/cost_report``).

The shape is that of the vendor's API reference (2026): a page holds buckets of one day, a bucket
results. **The amount is a text in cents** (``"123.45"`` is 1.23 US dollars). A result has details
only when the request groups by description. No quantity is reported and none is made up.
"""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.source import Field, SqlSource

ANTHROPIC_COSTS: Final = SqlSource(
    name="anthropic-costs",
    title="Anthropic cost report",
    signatures=(("starting_at", "results", "amount", "currency", "cost_type"),),
    fields=(
        Field("starting_at", "time", essential=True),
        Field("ending_at", "time"),
        Field("amount", "money", essential=True),  # in cents
        Field("currency", "currency", essential=True),
        Field("cost_type"),
        Field("description"),
        Field("model"),
        Field("token_type"),
        Field("service_tier"),
        Field("context_window"),
        Field("inference_geo"),
        Field("speed"),
        Field("workspace_id"),
        Field("workspace_name"),
        Field("organization_id"),
        Field("organization_name"),
    ),
    nested=True,
    pages=True,
)
