"""FOCUS columns of the bills that come as FOCUS: since and until which version, and from what.

Source of the versions: the FOCUS specification 1.0 to 1.4 (CC BY 4.0), column histories.
"""

from __future__ import annotations

from dataclasses import dataclass

_LAST = "1.4"


@dataclass(frozen=True)
class BillColumn:
    """One column of an export; ``kind`` is text, time, number or tags."""

    name: str
    since: str
    until: str
    kind: str
    sql: str


def _text(name: str, since: str = "1.0", until: str = _LAST, sql: str = "") -> BillColumn:
    return BillColumn(name, since, until, "text", sql or f'"{name}"')


def _money(name: str, column: str) -> BillColumn:
    sql = f"({column}::DECIMAL(19,0) * 0.000000000001)::DECIMAL(24,12)"
    return BillColumn(name, "1.0", _LAST, "number", sql)


def _number(name: str, column: str, places: int, condition: str, since: str = "1.0") -> BillColumn:
    unit = "0." + "0" * (places - 1) + "1"
    value = f"({column}::DECIMAL(19,0) * {unit})::DECIMAL(24,{places})"
    return BillColumn(name, since, _LAST, "number", f"CASE WHEN {condition} THEN {value} END")


def _time(name: str, sql: str) -> BillColumn:
    return BillColumn(name, "1.0", _LAST, "time", sql)


_MONTH = "(DATE '2025-09-01' + to_months(billing_month::INTEGER + {ahead}))::TIMESTAMP"
_PRICED = "NOT unpriced"
# spend commitments are used up in money, the others in their unit
_COMMITTED = (
    """(CASE WHEN "CommitmentDiscountCategory" = 'Spend' """
    "THEN effective ELSE pricing_quantity END)"
)
_SUB_ACCOUNT_TYPE = """CASE WHEN "SubAccountId" IS NOT NULL THEN 'Project' END"""
_COVERED = """"CommitmentDiscountStatus" IS NOT NULL"""

COLUMNS: tuple[BillColumn, ...] = (
    _text("AllocatedMethodDetails", "1.3", sql="NULL::VARCHAR"),
    _text("AllocatedMethodId", "1.3", sql="NULL::VARCHAR"),
    _text("AllocatedResourceId", "1.3", sql="NULL::VARCHAR"),
    _text("AllocatedResourceName", "1.3", sql="NULL::VARCHAR"),
    _text("AllocatedTags", "1.3", sql="NULL::VARCHAR"),
    _text("AvailabilityZone"),
    _money("BilledCost", "billed"),
    _text("BillingAccountId"),
    _text("BillingAccountName"),
    _text("BillingAccountType", "1.2", sql="'Billing Account'"),
    _text("BillingCurrency", sql="'USD'"),
    _time("BillingPeriodEnd", _MONTH.format(ahead=1)),
    _time("BillingPeriodStart", _MONTH.format(ahead=0)),
    _text("CapacityReservationId", "1.1", sql="NULL::VARCHAR"),
    _text("CapacityReservationStatus", "1.1", sql="NULL::VARCHAR"),
    _text("ChargeCategory"),
    _text("ChargeClass"),
    _text("ChargeDescription"),
    _text("ChargeFrequency"),
    _time("ChargePeriodEnd", "epoch_ms(stop * 1000)"),
    _time("ChargePeriodStart", "epoch_ms(start * 1000)"),
    _text("CommitmentDiscountCategory"),
    _text("CommitmentDiscountId"),
    _text("CommitmentDiscountName"),
    _number("CommitmentDiscountQuantity", _COMMITTED, 12, _COVERED, "1.1"),
    _text("CommitmentDiscountStatus"),
    _text("CommitmentDiscountType"),
    _text("CommitmentDiscountUnit", "1.1"),
    _text("CommitmentProgramEligibilityDetails", "1.4", sql="NULL::VARCHAR"),
    _number("ConsumedQuantity", "consumed_quantity", 3, '"ConsumedUnit" IS NOT NULL'),
    _text("ConsumedUnit"),
    _text("ContractApplied", "1.3", sql="NULL::VARCHAR"),
    _money("ContractedCost", "contracted"),
    _number("ContractedUnitPrice", "contracted_price", 12, _PRICED),
    _money("EffectiveCost", "effective"),
    _text("HostProviderName", "1.3", sql="NULL::VARCHAR"),
    _text("InvoiceDetailId", "1.4", sql="NULL::VARCHAR"),
    _text("InvoiceId", "1.2", sql="upper(left(vendor, 3)) || '-' || (24308 + billing_month)"),
    _text("InvoiceIssuerName"),
    _money("ListCost", "list"),
    _number("ListUnitPrice", "list_price", 12, _PRICED),
    _text("PricingCategory"),
    _text("PricingCurrency", "1.2", sql="'USD'"),
    _number("PricingCurrencyContractedUnitPrice", "contracted_price", 12, _PRICED, "1.2"),
    _number("PricingCurrencyEffectiveCost", "effective", 12, "true", "1.2"),
    _number("PricingCurrencyListUnitPrice", "list_price", 12, _PRICED, "1.2"),
    _number("PricingQuantity", "pricing_quantity", 12, _PRICED),
    _text("PricingUnit"),
    _text("ProviderName", "1.0", "1.3", "vendor"),
    _text("PublisherName", "1.0", "1.3", "vendor"),
    _text("RegionId"),
    _text("RegionName"),
    _text("ResourceId"),
    _text("ResourceName"),
    _text("ResourceType"),
    _text("ServiceCategory"),
    _text("ServiceName"),
    _text("ServiceProviderName", "1.3", sql="vendor"),
    _text("ServiceSubcategory", "1.1"),
    _text("SkuId"),
    _text("SkuMeter", "1.1"),
    _text("SkuPriceDetails", "1.1", sql="NULL::VARCHAR"),
    _text("SkuPriceId"),
    _text("SubAccountId"),
    _text("SubAccountName"),
    _text("SubAccountType", "1.2", sql=_SUB_ACCOUNT_TYPE),
    BillColumn("Tags", "1.0", _LAST, "tags", "tags_json"),
    _text("x_ModelDeveloper"),
    _text("x_ModelFamily"),
    _text("x_ModelId"),
    _text("x_ModelIdBilled"),
    _text("x_TokenDirection"),
    _text("x_TokenCacheAction"),
    _text("x_WorkloadType"),
    _number("x_GpuHours", "gpu_hours", 3, "gpus > 0"),
    _text("x_ApiKeyId"),
)  # fmt: skip

TEXT_COLUMNS: tuple[str, ...] = tuple(
    column.name
    for column in COLUMNS
    if column.kind == "text" and column.sql == f'"{column.name}"'
    and column.name not in ("InvoiceIssuerName", "BillingAccountId", "BillingAccountName")
)  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """How one vendor writes its FOCUS export: the version of its columns, text or typed values."""

    version: str
    text: bool


DIALECTS = {"Cohere": Dialect("1.4", text=False), "Snowflake": Dialect("1.0", text=True)}
_CLOCK = "%Y-%m-%dT%H:%M:%SZ"


def select_focus(vendor: str) -> str:
    """The SELECT over ``entry`` and ``line`` that gives a vendor's bill as FOCUS columns.

    The columns ``billing_month``, ``start`` and ``line`` come on top.
    """
    dialect = DIALECTS[vendor]
    parts = ["billing_month", "start", "line"]
    for column in COLUMNS:
        if not column.since <= dialect.version <= column.until:
            continue
        sql = column.sql
        if dialect.text and column.kind == "time":
            sql = f"strftime({sql}, '{_CLOCK}')"
        elif dialect.text and column.kind == "number":
            sql = f"trim_decimal({sql})"
        parts.append(f'{sql} AS "{column.name}"')
    return f"SELECT {', '.join(parts)} FROM entry JOIN line USING (line) WHERE vendor = '{vendor}'"  # noqa: S608
