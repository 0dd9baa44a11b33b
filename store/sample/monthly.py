"""What arrives with the invoice: support, tax, credits and corrections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from finops_assistant.store.sample.chance import day_start, month_number, number_of
from finops_assistant.store.sample.cloud import sku
from finops_assistant.store.sample.line import VENDORS, Line, Price

SUPPORT_RATE = Decimal("0.03")
TAX_RATE = {
    "AWS": Decimal("0.04"),
    "Microsoft": Decimal("0.04"),
    "Google Cloud": Decimal("0.04"),
    "OpenAI": Decimal("0.06"),
    "Anthropic": Decimal("0.06"),
    "Mistral AI": Decimal("0.05"),
    "Cohere": Decimal("0.05"),
    "Snowflake": Decimal("0.05"),
}
CREDITS = (  # vendor, month, USD, what for
    *(("AWS", date(2025, n, 1), Decimal("-1500.00"), "Migration credit") for n in range(9, 13)),
    *(("Google Cloud", date(2026, n, 1), Decimal("-400.00"), "Trial credit") for n in (1, 2, 3)),
    ("Microsoft", date(2026, 6, 1), Decimal("-750.00"), "Service level agreement credit"),
    ("Anthropic", date(2026, 8, 1), Decimal("-300.00"), "Goodwill credit"),
)  # fmt: skip
CORRECTIONS = (  # vendor, charge day, billing month, USD, what for
    ("OpenAI", date(2026, 8, 12), date(2026, 9, 1), Decimal("-412.36"), "Duplicate usage refunded"),
    ("Microsoft", date(2026, 3, 18), date(2026, 4, 1), Decimal("-250.00"), "Metering corrected"),
    ("AWS", date(2026, 9, 30), date(2026, 10, 1), Decimal("86.40"), "Late arriving usage"),
)  # fmt: skip
_PAYER = {
    "AWS": {"SubAccountId": VENDORS["AWS"]["account"], "SubAccountName": VENDORS["AWS"]["name"]}
}
_CENT = Decimal("0.01")
_MONEY = Decimal("1e-12")


def next_month(month: date) -> date:
    """The first day of the month after ``month``."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def amount_line(
    vendor: str,
    span: tuple[date, date],
    price: Price,
    text: Mapping[str, str | None],
    *,
    unpriced: bool = True,
    billing: date | None = None,
    key: str = "",
) -> Line:
    """One row of a whole amount over a span of days; AWS books such rows on the payer's account."""
    starts, stops = (np.array([day_start(number_of(day))], dtype=np.int64) for day in span)
    return Line(
        vendor=vendor,
        text={"ChargeFrequency": "Recurring", **_PAYER.get(vendor, {}), **text},
        tags={},
        price=price,
        starts=starts,
        stops=stops,
        quantity=np.array([1], dtype=np.int64),
        decimals=0,
        consumed_decimals=0,
        unpriced=unpriced,
        billing_month=month_number(billing or span[0]),
        key=key,
    )


def support_lines(billed: Mapping[tuple[str, date], int]) -> Iterator[Line]:
    """Support: three percent of the month on AWS, a flat plan on Azure. ``billed`` is in 1e-12."""
    for (vendor, month), total in billed.items():
        if vendor == "AWS":
            amount = (total * _MONEY * SUPPORT_RATE).quantize(_CENT, ROUND_HALF_EVEN)
        elif vendor == "Microsoft":
            amount = Decimal(sku(vendor, "support")["list_price"])
        else:
            continue
        facts = sku(vendor, "support")
        yield amount_line(
            vendor,
            (month, next_month(month)),
            Price(amount, amount, amount, amount),
            {
                "ServiceName": facts["service"],
                "ServiceCategory": facts["category"],
                "ServiceSubcategory": facts["subcategory"],
                "ChargeCategory": "Usage",
                "ChargeDescription": facts["description"],
                "PricingCategory": "Standard",
                "PricingUnit": "Months",
                "ConsumedUnit": "Months",
                "SkuId": f"{vendor}-support",
                "SkuMeter": "support",
                "SkuPriceId": f"{vendor}-support-standard",
            },
            unpriced=False,
        )


def _other(category: str, words: str) -> dict[str, str | None]:
    return {
        "ServiceName": "Invoice items",
        "ServiceCategory": "Other",
        "ServiceSubcategory": "Other (Other)",
        "ChargeCategory": category,
        "ChargeDescription": words,
    }


def invoice_lines(billed: Mapping[tuple[str, date], int]) -> Iterator[Line]:
    """Tax on what each vendor invoices in a month (support included), credits and corrections."""
    for (vendor, month), total in billed.items():
        amount = (total * _MONEY * TAX_RATE[vendor]).quantize(_CENT, ROUND_HALF_EVEN)
        yield amount_line(
            vendor,
            (month, next_month(month)),
            Price(amount, amount, amount, amount),
            {**_other("Tax", "Sales tax and VAT"), "ChargeFrequency": _tax_frequency(vendor)},
            key="tax",
        )
    zero = Decimal(0)
    for vendor, month, amount, words in CREDITS:
        yield amount_line(
            vendor, (month, next_month(month)), Price(zero, zero, amount, amount),
            {**_other("Credit", words), "ChargeFrequency": "One-Time"}, key="credit",
        )  # fmt: skip
    for vendor, day, month, amount, words in CORRECTIONS:
        yield amount_line(
            vendor, (day, date.fromordinal(day.toordinal() + 1)),
            Price(amount, amount, amount, amount),
            {**_correction(vendor), "ChargeDescription": words}, billing=month, key="correction",
        )  # fmt: skip


def _tax_frequency(vendor: str) -> str:
    """How the vendor's bill reads: Google Cloud's says nothing of a tax that comes back."""
    return "One-Time" if vendor == "Google Cloud" else "Recurring"


def _correction(vendor: str) -> dict[str, str | None]:
    usage = {
        "OpenAI": ("OpenAI API", "AI and Machine Learning", "Generative AI", ""),
        "Microsoft": ("Virtual Machines", "Compute", "Virtual Machines", "D8s_v5"),
        "AWS": ("Amazon Elastic Compute Cloud", "Compute", "Virtual Machines", "m7i.2xlarge"),
    }[vendor]
    return {
        "ServiceName": usage[0],
        "ServiceCategory": usage[1],
        "ServiceSubcategory": usage[2],
        "ChargeCategory": "Usage",
        "ChargeClass": "Correction",
        "ChargeFrequency": "Usage-Based" if vendor == "AWS" else "One-Time",
        "PricingCategory": "Standard",
        "SkuMeter": usage[3] or None,
    }
