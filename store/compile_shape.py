"""What a query asks for in the compiler's terms: keys, measures and the conditions on rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from finops_assistant.store.access import RowScope
from finops_assistant.store.compile_text import moment
from finops_assistant.store.conditions import condition
from finops_assistant.store.focus import ESSENTIAL
from finops_assistant.store.metrics import CURRENCY_COLUMN, Dimension, Fact, Metric, Semantics
from finops_assistant.store.query import Filter, Grain, MetricQuery, TimeSpec

Flag = Literal["Chosen", "ChosenDetail"]
FACTS: tuple[Fact, ...] = ("focus", "usage")
MAX_PERIODS = 1000
PLACED = ("share", "rank", "pareto")


@dataclass(frozen=True)
class Key:
    """One column that rows are grouped by: its output name, its SQL, the unit of its values."""

    name: str
    sql: str
    unit: str = "text"


@dataclass(frozen=True)
class Shape:
    """One normalised query with everything its SQL depends on. ``currencies`` are those of the
    rows in scope; ``loaded`` is the half-open range of days that the store covers, or None when
    periods without rows are to stay out; ``flag`` is the column that picks the rows of ``usage``.
    ``half`` and ``sums`` are set for the half of a query over two tables (see ``compile_facts``):
    its table, and what is summed there."""

    query: MetricQuery
    semantics: Semantics
    scope: RowScope
    as_of: date
    currencies: tuple[str, ...]
    loaded: tuple[date, date] | None
    flag: Flag = "Chosen"
    half: Fact | None = None
    sums: tuple[Metric, ...] = ()

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that are computed: those shown, then those that only order or filter."""
        if self.half:
            return self.sums
        query = self.query
        counted = query.show == "count"
        shown = () if counted else query.metrics
        orders = () if counted else query.order
        asked = [*(h.metric for h in query.having), *(o.by for o in orders)]
        names = dict.fromkeys([*shown, *(n for n in asked if n in self.semantics.metrics)])
        return tuple(self.semantics.metrics[name] for name in names)

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """The tables that are read, billed cost first."""
        if self.half:
            return (self.half,)
        found = {fact for metric in self.metrics for fact in self.semantics.facts(metric)}
        return tuple(fact for fact in FACTS if fact in found) or ("focus",)

    @property
    def crossed(self) -> bool:
        """Whether figures of two tables meet."""
        return len(self.facts) > 1

    @property
    def fact(self) -> Fact:
        """The one table that is read."""
        return self.facts[0]

    def dimension(self, name: str) -> Dimension:
        """A dimension as it is over the table."""
        return self.semantics.dimensions[name].on(self.fact)

    @property
    def shown(self) -> tuple[Metric, ...]:
        """The metrics of the output."""
        return () if self.query.show == "count" else self.metrics[: len(self.query.metrics)]

    @property
    def split(self) -> bool:
        """Whether there is one row per currency: money of several, which never adds up."""
        return len(self.currencies) > 1 and any(metric.money for metric in self.metrics)

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """The leading columns: currency, period, dimensions."""
        query = self.query
        keys = [Key("currency", CURRENCY_COLUMN)] if self.split else []
        if query.grain:
            keys.append(Key("period", period_sql(query.grain, self.axis), "date"))
        if query.show != "count":
            keys += [self.dimension_key(name) for name in query.dimensions]
        return tuple(keys)

    def dimension_key(self, name: str) -> Key:
        """A dimension as a key: its word for a missing value takes the place of NULL."""
        dimension = self.dimension(name)
        return Key(name, f"coalesce({dimension.value}, '{dimension.missing}')")

    @property
    def axis(self) -> str:
        """The column that places a row in time."""
        return "ChargePeriodStart" if self.query.time.axis == "charge" else "BillingPeriodStart"

    @property
    def baseline(self) -> TimeSpec | None:
        """The period beside the first, if two are compared."""
        compare = self.query.compare
        return compare.baseline if compare and compare.kind != "values" else None

    def between(self, time: TimeSpec) -> list[str]:
        """The conditions that keep a row inside a period; what starts today or later is not there
        yet."""
        charge = self.query.time.axis == "charge"
        end = min(time.end, self.as_of) if charge else time.end
        return [f"{self.axis} >= {moment(time.start)}", f"{self.axis} < {moment(end)}"]

    def within(self, *times: TimeSpec) -> list[str]:
        """The conditions on the rows of a statement about one period, or about two."""
        first, *others = sorted(times, key=lambda time: time.start)
        start, end = first.start, first.end
        gap = False
        for time in others:
            gap = gap or time.start > end
            end = max(end, time.end)
        found = self.between(first.model_copy(update={"start": start, "end": end}))
        if gap:
            found.append(f"({' OR '.join(f'({_all(self.between(time))})' for time in times)})")
        if self.query.time.axis == "billing":
            found.append(f"ChargePeriodStart < {moment(self.as_of)}")
        return found

    @cached_property
    def late(self) -> tuple[Filter, ...]:
        """Filters that pick from the finished figures, so that the whole they are a part of keeps
        every row: those on the dimension whose shares or ranks are shown."""
        query = self.query
        if query.show not in PLACED:
            return ()
        return tuple(f for f in query.filters if f.dimension in query.dimensions and self._late(f))

    def _late(self, where: Filter) -> bool:
        # "excluding X" narrows the whole; several named values are ranked among themselves.
        if where.op == "not_in":
            return False
        return self.query.show == "share" or (where.op == "in" and len(where.values) == 1)

    @cached_property
    def part(self) -> tuple[str, ...]:
        """For a share without a dimension: the conditions of the part, the whole being every row
        in scope."""
        if self.query.show != "share" or self.query.dimensions:
            return ()
        return tuple(self._sql(where) for where in self.query.filters)

    @cached_property
    def narrowed(self) -> tuple[str, ...]:
        """The conditions on every row besides time: the principal's, the filters', and the rows
        that all the measures are about."""
        seen: list[str] = [self.flag] if self.fact == "usage" else []
        found = [*seen, *filter(None, [self.scope.on(self.fact)])]
        if not self.part:
            found += [self._sql(f) for f in self.query.filters if f not in self.late]
        return (*found, *self.about)

    @cached_property
    def about(self) -> tuple[str, ...]:
        """The row conditions that every measure shares."""
        if not self.metrics:
            return ()
        rows = [self.rows(metric) for metric in self.metrics]
        return tuple(rule for rule in rows[0] if all(rule in other for other in rows))

    def rows(self, metric: Metric) -> tuple[str, ...]:
        """The rows that a metric is about; for a ratio those of its denominator."""
        if metric.kind == "ratio" and not metric.rows:
            return self.semantics.metrics[metric.denominator].rows
        return metric.rows

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """The aggregates of the first step: ``count``, or the metrics, with ``whole`` for a share
        without a dimension."""
        if self.query.show == "count":
            return ("count",)
        names = tuple(metric.name for metric in self.metrics)
        return (*names, "whole") if self.part else names

    def measure(self, name: str, only: Sequence[str] = (), zero: bool = False) -> str:
        """A measure as SQL over the rows that also meet ``only``. ``zero`` makes it 0 where there
        are no such rows; a ratio has no value there."""
        if name == "count":
            counted = self.dimension(self.query.dimensions[0]).value
            return f"count(DISTINCT {_only(counted, only)})"
        if name == "whole":
            return self._measure(self.shown[0], only, zero)
        metric = next(m for m in self.metrics if m.name == name)
        return self._measure(metric, [*only, *self.part], zero)

    def _measure(self, metric: Metric, only: Sequence[str], zero: bool) -> str:
        if metric.kind == "additive":
            total = self._sum(metric, self.rows(metric), only)
            if not zero:
                return total
            if set(metric.columns) <= set(ESSENTIAL):
                return f"coalesce({total}, 0)"
            seen = f"count({_only('1', only)})"
            return f"CASE WHEN {seen} = 0 THEN 0 ELSE {total} END"
        above = self.semantics.numerator(metric, self.query.basis)
        below = self.semantics.metrics[metric.denominator]
        top = self._sum(above, below.rows, only)
        bottom = self._sum(below, below.rows, only)
        ratio = f"CAST({top} AS DOUBLE) / nullif(CAST({bottom} AS DOUBLE), 0)"
        return ratio if metric.scale == 1 else f"{ratio} * {metric.scale}"

    def _sum(self, metric: Metric, rows: Sequence[str], only: Sequence[str]) -> str:
        rules = [rule for rule in rows if rule not in self.about]
        return f"sum({_only(metric.value, [*only, *rules])})"

    def _sql(self, where: Filter) -> str:
        return condition(where, self.dimension(where.dimension))

    def additive(self, name: str) -> bool:
        """Whether a measure adds up, so that none of it is 0."""
        return name in ("count", "whole") or self.semantics.metrics[name].kind == "additive"

    @property
    def code(self) -> str:
        """The unit of money: the one currency's code, or ``currency`` where rows have their own."""
        return self.currencies[0] if len(self.currencies) == 1 else "currency"

    def unit(self, metric: Metric) -> str:
        """The unit of a metric's figures."""
        return metric.unit.replace("currency", self.code, 1) if metric.money else metric.unit


def _only(expression: str, conditions: Sequence[str]) -> str:
    if not conditions:
        return expression
    return f"CASE WHEN {_all(conditions)} THEN {expression} END"


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions)


def period_sql(grain: Grain, column: str) -> str:
    """The start of the period that a row falls in: a date, for hours a timestamp."""
    start = f"date_trunc('{grain}', {column})"
    return start if grain == "hour" else f"CAST({start} AS DATE)"


def period_starts(grain: Grain, start: date, end: date) -> tuple[str, ...]:
    """Literals of the periods that meet ``start`` to ``end`` (exclusive), at most one more than
    ``MAX_PERIODS``; weeks begin on Monday.

    >>> period_starts("week", date(2026, 1, 1), date(2026, 1, 6))
    ("DATE '2025-12-29'", "DATE '2026-01-05'")
    """
    found: list[str] = []
    day = first_day_of(grain, start)
    while day < end and len(found) <= MAX_PERIODS:
        if grain == "hour":
            found += [f"TIMESTAMP '{day} {hour:02}:00:00'" for hour in range(24)]
        else:
            found.append(f"DATE '{day}'")
        day = _next(grain, day)
    return tuple(found)


def first_day_of(grain: Grain, day: date) -> date:
    """The first day of the period that holds ``day``."""
    match grain:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case "year":
            return day.replace(month=1, day=1)
        case _:
            return day


def _next(grain: Grain, day: date) -> date:
    match grain:
        case "week":
            return day + timedelta(days=7)
        case "month":
            return (day + timedelta(days=31)).replace(day=1)
        case "quarter":
            return (day + timedelta(days=93)).replace(day=1)
        case "year":
            return day.replace(year=day.year + 1)
        case _:
            return day + timedelta(days=1)
