"""Google Cloud billing export of BigQuery, standard and detailed.

As Parquet (nested structures and lists), JSON Lines (nested) or CSV with dotted headers, whose
``credits`` and ``labels`` are JSON text or a Python literal; such a literal is taken apart into its
tokens and never evaluated.

Source: Google Cloud documentation, "Structure of Standard data export" and "Structure of Detailed
data export".
"""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.source import Field, SqlSource

GCP_BILLING: Final = SqlSource(
    name="gcp-billing",
    title="Google Cloud billing export",
    signatures=(("service.description", "sku.description"),),
    fields=(
        Field("cost", "money", essential=True),
        Field("currency", "currency", essential=True),
        Field("billing_account_id", essential=True),
        Field("usage_start", "time", essential=True, also=("usage_start_time",)),
        Field("usage_end", "time", also=("usage_end_time",)),
        Field("cost_at_list", "money"),
        Field("cost_before_commitments", "money", also=("cost_at_effective_price_default",)),
        Field("credits", "json"),
        Field("invoice_month", required=True, also=("invoice.month",)),
        Field("cost_type"),
        Field("adjustment_type", also=("adjustment_info.type",)),
        Field("adjustment_description", also=("adjustment_info.description",)),
        Field("service_text", required=True, also=("service.description",)),
        Field("sku_text", required=True, also=("sku.description",)),
        Field("sku_id", also=("sku.id",)),
        Field("project_id", also=("project.id",)),
        Field("project_name", also=("project.name",)),
        Field("project_labels", "json", also=("project.labels",)),
        Field("labels", "json"),
        Field("system_labels", "json"),
        Field("tags", "json"),
        Field("location_name", also=("location.location",)),
        Field("region", also=("location.region",)),
        Field("zone", also=("location.zone",)),
        Field("resource_name", also=("resource.name",)),
        Field("resource_global_name", also=("resource.global_name",)),
        Field("usage_amount", "quantity", also=("usage.amount",)),
        Field("usage_unit", also=("usage.unit",)),
        Field("priced_amount", "quantity", also=("usage.amount_in_pricing_units",)),
        Field("priced_unit", also=("usage.pricing_unit",)),
        Field("effective_price", "quantity", also=("price.effective_price",)),
        Field("seller_name"),
        Field("subscription_id", also=("subscription.instance_id",)),
        Field("consumption_name", also=("consumption_model.description",)),
    ),
    lookups=("gcp_services.csv", "gcp_units.csv", "gcp_regions.csv"),
)
