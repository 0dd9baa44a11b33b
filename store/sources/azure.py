"""Azure Cost Management exports: actual and amortised cost, of every agreement.

The two kinds have the same columns, so the rows decide which one a file is (``_AMORTISED``), and
AZURE_AMORTISED must be asked before AZURE_ACTUAL.

Header variants: Enterprise Agreement and pay-as-you-go (``CostInBillingCurrency`` or ``Cost``,
names in PascalCase), Microsoft Customer and Partner Agreement (camelCase, prices in a pricing
currency of its own), and the older ``PreTaxCost``. All write the month first; a date that
contradicts this is set aside, and ISO dates are read too.

Source: Microsoft Learn, "Understand cost details fields" and the dataset schemas of cost and usage
details.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from finops_assistant.store.sources.source import Field, Kind, SqlSource

# "%m/%d/%Y" reads 9/4/2023 and 09/04/2023 alike. Time of day appears in older exports only.
_DATES: Final = (
    "%m/%d/%Y",
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
)


def _field(
    name: str, *also: str, kind: Kind = "text", required: bool = False, essential: bool = False
) -> Field:
    """A field under its snake-case name; every export spells it in one of two cases."""
    spelled = "".join(part.capitalize() for part in name.split("_"))
    dates = _DATES if kind == "time" else ()
    return Field(name, kind, required, essential, (spelled, *also), dates)


FIELDS: Final = (
    _field("cost", "CostInBillingCurrency", "PreTaxCost", kind="money", essential=True),
    _field("currency", "BillingCurrency", "BillingCurrencyCode", kind="currency", essential=True),
    _field("date", "UsageDateTime", "UsageDate", kind="time", essential=True),
    _field("meter_category", required=True),
    _field("meter_sub_category"),
    _field("meter_name"),
    _field("meter_id"),
    _field("quantity", "UsageQuantity", "ConsumedQuantity", kind="quantity"),
    _field("unit_of_measure"),
    _field("unit_price", kind="quantity"),
    _field("effective_price", "ResourceRate", kind="quantity"),
    _field("payg_price", kind="quantity"),
    _field("payg_cost", "paygCostInBillingCurrency", kind="money"),
    _field("cost_in_usd", kind="money"),
    _field("pricing_currency", "PricingCurrencyCode", kind="currency"),
    _field("exchange_rate", "exchangeRatePricingToBilling", kind="quantity"),
    _field("charge_type"),
    _field("pricing_model"),
    _field("frequency"),
    _field("publisher_type"),
    _field("publisher_name"),
    _field("reseller_name"),
    _field("reservation_id"),
    _field("reservation_name"),
    _field("benefit_id"),
    _field("benefit_name"),
    _field("product", "ProductName"),
    _field("product_id"),
    _field("product_order_id"),
    _field("product_order_name"),
    _field("part_number"),
    _field("service_family"),
    _field("consumed_service"),
    _field("billing_account_id", "EnrollmentNumber"),
    _field("billing_account_name"),
    _field("billing_profile_id"),
    _field("billing_profile_name"),
    _field("period_start", "BillingPeriodStartDate", kind="time"),
    _field("period_end", "BillingPeriodEndDate", kind="time"),
    _field("invoice_id"),
    _field("subscription_id", "SubscriptionGuid"),
    _field("subscription_name"),
    _field("resource_id", "InstanceId"),
    _field("resource_name"),
    _field("resource_location", "location"),
    _field("availability_zone"),
    _field("additional_info"),
    _field("cost_center"),
    _field("tags"),
)
_SIGNATURES: Final = tuple(
    ("MeterCategory", cost) for cost in ("CostInBillingCurrency", "Cost", "PreTaxCost")
)
_SQL: Final = files("finops_assistant.store.sources").joinpath("azure.sql").read_text("utf-8")


_COMMITTED: Final = """(
    lower(replace(pricing_model, ' ', '')) IN ('reservation', 'savingsplan')
    OR coalesce(pricing_model, '') = '' AND coalesce(reservation_id, benefit_id, '') <> ''
)"""
# The manifest of an export says which kind it is. Else: an amortised export spreads commitments
# over what they cover and what they do not, and knows no purchase of them; an actual one has the
# purchases, and usage that they cover at no cost. A file without any commitment (a part of an
# export, say) is the same in both, and its name the last hint.
_AMORTISED: Final = f"""CASE
    WHEN bool_or(manifest LIKE '%"AmortizedCost"%') THEN TRUE
    WHEN bool_or(manifest LIKE '%"ActualCost"%') THEN FALSE
    WHEN bool_or(charge_type ILIKE 'unused%') THEN TRUE
    WHEN bool_or(charge_type IN ('Purchase', 'Refund') AND {_COMMITTED}) THEN FALSE
    WHEN bool_or(charge_type = 'Usage' AND {_COMMITTED}) THEN
        bool_or(charge_type = 'Usage' AND {_COMMITTED} AND TRY_CAST(cost AS DOUBLE) <> 0)
    ELSE bool_or(file ILIKE '%amorti%')
END"""


def _source(name: str, title: str, *, amortised: bool) -> SqlSource:
    return SqlSource(
        name=name,
        title=title,
        signatures=_SIGNATURES,
        fields=FIELDS,
        lookups=("azure_services.csv", "azure_families.csv", "azure_regions.csv"),
        statement=_SQL.replace(":amortised", str(amortised).upper()),
        telling=_AMORTISED if amortised else "",
    )


AZURE_ACTUAL: Final = _source("azure-actual", "Azure actual cost export", amortised=False)
AZURE_AMORTISED: Final = _source("azure-amortised", "Azure amortised cost export", amortised=True)
