"""``finops export --format focus``: the store as one FOCUS dataset.

What the store keeps NULL because a source says nothing of it is written as FOCUS demands where that
follows from the row itself (``_COMPLETED``); nothing else is filled. tests/conformance sets what is
written against the FOCUS validators.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from finops_assistant.store.access import Principal, scope_sql
from finops_assistant.store.database import connect_for_reading, current_version, dangling
from finops_assistant.store.delivery import full_disk
from finops_assistant.store.errors import LoadError, StoreError, UsageError
from finops_assistant.store.focus import ALL_COLUMNS, FocusColumn, literal
from finops_assistant.store.settings import Home

EXPORT_VERSIONS: Final = ("1.4", "1.2")
_FORMATS: Final[Mapping[str, str]] = {
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".csv": "FORMAT csv, HEADER true",
}
# Where a column of an older release comes from today.
_SUCCESSORS: Final[Mapping[str, str]] = {
    "ProviderName": "ServiceProviderName",
    "PublisherName": "x_PublisherName",
}


@dataclass(frozen=True)
class _Completed:
    """How a column is written, and which others ``sql`` reads for it."""

    sql: str
    reads: tuple[str, ...] = ()


def _only_with(unit: str, quantity: str) -> _Completed:
    return _Completed(f"CASE WHEN {quantity} IS NOT NULL THEN {unit} END", (quantity,))


def _not_of_tax(sql: str) -> _Completed:
    return _Completed(
        f"CASE WHEN ChargeCategory IS DISTINCT FROM 'Tax' THEN {sql} END", ("ChargeCategory",)
    )


# The keys that FOCUS defines in SkuPriceDetails, 1.2 to 1.4; any other begins with x_.
_DETAILS: Final = (
    "CoreCount",
    "DiskMaxIops",
    "DiskSpace",
    "DiskType",
    "GpuCount",
    "InstanceSeries",
    "InstanceType",
    "MemorySize",
    "NetworkMaxIops",
    "NetworkMaxThroughput",
    "OperatingSystem",
    "Redundancy",
    "StorageClass",
)
_PREFIXED: Final = f"""coalesce(TRY(CASE WHEN json_type(SkuPriceDetails) = 'OBJECT' THEN
    CAST(to_json(map_from_entries(list_transform(
        map_entries(from_json(SkuPriceDetails, '"MAP(VARCHAR, JSON)"')),
        lambda entry: {{
            'key': CASE
                WHEN list_contains({list(_DETAILS)}, entry.key) OR starts_with(entry.key, 'x_')
                    THEN entry.key
                ELSE 'x_' || entry.key
            END,
            'value': entry.value
        }}
    ))) AS VARCHAR) END), SkuPriceDetails)"""
_COMPLETED: Final[Mapping[str, _Completed]] = {
    "BillingAccountType": _Completed("coalesce(BillingAccountType, 'Billing Account')"),
    "SubAccountType": _Completed(
        "coalesce(SubAccountType, CASE WHEN SubAccountId IS NOT NULL THEN 'Sub Account' END)",
        ("SubAccountId",),
    ),
    "ResourceType": _Completed(
        "coalesce(ResourceType, CASE WHEN ResourceId IS NOT NULL THEN 'Resource' END)",
        ("ResourceId",),
    ),
    "RegionName": _Completed("coalesce(RegionName, RegionId)", ("RegionId",)),
    "PublisherName": _Completed(
        "coalesce(x_PublisherName, ServiceProviderName)", ("ServiceProviderName",)
    ),
    "PricingCurrency": _Completed(
        "coalesce(PricingCurrency, BillingCurrency)", ("BillingCurrency",)
    ),
    "PricingCurrencyEffectiveCost": _Completed(
        "coalesce(PricingCurrencyEffectiveCost, CASE WHEN coalesce(PricingCurrency, "
        "BillingCurrency) = BillingCurrency THEN CAST(EffectiveCost AS DECIMAL(38,15)) END)",
        ("PricingCurrency", "BillingCurrency", "EffectiveCost"),
    ),
    "ServiceSubcategory": _Completed(
        "coalesce(ServiceSubcategory, 'Other (' || ServiceCategory || ')')", ("ServiceCategory",)
    ),
    "PricingUnit": _only_with("PricingUnit", "PricingQuantity"),
    "ConsumedUnit": _only_with("ConsumedUnit", "ConsumedQuantity"),
    "CommitmentDiscountUnit": _only_with("CommitmentDiscountUnit", "CommitmentDiscountQuantity"),
    "SkuId": _not_of_tax("SkuId"),
    "SkuPriceId": _not_of_tax("SkuPriceId"),
    "SkuMeter": _not_of_tax("SkuMeter"),
    "SkuPriceDetails": _Completed(
        f"CASE WHEN ChargeCategory IS DISTINCT FROM 'Tax' AND SkuPriceId IS NOT NULL "
        f"THEN {_PREFIXED} END",
        ("ChargeCategory", "SkuPriceId"),
    ),
}


def export_focus(
    home: Home,
    path: str | Path,
    principal: Principal,
    version: str = "1.4",
    strict: bool = False,
) -> int:
    """Write what ``principal`` may see as Parquet or CSV, by the ending; return the rows.

    The columns are those of FOCUS ``version`` and, unless ``strict``, ours (``x_``); a principal's
    hidden column completes no other. Raises UsageError for an unknown version, ending or folder,
    QueryRefused when nothing may be seen.
    """
    target = Path(path)
    if version not in EXPORT_VERSIONS:
        raise UsageError(
            f"FOCUS {version} cannot be written. Choose one of: {', '.join(EXPORT_VERSIONS)}."
        )
    if target.suffix.lower() not in _FORMATS:
        raise UsageError(f"{target.name} must end in .parquet or .csv: that chooses the format.")
    if target.is_dir():
        raise UsageError(f"{target} is a folder. Name the file to write.")
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}. Create it, or write elsewhere.")
    where = scope_sql(principal)
    kind = target.suffix.lower()
    names = [
        f"{_value(column, kind, principal)} AS {column.name}"
        for column in ALL_COLUMNS
        if column.in_version(version)
        and not (strict and column.extension)
        and principal.may_read((column.name, _SUCCESSORS.get(column.name, column.name)))
    ]
    statement = f"SELECT {', '.join(names)} FROM focus WHERE {where}"  # noqa: S608
    partial = target.with_name(f".{target.name}.{secrets.token_hex(3)}")
    try:
        rows = _write(home, statement, partial, _FORMATS[kind])
        partial.replace(target)
    except (duckdb.Error, OSError) as error:
        if full_disk(error):
            raise LoadError(f"The disk is full; {target} was not written.") from None
        raise StoreError(f"{target} cannot be written: {str(error).splitlines()[0]}") from None
    finally:
        partial.unlink(missing_ok=True)
    return rows


def _value(column: FocusColumn, kind: str, principal: Principal) -> str:
    completed = _COMPLETED.get(column.name)
    if completed and principal.may_read(completed.reads):
        return completed.sql
    name = _SUCCESSORS.get(column.name, column.name)
    if column.kind != "time":
        return name
    # FOCUS wants ISO 8601 with a zone; in Parquet the type says that it is UTC.
    return (
        f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ')"
        if kind == ".csv"
        else f"make_timestamptz(epoch_us({name}))"
    )


def _write(home: Home, statement: str, target: Path, options: str) -> int:
    for _ in range(20):
        version = home.path / current_version(home)
        try:
            connect_for_reading(version).close()  # says in plain words what is wrong with it
            with closing(duckdb.connect()) as connection:
                # Readers may not write files: the store is attached to a connection that may.
                connection.execute("SET GLOBAL TimeZone = 'UTC'")
                connection.execute(f"ATTACH {literal(str(version))} AS store (READ_ONLY)")
                connection.execute("USE store")
                row = connection.execute(
                    f"COPY ({statement}) TO {literal(str(target))} ({options})"
                ).fetchone()
                return int(row[0]) if row else 0
        except FileNotFoundError:
            continue  # a load swapped in between
    raise dangling(home)
