"""AWS Cost and Usage Reports: the legacy report (CSV or Parquet) and CUR 2.0 (AWS Data Exports).

Fields are called as in CUR 2.0. A legacy CSV writes ``lineItem/UsageAmount`` for
``line_item_usage_amount``; legacy Parquet files have the names of CUR 2.0. The mapping is in
``aws_cur.sql``. Source: the data dictionaries of the AWS Data Exports User Guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from finops_assistant.store.sources.source import Field, Kind, SqlSource

_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _field(
    legacy: str,
    kind: Kind = "text",
    *,
    name: str = "",
    required: bool = False,
    essential: bool = False,
) -> Field:
    """A field by its legacy spelling; ``name`` where that does not follow from it."""
    made = _WORD.sub("_", legacy).lower().replace("/", "_")
    return Field(name or made, kind, required, essential, (legacy,))


FIELDS: Final = (
    _field("lineItem/LineItemType", required=True, essential=True),
    _field("lineItem/UnblendedCost", "money", required=True, essential=True),
    _field("lineItem/NetUnblendedCost", "money"),
    _field("lineItem/CurrencyCode", "currency", required=True, essential=True),
    _field("lineItem/UsageStartDate", "time", required=True, essential=True),
    _field("lineItem/UsageEndDate", "time"),
    _field("lineItem/UsageAmount", "quantity"),
    _field("lineItem/UnblendedRate", "quantity"),
    _field("lineItem/ProductCode"),
    _field("lineItem/UsageType"),
    _field("lineItem/Operation"),
    _field("lineItem/AvailabilityZone"),
    _field("lineItem/ResourceId"),
    _field("lineItem/LineItemDescription"),
    _field("lineItem/LegalEntity"),
    _field("lineItem/UsageAccountId"),
    _field("lineItem/UsageAccountName"),
    _field("bill/PayerAccountId", required=True, essential=True),
    _field("bill/PayerAccountName"),
    _field("bill/BillingPeriodStartDate", "time", required=True, essential=True),
    _field("bill/BillingPeriodEndDate", "time"),
    _field("bill/BillingEntity"),
    _field("bill/InvoicingEntity"),
    _field("bill/InvoiceId"),
    _field("pricing/publicOnDemandCost", "money", name="pricing_public_on_demand_cost"),
    _field("pricing/publicOnDemandRate", "quantity", name="pricing_public_on_demand_rate"),
    _field("pricing/RateCode"),
    _field("pricing/RateId"),
    _field("pricing/currency", "currency"),
    _field("pricing/term"),
    _field("pricing/unit"),
    _field("product/ProductName"),
    _field("product/productFamily", name="product_product_family"),
    _field("product/sku"),
    _field("product/regionCode"),
    _field("product/region"),
    _field("product/location"),
    _field("product/instanceType"),
    _field("product/instanceFamily"),
    _field("product/operatingSystem"),
    _field("product/tenancy"),
    _field("savingsPlan/SavingsPlanARN", name="savings_plan_savings_plan_a_r_n"),
    _field("savingsPlan/SavingsPlanEffectiveCost", "money"),
    _field("savingsPlan/NetSavingsPlanEffectiveCost", "money"),
    _field("savingsPlan/TotalCommitmentToDate", "money"),
    _field("savingsPlan/UsedCommitment", "money"),
    _field("savingsPlan/OfferingType"),
    _field("reservation/ReservationARN", name="reservation_reservation_a_r_n"),
    _field("reservation/EffectiveCost", "money"),
    _field("reservation/NetEffectiveCost", "money"),
    _field("reservation/UnusedAmortizedUpfrontFeeForBillingPeriod", "money"),
    _field("reservation/NetUnusedAmortizedUpfrontFeeForBillingPeriod", "money"),
    _field("reservation/UnusedRecurringFee", "money"),
    _field("reservation/NetUnusedRecurringFee", "money"),
    _field("reservation/UnusedQuantity", "quantity"),
    _field(
        "capacityReservation/CapacityReservationArn",
        name="capacity_reservation_capacity_reservation_arn",
    ),
    _field("capacityReservation/CapacityReservationStatus"),
    _field("splitLineItem/ParentResourceId"),
    Field("product", "json"),
    Field("discount", "json"),
    Field("resource_tags", "json"),
    Field("cost_category", "json"),
)


def _version(header: Mapping[str, str]) -> str:
    known = {name.strip().lower() for name in header}
    if "lineitem/unblendedcost" in known:
        return "legacy"
    return "2.0" if known & {"bill_payer_account_name", "resource_tags", "product"} else "legacy"


AWS_CUR: Final = SqlSource(
    name="aws-cur",
    title="AWS Cost and Usage Report",
    signatures=(
        ("lineItem/LineItemType", "lineItem/UnblendedCost"),
        ("line_item_line_item_type", "line_item_unblended_cost"),
        ("lineItem/UsageAmount", "lineItem/UsageStartDate"),
        ("line_item_usage_amount", "line_item_usage_start_date"),
    ),
    fields=FIELDS,
    gather={
        "legacy_tags": "resourceTags/",
        "column_tags": "resource_tags_",
        "legacy_categories": "costCategory/",
        "column_categories": "cost_category_",
    },
    lookups=("aws_services.csv", "aws_units.csv", "aws_regions.csv"),
    versions=_version,
)
