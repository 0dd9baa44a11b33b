"""``finops reconcile``: what vendors bill for models against what the reported usage would cost.

Both sides are kept apart everywhere else: usage that is priced by us or by a gateway is an
estimate and never adds to an invoice. Here they meet, per provider, model and day, and the
difference is split into parts that sum to it exactly. A bill in another currency than that of the
price list is shown and not compared.

``missing_usage``  billed on days without any reported usage
``missing_bill``   priced usage on days without a bill (negative)
``unpriced``       billed on days whose usage has no known price, in whole or in part
``quantity``       tokens billed but not reported, or the other way round, at the list price
``discount``       the rest: the bill's price against the list price
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, localcontext
from importlib.resources import files
from itertools import groupby
from statistics import median
from typing import Any, Final

import duckdb

from finops_assistant.store.access import Principal, row_scope
from finops_assistant.store.database import Database
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.focus import literal
from finops_assistant.store.metrics import PROVIDER_COLUMN
from finops_assistant.store.settings import Home

PARTS: Final = ("discount", "quantity", "missing_usage", "missing_bill", "unpriced")
_PRICED_IN: Final = "USD"
_COMPARED: Final = (
    PROVIDER_COLUMN,
    "x_ModelId",
    "ChargePeriodStart",
    "BillingCurrency",
    "EffectiveCost",
    "ConsumedQuantity",
)
_ZERO: Final = Decimal(0)
_STEADY: Final = Decimal("0.005")  # a discount whose days lie this close together is a rate
CENTS_READ: Final = (
    "The bill is about 100 times the price list: cents may have been read as dollars."
)
HUNDREDTH: Final = "The bill is about a hundredth of the price list: check its unit."
_CENTS: Final = (Decimal(80), Decimal(125))  # billed / priced where cents were read as dollars


@dataclass(frozen=True)
class Day:
    """One provider's model on one day; None where a side has nothing."""

    provider: str
    model: str
    day: date
    currency: str
    billed: Decimal | None
    priced: Decimal | None
    tokens_billed: Decimal | None
    tokens_used: Decimal | None
    tokens_unpriced: Decimal | None
    layer: str | None

    @property
    def parts(self) -> dict[str, Decimal]:
        """The difference of this day, by reason; they sum to billed minus priced. Of a day that
        cannot be compared, nothing."""
        billed, priced = self.billed or _ZERO, self.priced or _ZERO
        if self.tokens_used is None:
            return {"missing_usage": billed}
        if self.currency != _PRICED_IN:
            return {}
        if self.billed is None:
            return {"missing_bill": -priced}
        if self.priced is None or self.tokens_unpriced:
            return {"unpriced": billed - priced}
        quantity = _ZERO
        if self.tokens_billed and self.tokens_used and self.tokens_billed != self.tokens_used:
            more = self.tokens_billed - self.tokens_used
            with localcontext(prec=60):  # tokens have 15 decimals and prices 12
                quantity = (priced * more / self.tokens_used).quantize(Decimal("1e-12"))
        return {"quantity": quantity, "discount": billed - priced - quantity}


@dataclass(frozen=True)
class Line:
    """One provider's model over the period: two sums, their difference and its parts (money in
    ``currency``, ``priced`` in US dollars), and on how many days each side had something."""

    provider: str
    model: str
    currency: str
    billed: Decimal
    priced: Decimal
    parts: Mapping[str, Decimal]
    days_matched: int
    days_billed_only: int
    days_used_only: int
    layer: str | None
    remark: str
    days: tuple[Day, ...] = field(repr=False, default=())

    @property
    def difference(self) -> Decimal | None:
        """Billed minus priced; None where they are in two currencies."""
        return self.billed - self.priced if self.currency == _PRICED_IN else None

    def to_json(self) -> dict[str, Any]:
        """As in the ``reconcile`` JSON; amounts stay Decimal for the encoder."""
        return {
            "provider": self.provider,
            "model": self.model,
            "currency": self.currency,
            "billed": self.billed,
            "priced": self.priced,
            "difference": self.difference,
            "parts": dict(self.parts),
            "days": {
                "matched": self.days_matched,
                "billed_only": self.days_billed_only,
                "used_only": self.days_used_only,
            },
            "layer": self.layer,
            "remark": self.remark,
        }


def reconcile(
    home: Home, principal: Principal, start: date | None = None, end: date | None = None
) -> tuple[Line, ...]:
    """Every provider's models over the days from ``start`` until before ``end`` (all by default),
    the largest difference first. Raises QueryRefused for a principal that sees nothing, or not
    what is compared."""
    scope = row_scope(principal)
    if not principal.may_read(_COMPARED):
        raise QueryRefused("NOT_PERMITTED", "You may not see what is billed for which model.")
    database = Database.open(home)
    with closing(database.cursor()) as cursor:
        lines = _lines(
            cursor,
            scope.on("focus") or "TRUE",
            scope.on("usage") or "TRUE",
            start or date.min,
            end or date.max,
        )
    database.close()
    return tuple(
        sorted(lines, key=lambda line: (-abs(line.difference or _ZERO), line.provider, line.model))
    )


def unit_warnings(connection: duckdb.DuckDBPyConnection, file_ids: Collection[int]) -> list[str]:
    """One sentence for every provider whose bill is about 100 times what its usage costs by the
    price list, or a hundredth of it, on the days of the files with these ids."""
    ids = ", ".join(str(int(i)) for i in file_ids)
    row = connection.execute(
        "SELECT min(first_day), max(last_day) FROM files "  # noqa: S608
        f"WHERE file_id IN ({ids}) AND EXISTS (SELECT 1 FROM usage WHERE Layer <> 'bill')"
    ).fetchone()
    if row is None or row[0] is None:
        return []
    first, last = row
    told: dict[tuple[str, str], list[str]] = {}
    for line in _lines(connection, "TRUE", "TRUE", first, last + timedelta(days=1)):
        if line.remark in (CENTS_READ, HUNDREDTH):
            told.setdefault((line.provider, line.remark), []).append(line.model)
    return [
        f"{provider}, {first} to {last} ({', '.join(models[:3])}"
        f"{f' and {len(models) - 3} more' if len(models) > 3 else ''}): {remark}"
        for (provider, remark), models in sorted(told.items())
    ]


def _lines(
    connection: duckdb.DuckDBPyConnection, billed: str, used: str, start: date, end: date
) -> list[Line]:
    """``billed`` and ``used`` are the rows that may be seen of the bill and of the usage."""
    text = files("finops_assistant.store").joinpath("reconcile.sql").read_text("utf-8")
    statement = (
        text.replace("$scope", billed, 1)  # the statement reads the bill first
        .replace("$scope", used, 1)
        .replace("$start", f"DATE {literal(str(start))}")
        .replace("$end", f"DATE {literal(str(end))}")
    )
    days = [Day(*row) for row in connection.execute(statement).fetchall()]
    return [line_of(tuple(same)) for _, same in groupby(sorted(days, key=_who), _who)]


def _who(day: Day) -> tuple[str, str, str]:
    return day.provider or "", day.model or "", day.currency


def line_of(days: tuple[Day, ...]) -> Line:
    """The days of one provider's model in one currency, added up."""
    first = days[0]
    parts = dict.fromkeys(PARTS, _ZERO)
    for day in days:
        for name, amount in day.parts.items():
            parts[name] += amount
    billed = _sum(day.billed for day in days)
    priced = _sum(day.priced for day in days)
    matched = [day for day in days if day.billed is not None and day.tokens_used is not None]
    used = [day for day in days if day.tokens_used is not None]
    return Line(
        first.provider,
        first.model,
        first.currency,
        billed,
        priced,
        parts,
        len(matched),
        sum(day.tokens_used is None for day in days),
        sum(day.billed is None for day in days),
        used[0].layer if used else None,
        _remark(days, matched, billed, priced),
        days,
    )


def _remark(
    days: tuple[Day, ...],
    matched: list[Day],
    billed: Decimal,
    priced: Decimal,
) -> str:
    """One sentence on what the difference is."""
    if days[0].currency != _PRICED_IN:
        return f"Billed in {days[0].currency}; the price list is in {_PRICED_IN}: not compared."
    if not matched:
        if not priced and any(day.tokens_used is not None for day in days):
            return "Usage without a bill, and without a known price."
        if not billed:
            return "Usage without a bill."
        if any(day.tokens_billed for day in days):
            return "Only the bill counts these tokens: there is no usage to compare it with."
        return "A bill without reported usage."
    if any(day.priced is None or day.tokens_unpriced for day in matched):
        return "Part of the usage has no known price."
    ratios = [(day.billed or _ZERO) / day.priced for day in matched if day.priced and day.billed]
    if not ratios:
        return "Nothing was billed for this usage."
    middle = median(ratios)
    if _CENTS[0] <= middle <= _CENTS[1]:
        return CENTS_READ
    if _CENTS[0] <= 1 / middle <= _CENTS[1]:
        return HUNDREDTH
    steady = max(abs(ratio - middle) for ratio in ratios) <= _STEADY
    if not steady:
        return "The bill's price against the list price varies from day to day."
    if abs(1 - middle) <= _STEADY:
        return "The bill agrees with the price list."
    what = "below" if middle < 1 else "above"
    return f"The bill is a steady {abs(1 - middle):.1%} {what} the price list."


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), _ZERO)


def last_month(last_day: date) -> tuple[date, date]:
    """The last complete calendar month of data that ends on ``last_day``: first day, exclusive
    end.

    >>> last_month(date(2026, 10, 30))
    (datetime.date(2026, 9, 1), datetime.date(2026, 10, 1))
    """
    end = (last_day + timedelta(days=1)).replace(day=1)
    return (end - timedelta(days=1)).replace(day=1), end
