"""The range grammar: which stretches of a question are periods, and which days they mean.

``annotate`` folds each period into one ``§t`` item whose payload is a ``Period``. General date
libraries were tried for this and misread most of these phrases, so the grammar is our own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from finops_assistant.agent.planner import dates, periods
from finops_assistant.agent.planner.chart import Chart, Hit, parts, rule
from finops_assistant.agent.planner.dates import (
    MONTHS,
    ORDINALS,
    WEEKDAY_NAMES,
    WEEKDAYS,
    AmbiguousDate,
    Clock,
    Rule,
)
from finops_assistant.agent.planner.periods import Period, Unit
from finops_assistant.agent.planner.text import table

MON = rf"(?P<mon>{'|'.join(sorted(MONTHS, key=len, reverse=True))})"
WD = (
    r"(?:(?:on )?(?P<wd>"
    + "|".join(sorted(WEEKDAY_NAMES, key=len, reverse=True))
    + r")(?: [,.])?(?: the)? )?"
)
WD2 = WD.replace("<wd>", "<wd2>")
DAY = r"(?:the )?(?P<day>[0-2]?\d|3[01])(?:st|nd|rd|th)?"
DAY2 = DAY.replace("<day>", "<day2>")
YEAR = r"(?P<year>20\d\d|' \d\d)"
OF_YEAR = rf"(?: (?:,|of|in|-|/))?(?: {YEAR})"
REL_YEAR = r"(?: (?:of )?(?P<rel>last|this|previous|past) year)"
BOTH = rf"(?:{parts()['to']}|/|&)"
WEEKEND = r"(?:over |on |during )?(?:the )?weekend(?: (?:of|,|on|\())? (?:the )?"
UNIT = r"(?P<unit>day|week|month|quarter|year)s?"
NUM = r"(?P<n>\d{1,4})"
TO = parts()["to"]
LAST = r"(?:last|past|previous|prior|preceding|latest|trailing|rolling|recent|most recent)"
SO_FAR = r"(?:so far|to date|thus far|ytd|(?:up to|until|till) (?:now|today)|as of (?:now|today))"
NO_OF = r"(?! (?:of|in) (?:the )?(?:year )?(?:§t|20\d\d))"  # "the last week of October"
WHOLE = r"(?: (?:full|complete|completed|whole|entire|calendar|closed|finished))?"


_TO_DATE: dict[str, Unit] = {"y": "year", "m": "month", "q": "quarter", "w": "week"}
_ALL = (
    r"(?:of )?all[ -]time|ever|lifetime|since (?:the )?(?:very )?(?:beginning|start)(?! of)|"
    r"since we started|(?:the )?(?:whole|entire|full|complete) (?:period|history|data ?set|time)|"
    r"(?:all|everything) (?:of )?(?:the |our )?(?:data|history|time|periods|months|years)|to date|"
    r"in all of the data|since forever|(?:over )?all the months"
)

RULES: tuple[tuple[str, Rule], ...] = (
    (r"\d{4}-\d\d-\d\d", dates.iso_date),
    (r"\d{1,2}[/.]\d{1,2}[/.](?:\d{4}|\d\d)", dates.slash_date),
    (rf"(?:the )?week (?:of|starting|beginning|commencing|from)(?: on)? {WD}{DAY}(?: of)? {MON}"
     rf"(?:{OF_YEAR})?", dates.week_of),
    (rf"(?:the )?week (?:of|starting|beginning|commencing|from)(?: on)? {WD}{MON} {DAY}"
     rf"(?:{OF_YEAR})?",
     dates.week_of),
    (rf"(?:the |for )?(?:first )?{NUM} (?P<unit>day|week)s? (?:from|starting|beginning)"
     rf"(?: on| from| with)? {WD}{DAY}(?: of)? {MON}(?:{OF_YEAR})?", dates.days_from),
    (rf"(?:the )?week (?:ending|ended|to|until|up to)(?: on)? {WD}{DAY}(?: of)? {MON}"
     rf"(?:{OF_YEAR})?", dates.week_ending),
    (rf"(?:the )?week (?:ending|ended|to|until|up to)(?: on)? {WD}{MON} {DAY}(?:{OF_YEAR})?",
     dates.week_ending),
    (rf"week {NUM}(?:{OF_YEAR})?", dates.iso_week),
    (rf"(?:the )?(?:{NUM} months|(?P<quarter>quarter)) "
     r"(?:to|ending|ending in|ended|until|up to|through)(?: the end of)?"
     rf" {MON}(?:{OF_YEAR})?", dates.months_ending),
    (rf"{WEEKEND}{WD}{DAY}(?: {BOTH} {WD2}{DAY2})?(?: of)? {MON}(?:{OF_YEAR})?",
     dates.weekend_of),
    (rf"{WEEKEND}{MON} {DAY}(?: {BOTH} {DAY2})?(?:{OF_YEAR})?", dates.weekend_of),
    (rf"(?:between |from )?{WD}{DAY} {TO} {WD2}{DAY2}(?: of)? {MON}(?:{OF_YEAR})?",
     dates.day_range),
    (rf"(?:between |from )?{WD}{MON} {DAY} {TO} {WD2}{DAY2}(?:{OF_YEAR})?", dates.day_range),
    (rf"{WD}{DAY}(?: of)? {MON}(?:(?: ,)?{OF_YEAR})?", dates.day),
    (rf"{WD}{MON} {DAY}(?:{OF_YEAR})?", dates.day),
    (rf"{MON}(?:{OF_YEAR}|{REL_YEAR})", dates.month),
    (rf"{LAST} {MON}", dates.last_named_month),
    (rf"(?:last|previous) year {MON}",
     lambda c, h: periods.month(c.today, MONTHS[h["mon"]], c.today.year - 1)),
    (rf"(?:this )?{MON}(?!(?<=\bmay) (?:i|we|you|be|have|not|need)\b)", dates.month),
    (rf"{YEAR} - (?P<n>0?[1-9]|1[0-2])", dates.numeric_month),
    (rf"(?P<n>0?[1-9]|1[0-2]) / {YEAR}", dates.numeric_month),
    (r"(?:last|previous) q ?(?P<q>[1-4])", dates.last_named_quarter),
    (rf"(?:fy ?(?:20)?\d\d )?q ?(?P<q>[1-4])(?:{OF_YEAR}|{REL_YEAR})?", dates.quarter),
    (rf"{YEAR} q ?(?P<q>[1-4])", dates.quarter),
    (rf"(?:the )?(?P<q>first|second|third|fourth|1st|2nd|3rd|4th) quarter(?:{OF_YEAR}|{REL_YEAR})?",
     dates.quarter),
    (rf"h ?(?P<h>[12])(?:{OF_YEAR}|{REL_YEAR})?", dates.half),
    (r"(?:the )?(?P<h>first|second|1st|2nd) half(?: of)?"
     rf"(?: (?:the|{YEAR}|(?P<rel>this|last) year))(?: year)?", dates.half),
    (r"fy ?'? ?(?P<fy>(?:20)?\d\d)|(?:this |the )?(?:fiscal|financial) year|fy", dates.fiscal),
    (r"(?:the )?(?:day before yesterday)",
     lambda c, h: periods.ago(c.today, "day", 2)),
    (r"(?:the )?(?P<unit>week|month|quarter|year) before last",
     lambda c, h: periods.ago(c.today, dates.unit_of(h), 2)),
    (r"today", lambda c, h: periods.to_date(c.today, "day")),
    (r"yesterday|(?:last|previous|prior) day(?! of)", lambda c, h: periods.ago(c.today, "day", 1)),
    (r"(?:over |on )?(?:the |last |this |past |previous )weekend|weekend", dates.weekend),
    (rf"(?:so far )?(?:in )?(?:this|the current|current) {UNIT}(?: (?:so far|to date|until now))?|"
     r"so far (?:in )?the (?P<unit2>month)",
     lambda c, h: periods.to_date(c.today, dates.unit_of(h) if h["unit"] else "month")),
    (r"(?P<unit>year|month|quarter|week) to date",
     lambda c, h: periods.to_date(c.today, dates.unit_of(h))),
    (r"(?P<a>[ymqw])td", lambda c, h: periods.to_date(c.today, _TO_DATE[h["a"]])),
    (rf"(?:the )?(?:(?:calendar )?year )?{YEAR}(?: ,)? (?:year )?{SO_FAR}|"
     rf"{SO_FAR} (?:in |for )?{YEAR.replace('<year>', '<year2>')}",
     dates.year_to_date),
    (r"since (?:the )?(?:beginning|start) of (?:the|this) (?P<unit>year|month|quarter|week)",
     lambda c, h: periods.to_date(c.today, dates.unit_of(h))),
    (rf"(?:the )?{LAST} {NUM}{WHOLE} {UNIT}{NO_OF}", dates.last_n),
    (rf"(?:the )?{NUM} {LAST}{WHOLE} {UNIT}{NO_OF}", dates.last_n),
    (rf"(?:the )?(?:full|complete|whole|entire) {NUM} {LAST} {UNIT}", dates.last_n),
    (rf"(?:the )?{LAST} {NUM} hours", dates.hours),
    (rf"(?:the )?{LAST} (?:few|couple(?: of)?|several)(?: of)?{WHOLE} {UNIT}|recent {UNIT}"
     .replace("recent (?P<unit>", "recent (?P<unit2>"),
     lambda c, h: dates.few(c, h) if h["unit"] else dates.recent(c, h)),
    (rf"(?:over|for|across|within|in) (?:a |the )?{NUM}{WHOLE} {UNIT}(?! (?:ago|before|from))",
     dates.last_n),
    (rf"{NUM} {UNIT}(?= (?:trend|history|view|series|cost|spend|spending|window))", dates.last_n),
    (rf"{NUM} {UNIT} (?:ago|back)(?! (?:to|from))",
     lambda c, h: periods.ago(c.today, dates.unit_of(h), int(h["n"]))),
    (r"(?:a|one) (?P<unit>week|month|quarter|year) ago(?= today)",
     lambda c, h: periods.ago(c.today, dates.unit_of(h), 1)),
    (rf"(?:the )?(?:full |complete |whole |entire )?{LAST}{WHOLE} "
     r"(?P<unit>week|month|quarter|year)" + NO_OF,
     lambda c, h: periods.last_complete(c.today, dates.unit_of(h))),
    (rf"(?<!every )(?<!each )(?:last |on |this |past )?(?P<weekday>{'|'.join(WEEKDAYS)})",
     dates.weekday),
    (r"on the (?P<day>[0-2]?\d|3[01])(?:st|nd|rd|th)", dates.ordinal_day),
    (_ALL, lambda c, h: Period(c.first_day, c.today, "all")),
    (r"(?<!over )(?<!under )(?<!above )(?<!below )(?<!than )(?<!top )(?<!least )(?<!most )"
     r"(?:(?:the )?(?:calendar|full|whole|entire)(?: year)? )?(?P<year>20[1-4]\d)",
     dates.plain_year),
)  # fmt: skip


def annotate(chart: Chart, clock: Clock) -> list[AmbiguousDate]:
    """Fold every period of the chart into a ``§t`` item; dates with two readings are returned."""
    doubts: list[AmbiguousDate] = []
    for expression, reads in RULES:
        while True:
            hit = next((h for h in chart.find(expression) if _free(h) and _reads(chart, h)), None)
            if hit is None:
                break
            found = reads(clock, hit)
            if isinstance(found, AmbiguousDate):
                doubts.append(found)
                found = None
            if found is None:
                chart.collapse(hit.first, hit.last, "§unread", None)
            else:
                chart.collapse(hit.first, hit.last, "§t", found)
    for hit in reversed(chart.find(rule("time.wrapped"))):
        if hit.group("u", "u2") == hit.payloads("§t")[0].unit:
            chart.collapse(hit.first, hit.last, "§t", hit.payloads("§t")[0])
    _halves(chart)
    _weeks(chart)
    _ranges(chart, clock)
    _said_again(chart)
    return doubts


def _free(hit: Hit) -> bool:
    return all(i.role is None and not i.symbol.startswith("§") and not i.mark for i in hit.items)


def _reads(chart: Chart, hit: Hit) -> bool:
    """``may`` and ``march`` are months only where a month can stand."""
    word = hit[0]
    if word in ("may", "march", "mar", "dec", "sun", "sat", "mon", "wed") and hit.first > 0:
        before = chart.items[hit.first - 1].symbol
        return before in _BEFORE_MONTH or before == "§t"
    if word == "to date":
        return hit.first > 0 and chart.items[hit.first - 1].symbol != "§t"
    return True


_BEFORE_MONTH = frozenset(table("words")["before_month"])


def _said_again(chart: Chart) -> None:
    """What adds nothing to a period: "both days included", and "that year" after 2025."""
    for hit in chart.find(rule("time.inclusive")):
        hit.mark("time")
    for hit in chart.find(rule("time.loose")):
        hit.mark("filler")
    told = chart.of("§t")
    if len(told) != 1:
        return
    for hit in chart.find(rule("time.same")):
        same = hit["u"] in (told[0].payload.unit, "period", "time", "timeframe", "stretch", "range")
        if same and told[0].end <= hit.items[0].start:
            hit.mark("time")


def _halves(chart: Chart) -> None:
    while hit := chart.first(rule("time.half")):
        period: Period = hit.payloads("§t")[0]
        if period.unit not in ("month", "year"):
            chart.collapse(hit.first, hit.last, "§unread", None)
            continue
        middle = periods.add_months(period.start, 6)
        if period.unit == "month":
            middle = period.start + timedelta(days=15)
        half = replace(period, start=middle, unit=None)
        if hit["h"] in ("first", "1st"):
            half = replace(period, end=middle, unit=None)
        chart.collapse(hit.first, hit.last, "§t", half)


def _weeks(chart: Chart) -> None:
    """The first two weeks of October, the last month of Q3, the last day of September."""
    while hit := chart.first(rule("time.within")):
        period: Period = hit.payloads("§t")[0]
        part = _within(period, hit["w"], int(hit["n"] or 1), hit["u"].rstrip("s"))
        chart.collapse(hit.first, hit.last, "§t" if part else "§unread", part)


def _within(period: Period, place: str, n: int, unit: str) -> Period | None:
    """``n`` units counted from the first or back from the last day of a period."""
    last = place in ("last", "final", "closing")
    skip = 0 if last else ORDINALS.get(place, 1) - 1
    if unit in ("day", "week"):
        size = timedelta(days=n * (7 if unit == "week" else 1))
        start = period.end - size if last else period.start + skip * size
        end, note = start + size, "Weeks of a month are counted from its first day."
        if unit == "week" and period.unit not in ("month", "quarter", "year"):
            return None
    else:
        months = n * periods.MONTHS[unit]
        start = periods.add_months(period.start, skip * months)
        if last:
            start = periods.add_months(period.end, -months)
        end, note = periods.add_months(start, months), ""
        if period.start.day != 1 or period.end.day != 1:
            return None
    if start < period.start or end > period.end or (skip and n > 1):
        return None
    inner = unit if n == 1 and unit != "week" else None
    said = note if unit == "week" and not last else ""
    return replace(period, start=start, end=end, unit=inner, n=1, note=said or period.note)  # type: ignore[arg-type]


def _ranges(chart: Chart, clock: Clock) -> None:
    for name in ("time.between", "time.dash"):
        while hit := chart.first(rule(name)):
            first, last = hit.payloads("§t")
            if first.start <= last.start < first.end and first.unit != last.unit:
                chart.collapse(hit.first, hit.last, "§unread", None)  # no range from its own middle
            else:
                chart.collapse(hit.first, hit.last, "§t", periods.between(first, last))
    while hit := chart.first(rule("time.since")):
        period: Period = hit.payloads("§t")[0]
        end = max(clock.today, period.start + timedelta(days=1))
        made = Period(period.start, end, "to_date", parts=(period,))
        chart.collapse(hit.first, hit.last, "§t", made)
    while hit := chart.first(rule("time.from")):
        # "from September" alone is that month, as in "the invoice from September"
        chart.collapse(hit.first, hit.last, "§t", hit.payloads("§t")[0])
    while hit := chart.first(rule("time.bound")):
        period = hit.payloads("§t")[0]
        end = period.start if hit["w"] in ("before", "prior to") else period.end
        made = Period(min(clock.first_day, end - timedelta(days=1)), end, "absolute")
        if period.expr in ("to_date", "all"):  # "burned through so far this year"
            made = period
        elif hit["w"] == "after":
            made = Period(period.end, max(clock.today, period.end + timedelta(days=1)), "to_date")
        chart.collapse(hit.first, hit.last, "§t", made)
