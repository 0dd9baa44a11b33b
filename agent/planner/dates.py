"""What each kind of date phrase means: one function per rule of the range grammar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from finops_assistant.agent.planner import periods
from finops_assistant.agent.planner.chart import Hit
from finops_assistant.agent.planner.periods import Period, Unit
from finops_assistant.agent.planner.text import table

MONTHS = {name: int(number) for name, number in table("words")["months"].items()}
WEEKDAYS = {name: int(number) for name, number in table("words")["weekdays"].items()}
# A short name is read as a weekday only beside a date ("Wed 16 Sept").
WEEKDAY_NAMES = (
    WEEKDAYS
    | {short: WEEKDAYS[day] for day in WEEKDAYS for short in (day[:3], day[:4], day[:5])}
    | {"weds": 2}
)
ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4,
            "4th": 4, "1": 1, "2": 2, "3": 3, "4": 4}  # fmt: skip


@dataclass(frozen=True)
class AmbiguousDate:
    """A date that reads two ways; ``readings`` are ISO dates."""

    text: str
    readings: tuple[str, str]


@dataclass(frozen=True)
class Clock:
    """What relative dates count from."""

    today: date
    first_day: date

    def year(self, hit: Hit) -> int | None:
        """The year a hit names, if any."""
        groups = hit.match.groupdict()
        if groups.get("year"):
            digits = groups["year"].lstrip("' ")
            return int(digits) if len(digits) == 4 else 2000 + int(digits)
        if groups.get("rel"):
            return self.today.year - (0 if groups["rel"] == "this" else 1)
        return None


Rule = Callable[[Clock, Hit], Period | AmbiguousDate | None]


def slash_date(clock: Clock, hit: Hit) -> Period | AmbiguousDate | None:
    """12/10/2026: two readings unless only one is a date; dots mean day first."""
    text = hit.items[0].text
    dotted = "." in text
    a, b, y = (int(p) for p in text.replace(".", "/").split("/"))
    year = y if y > 99 else 2000 + y
    day_first, month_first = (periods.day(clock.today, d, m, year) for d, m in ((a, b), (b, a)))
    if dotted or month_first is None:
        return day_first
    if day_first is None or a == b:
        return month_first
    return AmbiguousDate(text, (day_first.start.isoformat(), month_first.start.isoformat()))


def iso_date(clock: Clock, hit: Hit) -> Period | None:
    """2026-10-12."""
    try:
        start = date.fromisoformat(hit.items[0].text)
    except ValueError:
        return None
    return Period(start, start + timedelta(days=1), "named", "day")


def day(clock: Clock, hit: Hit) -> Period | None:
    """12 October, with or without a year; nothing if the weekday named beside it is another."""
    found = periods.day(clock.today, int(hit["day"]), MONTHS[hit["mon"]], clock.year(hit))
    return found if found is not None and _falls_on(found.start, hit.group("wd")) else None


def _falls_on(when: date, weekday: str) -> bool:
    return not weekday or when.weekday() == WEEKDAY_NAMES[weekday]


def weekend_of(clock: Clock, hit: Hit) -> Period | None:
    """The weekend of 24-25 October, or the one that holds the 24th; nothing if those days are no
    weekend."""
    named = day(clock, hit)
    if named is None or named.start.weekday() < 5:
        return None
    saturday = named.start - timedelta(days=named.start.weekday() - 5)
    number = hit.group("day2")
    if number and (named.start != saturday or int(number) != (saturday + timedelta(days=1)).day):
        return None
    return Period(saturday, saturday + timedelta(days=2), "named", "day")


def day_range(clock: Clock, hit: Hit) -> Period | None:
    """3 to 17 October, both days included."""
    number = MONTHS[hit["mon"]]
    last = periods.day(clock.today, int(hit["day2"]), number, clock.year(hit))
    if last is None:
        return None
    first = periods.day(clock.today, int(hit["day"]), number, last.start.year)
    if first is None or first.start > last.start:
        return None
    if not _falls_on(first.start, hit.group("wd")) or not _falls_on(last.start, hit.group("wd2")):
        return None
    return Period(first.start, last.end, "absolute", "day")


def week_of(clock: Clock, hit: Hit) -> Period | None:
    """The Monday week that holds a day."""
    named = day(clock, hit)
    if named is None:
        return None
    start = periods.floor(named.start, "week")
    return Period(start, start + timedelta(days=7), "named", "week")


def week_ending(clock: Clock, hit: Hit) -> Period | None:
    """The seven days up to and with a day."""
    named = day(clock, hit)
    if named is None:
        return None
    return Period(named.end - timedelta(days=7), named.end, "named", "day")


def days_from(clock: Clock, hit: Hit) -> Period | None:
    """14 days from 1 October."""
    named = day(clock, hit)
    if named is None:
        return None
    length = timedelta(days=int(hit["n"]) * (7 if unit_of(hit) == "week" else 1))
    return Period(named.start, named.start + length, "absolute", "day")


def iso_week(clock: Clock, hit: Hit) -> Period | None:
    """Week 42 of the ISO calendar."""
    year = clock.year(hit) or clock.today.year
    try:
        start = date.fromisocalendar(year, int(hit["n"]), 1)
    except ValueError:
        return None
    if start > clock.today and clock.year(hit) is None:
        start = date.fromisocalendar(year - 1, int(hit["n"]), 1)
    return Period(start, start + timedelta(days=7), "named", "week")


def month(clock: Clock, hit: Hit) -> Period:
    """A month by name."""
    return periods.month(clock.today, MONTHS[hit["mon"]], clock.year(hit))


def last_named_month(clock: Clock, hit: Hit) -> Period:
    """Last October: the newest one that is over."""
    period = periods.month(clock.today, MONTHS[hit["mon"]])
    if period.end > clock.today:
        period = periods.years_later(period, -1)
    return replace(period, floating_year=False)


def months_ending(clock: Clock, hit: Hit) -> Period:
    """The three months to September, the quarter ending in September."""
    last = month(clock, hit)
    n = 3 if hit["quarter"] else int(hit["n"])
    return replace(last, start=periods.add_months(last.start, 1 - n), unit=None, n=n)


def numeric_month(clock: Clock, hit: Hit) -> Period:
    """2026-10 or 10/2026."""
    return periods.month(clock.today, int(hit["n"]), clock.year(hit))


def quarter(clock: Clock, hit: Hit) -> Period:
    """Q3, or the third quarter."""
    number = ORDINALS[hit["q"]]
    return periods.span_of_months(clock.today, number * 3 - 2, 3, clock.year(hit), "quarter")


def last_named_quarter(clock: Clock, hit: Hit) -> Period:
    """Last Q3: the newest one that is over."""
    period = quarter(clock, hit)
    if period.end > clock.today:
        period = periods.years_later(period, -1)
    return replace(period, floating_year=False)


def half(clock: Clock, hit: Hit) -> Period:
    """H1, or the first half of a year."""
    number = ORDINALS[hit["h"]]
    period = periods.span_of_months(clock.today, number * 6 - 5, 6, clock.year(hit), "year")
    return replace(period, unit=None)


def fiscal(clock: Clock, hit: Hit) -> Period:
    """A fiscal year, taken as the calendar year."""
    digits = hit.match.groupdict().get("fy")
    year = clock.today.year if not digits else int(digits) % 100 + 2000
    return Period(
        date(year, 1, 1), date(year + 1, 1, 1), "named", "year",
        note="No fiscal calendar is set up, so the fiscal year is taken as the calendar year.",
    )  # fmt: skip


def plain_year(clock: Clock, hit: Hit) -> Period:
    """2026."""
    year = int(hit["year"])
    return Period(date(year, 1, 1), date(year + 1, 1, 1), "named", "year")


def year_to_date(clock: Clock, hit: Hit) -> Period:
    """2026 so far: one period, the year up to today."""
    year = int(hit.group("year", "year2").lstrip("' ")) % 100 + 2000
    return Period(date(year, 1, 1), date(year + 1, 1, 1), "named", "year")


def unit_of(hit: Hit) -> Unit:
    """The calendar unit that a hit names."""
    return hit["unit"]  # type: ignore[return-value]


def last_n(clock: Clock, hit: Hit) -> Period:
    """The last n units: complete ones, or the days before today."""
    n, unit = int(hit["n"]), unit_of(hit)
    if unit == "day":
        return periods.trailing_days(clock.today, n)
    period = periods.last_complete(clock.today, unit, n)
    if n == 1:
        return period
    return replace(period, note=f"Only complete {unit}s are counted.")


_SMALL = {2: "two", 3: "three", 30: "thirty"}


def few(clock: Clock, hit: Hit) -> Period:
    """The last few or couple of units."""
    n, unit = (2 if "couple" in hit[0] else 3), unit_of(hit)
    period = (
        periods.trailing_days(clock.today, n)
        if unit == "day"
        else periods.last_complete(clock.today, unit, n)
    )
    return replace(period, note=f"I took that as the last {_SMALL[n]} complete {unit}s.")


def weekday(clock: Clock, hit: Hit) -> Period | None:
    """The newest day of that name before today."""
    if hit.items[-1].text.casefold().endswith("days"):
        return None  # "Saturdays" are several
    back = (clock.today.weekday() - WEEKDAYS[hit["weekday"]] - 1) % 7 + 1
    start = clock.today - timedelta(days=back)
    return Period(start, start + timedelta(days=1), "named", "day")


def weekend(clock: Clock, hit: Hit) -> Period:
    """The newest Saturday and Sunday that are over."""
    monday = periods.floor(clock.today, "week")
    if "this" in hit[0] and clock.today.weekday() >= 5:
        monday += timedelta(days=7)
    return Period(monday - timedelta(days=2), monday, "named", "day")


def ordinal_day(clock: Clock, hit: Hit) -> Period | None:
    """On the 5th: the newest such day before today."""
    found = periods.day(clock.today, int(hit["day"]), clock.today.month, clock.today.year)
    if found is None or found.start >= clock.today:
        before = periods.add_months(clock.today.replace(day=1), -1)
        found = periods.day(clock.today, int(hit["day"]), before.month, before.year)
    return found


def hours(clock: Clock, hit: Hit) -> Period | None:
    """The last n hours, where they make whole days."""
    days, rest = divmod(int(hit["n"]), 24)
    if rest or not days:
        return None
    return replace(
        periods.trailing_days(clock.today, days),
        note="Hours are answered in whole days, up to the last complete one.",
    )


def recent(clock: Clock, hit: Hit) -> Period:
    """Recent months, days, weeks."""
    unit: Unit = hit["unit2"]  # type: ignore[assignment]
    n = 30 if unit == "day" else 3
    period = (
        periods.trailing_days(clock.today, n)
        if unit == "day"
        else periods.last_complete(clock.today, unit, n)
    )
    return replace(period, note=f"“Recent {unit}s” is taken as the last {_SMALL[n]}.")
