"""Pages of OpenAI's costs API (``/v1/organization/costs``), and its export as CSV.

The shape is that of the vendor's OpenAPI description (August 2026): a page holds buckets of a day,
a bucket results, a result one amount in whole currency units by project, line item and key, as far
as the request grouped by them. Costs reconcile to the invoice; the usage API is another source.
"""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.source import Field, SqlSource

OPENAI_COSTS: Final = SqlSource(
    name="openai-costs",
    title="OpenAI costs API",
    signatures=(
        ("organization.costs.result",),
        ("start_time", "amount_value", "amount_currency", "line_item"),
    ),
    fields=(
        Field("start_time", "time", essential=True),
        Field("end_time", "time"),
        Field("amount", "money", required=True, also=("amount_value",)),
        Field("currency", "currency", required=True, also=("amount_currency",)),
        Field("line_item"),
        Field("project_id"),
        Field("project_name"),
        Field("api_key_id"),
        Field("user_id"),
        Field("api_source"),
        Field("quantity", "quantity"),
        Field("quantity_unit"),
        Field("organization_id"),
        Field("organization_name"),
    ),
    nested=True,
    pages=True,
)
