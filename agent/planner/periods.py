"""Calendar arithmetic on half-open ranges of days: no words here, only dates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from finops_assistant.store.query import Grain

Unit = Literal["day", "week", "month", "quarter", "year"]
Expr = Literal["last_complete", "to_date", "trailing", "absolute", "named", "all"]
MONTHS = {"month": 1, "quarter": 3, "year": 12}


# As far as a period can reach; nobody was billed for cloud before or will be after.
EARLIEST, LATEST = date(1900, 1, 1), date(2099, 12, 31)


@dataclass(frozen=True)
class Period:
    """``start`` inclusive, ``end`` exclusive, before anything is cut to the data."""

    start: date
    end: date
    expr: Expr = "absolute"
    unit: Grain | None = None
    n: int = 1
    floating_year: bool = False  # the year was not said but inferred
    note: str = ""  # an assumption the answer must state
    parts: tuple[Period, ...] = ()  # the named ends of a range


def add_months(day: date, months: int) -> date:
    """The first of the month that lies ``months`` away."""
    index = day.year * 12 + day.month - 1 + months
    if not EARLIEST.year <= index // 12 <= LATEST.year:
        return EARLIEST if months < 0 else LATEST
    return date(index // 12, index % 12 + 1, 1)


def floor(day: date, unit: str) -> date:
    """The first day of the unit that holds ``day``; weeks start on Monday."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    if unit == "year":
        return date(day.year, 1, 1)
    return day


def shift(day: date, unit: str, n: int) -> date:
    """``n`` units on from the first day of a unit."""
    if unit in MONTHS:
        return add_months(day, n * MONTHS[unit])
    try:
        return day + timedelta(days=n * (7 if unit == "week" else 1))
    except OverflowError:
        return EARLIEST if n < 0 else LATEST


def last_complete(today: date, unit: Unit, n: int = 1) -> Period:
    """The last ``n`` complete units before today."""
    end = floor(today, unit)
    return Period(shift(end, unit, -n), end, "last_complete", unit, n)


def trailing_days(today: date, n: int) -> Period:
    """The ``n`` days before today."""
    return Period(today - timedelta(days=n), today, "trailing", "day", n)


def to_date(today: date, unit: Unit) -> Period:
    """The unit that today lies in."""
    start = floor(today, unit)
    return Period(start, shift(start, unit, 1), "to_date", unit)


def ago(today: date, unit: Unit, n: int) -> Period:
    """The one unit that lies ``n`` back."""
    start = shift(floor(today, unit), unit, -n)
    return Period(start, shift(start, unit, 1), "last_complete", unit)


def month(today: date, number: int, year: int | None = None) -> Period:
    """A named month; without a year the most recent that has begun."""
    floating = year is None
    if year is None:
        year = today.year if number <= today.month else today.year - 1
    start = date(year, number, 1)
    return Period(start, add_months(start, 1), "named", "month", floating_year=floating)


def span_of_months(today: date, first: int, length: int, year: int | None, unit: Unit) -> Period:
    """A quarter or half year; without a year the most recent that has begun."""
    floating = year is None
    if year is None:
        year = today.year if date(today.year, first, 1) <= today else today.year - 1
    start = date(year, first, 1)
    return Period(start, add_months(start, length), "named", unit, floating_year=floating)


def day(today: date, number: int, month_number: int, year: int | None = None) -> Period | None:
    """A named day; without a year the most recent that has begun. None if there is no such day."""
    floating = year is None
    try:
        if year is None:
            year = today.year
            if date(year, month_number, number) > today:
                year -= 1
        start = date(year, month_number, number)
    except ValueError:
        return None
    return Period(start, start + timedelta(days=1), "named", "day", floating_year=floating)


def years_later(period: Period, years: int) -> Period:
    """The same period some years on; 29 February moves to the 28th."""

    def move(when: date) -> date:
        try:
            return when.replace(year=when.year + years)
        except ValueError:
            return when.replace(year=when.year + years, day=28)

    return replace(period, start=move(period.start), end=move(period.end))


def between(first: Period, last: Period) -> Period:
    """From the start of one to the end of the other, inferred years put in order."""
    if first.start >= last.end:
        if first.floating_year:
            first = years_later(first, -1)
        elif last.floating_year:
            last = years_later(last, 1)
    elif last.floating_year and not first.floating_year and last.start.year > first.start.year:
        nearer = years_later(last, first.start.year - last.start.year)
        last = nearer if nearer.start >= first.start else last
    return Period(first.start, last.end, "absolute", None, parts=(first, last))


def previous(period: Period) -> Period:
    """The stretch of equal length, in calendar units where there is one, just before."""
    start, end = period.start, period.end
    whole_months = start.day == 1 and end.day == 1
    if whole_months:
        months = (end.year - start.year) * 12 + end.month - start.month
        return Period(add_months(start, -months), start, "absolute", "month", months)
    return Period(start - (end - start), start, "absolute", "day")


def same_days_before(period: Period, unit: Unit) -> Period:
    """The same number of days at the start of the unit before."""
    start = shift(floor(period.start, unit), unit, -1)
    length = period.end - period.start
    limit = floor(period.start, unit)
    return Period(start, min(start + length, limit), "absolute", unit)


def year_ago(period: Period) -> Period:
    """The same dates one year earlier."""
    moved = years_later(period, -1)
    return replace(moved, expr="absolute", floating_year=False)
