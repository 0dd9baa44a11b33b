"""Which period a query covers, and which one it is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise

from finops_assistant.agent.plan import AbstainPlan, ClarifyPlan, Step
from finops_assistant.agent.planner import periods
from finops_assistant.agent.planner.chart import Chart, rule
from finops_assistant.agent.planner.periods import Period
from finops_assistant.agent.planner.shape import Shape
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.store.query import Compare, TimeSpec

TREND = {"week": ("week", 52), "quarter": ("quarter", 4)}  # else twelve months


@dataclass
class When:
    """The period, the comparison, and what had to be assumed."""

    time: TimeSpec | None = None
    compare: Compare | None = None
    no: Step | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def settled(self) -> TimeSpec:
        """The period, once it is known that there is one."""
        if self.time is None:
            raise ValueError("the period was declined")
        return self.time


def decide(chart: Chart, shape: Shape, view: PlannerView, inherited: TimeSpec | None) -> When:
    """Resolve the time of a question. ``inherited`` is the period of the question it follows."""
    out = When()
    items = [i for i in chart.of("§t") if i.role is None]
    said: list[Period] = [i.payload for i in items]
    for hit in (*chart.find(rule("time.so_far")), *chart.find(rule("time.preposition"))):
        for item in hit.items:
            item.role = item.role or "time"
    for item in items:
        item.role = "time"
    current, baseline = _roles(chart, shape, said, view, out, inherited)
    if out.no is not None:
        return out
    stated = current is not None
    if current is None and inherited is not None:
        out.time = inherited.model_copy(update={"source": "inherited"})
    else:
        period = current or _default(shape, view, out)
        out.no = _outside(period, view)
        if out.no is not None:
            return out
        out.time = resolve(period, view, "stated" if stated else "default", shape.billing)
        _partly(period, out, view)
        if period.note:
            out.notes.append(period.note)
        if period.floating_year and period.start.year != view.as_of.year:
            out.notes.append(f"No year was named, so this is {_span(period.start, period.end)}.")
    _compare(shape, out, baseline, view)
    return out


def _roles(
    chart: Chart, shape: Shape, said: list[Period], view: PlannerView, out: When,
    inherited: TimeSpec | None,
) -> tuple[Period | None, Period | None]:  # fmt: skip
    """The period asked about and the named one to compare with."""
    comparing = shape.compare in ("asked", "change", "previous", "same_days", "year_ago")
    if len(said) >= 2:
        first, second = said[:2]
        if len(said) == 2 and (comparing or chart.has(rule("time.versus"))):
            # The later one is the figure, the earlier one what it is held against.
            later, earlier = (first, second) if first.start >= second.start else (second, first)
            if (
                later.floating_year
                and earlier.floating_year is False
                and later.start == earlier.start
            ):
                return later, None
            shape.compare = "explicit"
            return later, earlier
        ordered = sorted(said, key=lambda p: p.start)
        low, high = ordered[0], ordered[-1]
        if all(a.end == b.start for a, b in pairwise(ordered)):
            summed = chart.has(rule("time.sum"))
            if shape.grain is None and low.unit is not None and not summed:
                shape.grain = low.unit
                shape.trend = True
            return Period(low.start, high.end, "absolute"), None
        if len(said) > 2:
            out.no = ClarifyPlan(
                reason="AMBIGUOUS_DATE",
                question="I can compare two periods at a time. Which two are meant?",
            )
            return None, None
        if low.start <= high.start and high.end <= low.end:  # "this year … in October"
            return high, None
        if high.start < low.end:
            out.no = ClarifyPlan(
                reason="AMBIGUOUS_DATE",
                question="The two periods in the question overlap. Which one do you mean?",
            )
            return None, None
        if chart.has(rule("time.sum")):
            out.no = ClarifyPlan(
                reason="AMBIGUOUS_DATE",
                question="Those periods do not follow each other, and I add up one stretch of time "
                "at a time. Which one do you want first?",
            )
            return None, None
        if not chart.has(rule("time.listed")):
            out.no = ClarifyPlan(
                reason="AMBIGUOUS_DATE",
                question="The question names two periods. Which one do you mean, or should I "
                "compare them?",
            )
            return None, None
        shape.compare = "explicit"
        return high, low
    if len(said) == 1:
        only = said[0]
        if shape.compare in ("asked", "change") and len(only.parts) == 2:
            shape.compare = "explicit"
            return only.parts[1], only.parts[0]
        if shape.compare == "change" and only.expr == "to_date" and only.parts:
            start = only.parts[0]
            current = periods.last_complete(view.as_of, "month")
            if start.unit == "month" and start.end <= current.start:
                shape.compare = "explicit"
                return current, start
            shape.trend, shape.compare = True, ""
            return only, None
        if shape.compare in ("asked", "change") and chart.has(rule("time.baseline")):
            now = _base_period(view, inherited, only)
            if now.start <= only.start < now.end:
                return only, None
            shape.compare = "explicit"
            return now, only
        return only, None
    return None, None


def _base_period(view: PlannerView, inherited: TimeSpec | None, baseline: Period) -> Period:
    """What is held against a baseline when only the baseline is named."""
    if inherited is not None:
        return Period(inherited.start, inherited.end)
    unit = baseline.unit
    if baseline.end == periods.floor(view.as_of, unit or "day") and unit in periods.MONTHS:
        running = periods.to_date(view.as_of, unit)  # type: ignore[arg-type]
        if running.start < view.as_of:
            return running
    return periods.last_complete(view.as_of, "month")


def _default(shape: Shape, view: PlannerView, out: When) -> Period:
    first, last = extent(view)
    if shape.compare_unit in ("day", "week", "month", "quarter", "year"):
        period = periods.last_complete(view.as_of, shape.compare_unit)  # type: ignore[arg-type]
        if first <= period.start:
            out.notes.append(f"No period was named, so this is {_span(period.start, period.end)}.")
            return period
    if (
        shape.trend
        or shape.grain in ("week", "month", "quarter", "year")
        or (shape.rank_grain and shape.grain in ("month", "quarter"))
    ):
        unit, n = TREND.get(shape.grain or "month", ("month", 12))
        period = periods.last_complete(view.as_of, unit, n)  # type: ignore[arg-type]
        if shape.grain == "year":
            period = Period(first, last + timedelta(days=1), "all")
        while period.start < first and period.start < period.end and period.expr != "all":
            period = replace(period, start=periods.shift(period.start, unit, 1))
        if period.start < period.end:
            out.notes.append(
                f"No period was named, so this covers {_span(period.start, period.end)}."
            )
            return period
    period = periods.last_complete(view.as_of, "month")
    if first <= period.start and period.end <= last + timedelta(days=1):
        out.notes.append(
            f"No period was named, so this is {_span(period.start, period.end)}, "
            "the last complete month."
        )
        return period
    out.notes.append("No period was named, so this covers all the data.")
    return Period(first, last + timedelta(days=1), "all")


def extent(view: PlannerView) -> tuple[date, date]:
    """First and last day of the data; a store without rows counts as yesterday alone."""
    yesterday = view.as_of - timedelta(days=1)
    first = view.facts.first_day or yesterday
    last = view.facts.last_day or yesterday
    return first, min(last, yesterday)


def resolve(period: Period, view: PlannerView, source: str, billing: bool = False) -> TimeSpec:
    """Cut a period to today and say whether it had ended by then."""
    _, last = extent(view)
    end = min(period.end, view.as_of) if period.start < view.as_of else period.end
    return TimeSpec(
        start=period.start,
        end=end,
        expr=period.expr,
        unit=period.unit,
        n=period.n,
        axis="billing" if billing else "charge",
        source=source,  # type: ignore[arg-type]
        partial=period.end > last + timedelta(days=1),
    )


def _outside(period: Period, view: PlannerView) -> Step | None:
    first, last = extent(view)
    span = _span(period.start, period.end)
    if period.start >= view.as_of or period.start > last:
        return AbstainPlan(
            reason="OUT_OF_RANGE",
            message=f"There is no data yet for {span}: the data ends on {day_words(last)}.",
        )
    if period.end <= first:
        return AbstainPlan(
            reason="OUT_OF_RANGE",
            message=f"There is no data for {span}: the data starts on {day_words(first)}.",
        )
    return None


def _partly(period: Period, out: When, view: PlannerView) -> None:
    first, last = extent(view)
    if period.expr == "all":
        return
    if period.start < first:
        out.notes.append(f"The data starts on {day_words(first)}, so earlier days are not in this.")
    if period.end > last + timedelta(days=1):
        out.notes.append(f"So far: the period has data through {day_words(last)} only.")


def _compare(shape: Shape, out: When, baseline: Period | None, view: PlannerView) -> None:
    time = out.time
    if time is None or shape.compare in ("", "values"):
        return
    current = Period(time.start, time.end)
    kind = "explicit"
    if shape.compare == "explicit" and baseline is not None:
        chosen = baseline
        if time.partial and baseline.end > baseline.start + (time.end - time.start):
            unit = time.unit if time.unit in ("week", "month", "quarter", "year") else None
            if unit and baseline.unit == unit:
                chosen = replace(baseline, end=baseline.start + (time.end - time.start))
                kind = "same_days_previous"
                out.notes.append(
                    "The current period is not over, so the same number of days is compared."
                )
    elif shape.compare == "year_ago":
        kind, chosen = "year_ago", periods.year_ago(current)
    elif time.partial and time.unit in ("week", "month", "quarter", "year"):
        kind = "same_days_previous"
        chosen = periods.same_days_before(current, time.unit)
        out.notes.append("The current period is not over, so the same number of days is compared.")
    elif shape.compare == "same_days":
        kind = "same_days_previous"
        unit = "month" if time.unit not in ("week", "quarter", "year") else time.unit
        chosen = periods.same_days_before(current, unit)
    else:
        kind, chosen = "previous", periods.previous(current)
    first, _ = extent(view)
    if chosen.end <= first:
        out.no = AbstainPlan(
            reason="OUT_OF_RANGE",
            message=f"There is nothing to compare with: the data starts on {day_words(first)}, "
            f"and the comparison needs {_span(chosen.start, chosen.end)}.",
        )
        return
    if chosen.start < time.end and time.start < chosen.end:
        out.no = ClarifyPlan(
            reason="AMBIGUOUS_DATE",
            question="The two periods overlap, so they cannot be compared. Which two do you mean?",
        )
        return
    out.compare = Compare(
        kind=kind,  # type: ignore[arg-type]
        baseline=TimeSpec(
            start=chosen.start, end=chosen.end, expr="absolute", unit=chosen.unit,
            axis=time.axis, source="stated" if kind == "explicit" else "default",
        ),
    )  # fmt: skip


def day_words(day: date) -> str:
    """A day as people write it."""
    return f"{day.day} {day:%B %Y}"


def _span(start: date, end: date) -> str:
    last = end - timedelta(days=1)
    if start.day == 1 and end.day == 1 and (start.year, start.month) == (last.year, last.month):
        return f"{start:%B %Y}"
    if start == last:
        return day_words(start)
    return f"{day_words(start)} to {day_words(last)}"
