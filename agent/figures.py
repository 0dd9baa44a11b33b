"""How a cell reads: money with its currency, ratios as percent, dates in words."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from finops_assistant.store.result import Cell

_CENT = Decimal("0.01")
_PLAIN_UNITS = {"tokens", "requests", "hours", "count", "number", "ratio", "date", "text"}


def money(value: Decimal, currency: str) -> str:
    """An amount to the cent; below a cent, three significant digits.

    >>> money(Decimal("12345.674"), "USD"), money(Decimal("-0.5"), "EUR")
    ('$12,345.67', '-EUR 0.50')
    >>> money(Decimal("0.0000008"), "USD")
    '$0.0000008'
    """
    size = abs(value)
    if size and size < _CENT:
        text = format(_significant(size, 3), "f")
    else:
        text = f"{size.quantize(_CENT, rounding=ROUND_HALF_EVEN):,}"
    sign = "-" if value < 0 else ""
    return f"{sign}${text}" if currency == "USD" else f"{sign}{currency} {text}"


def number(value: Decimal | int | float) -> str:
    """A count or quantity: whole when it is whole, else up to two decimals.

    >>> number(1234567), number(Decimal("12.500")), number(0.004)
    ('1,234,567', '12.5', '0.004')
    """
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if exact == exact.to_integral_value():
        return f"{int(exact):,}"
    if abs(exact) < _CENT:
        return format(_significant(exact, 3), "f")
    return f"{exact.quantize(_CENT):,}".rstrip("0").rstrip(".")


def percent(value: Decimal | int | float) -> str:
    """A ratio of 0 to 1 in percent, one decimal.

    >>> percent(0.1234), percent(Decimal("1")), percent(0.0004)
    ('12.3%', '100%', '0.04%')
    """
    exact = Decimal(str(value)) * 100
    if exact and abs(exact) < Decimal("0.1"):
        return format(_significant(exact, 1), "f") + "%"
    text = f"{exact.quantize(Decimal('0.1')):,}"
    return text.removesuffix(".0") + "%"


def day(value: date) -> str:
    """A calendar day in words.

    >>> day(date(2026, 10, 5))
    '5 October 2026'
    """
    return f"{value.day} {value:%B %Y}"


def period(start: date, grain: str | None) -> str:
    """The start of a period, named after its grain.

    >>> period(date(2026, 10, 1), "quarter"), period(date(2026, 10, 1), "month")
    ('Q4 2026', 'October 2026')
    """
    match grain:
        case "year":
            return f"{start.year}"
        case "quarter":
            return f"Q{(start.month + 2) // 3} {start.year}"
        case "month":
            return f"{start:%B %Y}"
        case "week":
            return f"week of {day(start)}"
        case "hour" if isinstance(start, datetime):
            return f"{day(start)} {start:%H:%M}"
        case _:
            return day(start)


def days(start: date, end: date) -> str:
    """A half-open range as people write it.

    >>> days(date(2026, 10, 1), date(2026, 11, 1))
    '1–31 October 2026'
    >>> days(date(2026, 9, 28), date(2026, 10, 5))
    '28 September – 4 October 2026'
    """
    last = end - timedelta(days=1)
    if last <= start:
        return day(start)
    if (start.year, start.month) == (last.year, last.month):
        return f"{start.day}–{day(last)}"
    if start.year == last.year:
        return f"{start.day} {start:%B} – {day(last)}"
    return f"{day(start)} – {day(last)}"


def cell(value: Cell, unit: str, *, grain: str | None = None, currency: str = "") -> str:
    """Any cell of a result, by the unit of its column; ``currency`` is the row's own."""
    if value is None:
        return "n/a"
    if isinstance(value, datetime | date):
        return period(value, grain)
    if isinstance(value, bool | str):
        return str(value)
    if unit == "ratio":
        return percent(value)
    code, _, per = unit.partition("/")
    if code == "currency":
        code = currency
    elif code in _PLAIN_UNITS:
        return number(value)
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return money(exact, code) + (f" per {per}" if per else "")


def _significant(value: Decimal, digits: int) -> Decimal:
    rounded = value.quantize(Decimal(1).scaleb(value.adjusted() - digits + 1))
    return rounded.normalize()
