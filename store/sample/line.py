"""One billing line: what is sold, at which exact prices, and how much of it in each period.

Prices and quantities are integers with a known number of decimals, and their product is the cost
in units of 1e-12 of the currency, so every cost is exact by construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from finops_assistant.store.sample.chance import DAYS, Ints, day_start

MONEY_DECIMALS = 12

VENDORS: dict[str, dict[str, str]] = {
    "AWS": {"issuer": "Amazon Web Services, Inc.", "account": "210987650000",
            "name": "Wrenfield Group", "prefix": "aws"},
    "Microsoft": {"issuer": "Microsoft", "account": "71880245",
                  "name": "Wrenfield Group", "prefix": "azure"},
    "Google Cloud": {"issuer": "Google Cloud", "account": "01A2B3-C4D5E6-F70819",
                     "name": "Wrenfield Billing", "prefix": "gcp"},
    "OpenAI": {"issuer": "OpenAI", "account": "org-wrenfield7Qk2",
               "name": "Wrenfield", "prefix": "openai"},
    "Anthropic": {"issuer": "Anthropic", "account": "4c1f0f0a-7d54-4b0e-9a51-wrenfield01",
                  "name": "Wrenfield", "prefix": "anthropic"},
    "Mistral AI": {"issuer": "Mistral AI", "account": "wrenfield-mistral",
                   "name": "Wrenfield", "prefix": "mistral"},
    "Cohere": {"issuer": "Cohere", "account": "co-wrenfield-88",
               "name": "Wrenfield", "prefix": "cohere"},
    "Snowflake": {"issuer": "Snowflake Inc.", "account": "WRENFIELD",
                  "name": "Wrenfield Organization", "prefix": "snowflake"},
}  # fmt: skip

# The share of the list price that each vendor's contract leaves to pay.
CONTRACT = {
    "AWS": Decimal("0.93"),
    "Microsoft": Decimal("0.95"),
    "Google Cloud": Decimal("0.94"),
    "OpenAI": Decimal("1"),
    "Anthropic": Decimal("0.95"),
    "Mistral AI": Decimal("1"),
    "Cohere": Decimal("0.9"),
    "Snowflake": Decimal("0.88"),
}


@dataclass(frozen=True)
class Price:
    """Unit prices in USD: public, negotiated, after commitments, as invoiced."""

    list_price: Decimal
    contracted: Decimal
    effective: Decimal
    billed: Decimal


def on_demand(list_price: Decimal, vendor: str, rate: Decimal | None = None) -> Price:
    """The price of usage without a commitment; ``rate`` replaces the vendor's contract rate."""
    paid = list_price * (CONTRACT[vendor] if rate is None else rate)
    return Price(list_price, paid, paid, paid)


@dataclass(frozen=True)
class Line:
    """A billing line; ``text`` holds FOCUS and ``x_`` columns that do not vary by period.

    ``starts`` and ``stops`` are seconds since 1970, ``quantity`` has ``decimals`` decimals of the
    pricing unit, and the consumed quantity is the same number with ``consumed_decimals``.
    An ``unpriced`` line has amounts only: its price is the amounts and its quantity is 1.
    """

    vendor: str
    text: Mapping[str, str | None]
    tags: Mapping[str, str]
    price: Price
    starts: Ints
    stops: Ints
    quantity: Ints
    decimals: int
    consumed_decimals: int
    gpus: int = 0
    unpriced: bool = False
    billing_month: int | None = None
    dims: Mapping[str, str] = field(default_factory=dict)  # what the tags mean: team, project...
    key: str = ""  # the planted thing it belongs to, if any
    token_class: str = ""  # input, cached, written or output


def exact(price: Decimal, decimals: int) -> int:
    """A price as an integer such that quantity times it is the cost in 1e-12 units.

    Raises ``ValueError`` when the price has too many decimals for that to be exact.
    """
    scaled = price.scaleb(MONEY_DECIMALS - decimals)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"price {price} is not exact beside {decimals} quantity decimals")
    return int(scaled)


def daily(quantity: Ints) -> tuple[Ints, Ints, Ints]:
    """Starts, stops and quantities of a line with one row on each day that has any."""
    used = np.flatnonzero(quantity)
    starts = day_start(0) + used.astype(np.int64) * 86_400
    return starts, starts + 86_400, quantity[used]


def fixed(amount: Decimal, decimals: int, first: int = 0, end: int = DAYS) -> Ints:
    """The same quantity on every day from ``first`` until before ``end``."""
    quantity = np.zeros(DAYS, dtype=np.int64)
    quantity[max(first, 0) : end] = int(amount.scaleb(decimals))
    return quantity


def rounded(values: np.ndarray, decimals: int) -> Ints:
    """Quantities as integers with ``decimals`` decimals."""
    whole: Ints = np.rint(values * 10**decimals).astype(np.int64)
    return whole
