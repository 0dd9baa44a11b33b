"""Periods and values that must appear whether or not there are rows for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from finops_assistant.store.compile_shape import MAX_PERIODS, Shape, period_starts
from finops_assistant.store.compile_text import rows
from finops_assistant.store.conditions import text


@dataclass(frozen=True)
class Spine:
    """The rows to complete: ``periods`` are (period, period of the baseline or NULL) literals,
    ``values`` are the literals of the one dimension whose values are compared."""

    periods: tuple[tuple[str, ...], ...] = ()
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, shape: Shape) -> Spine:
        """What a query completes.

        A series, and a total or table by period alone, shows every period inside the loaded days.
        Two periods in steps of a grain are laid beside each other step by step. By more than
        ``MAX_PERIODS`` nothing is completed: the result would be cut short anyway.
        """
        query = shape.query
        if query.show not in ("total", "table", "series"):
            return cls()
        if query.compare and query.compare.kind == "values":
            asked = [f for f in query.filters if f.op == "in" and f.dimension in query.dimensions]
            if len(query.dimensions) == len(asked) == 1 and not query.grain:
                return cls(values=tuple(text(value.canonical) for value in asked[0].values))
            return cls()
        if not query.grain:
            return cls()
        if shape.baseline:
            return cls(periods=_pairs(shape))
        if query.time.axis == "billing" or not shape.loaded:
            return cls()
        if query.dimensions and query.show != "series":
            return cls()
        start, end = _inside(shape, query.time.start, query.time.end)
        found = period_starts(query.grain, start, end)
        return cls(periods=tuple((p,) for p in found) if len(found) <= MAX_PERIODS else ())

    @property
    def name(self) -> str:
        """The name of its step."""
        return "periods" if self.periods else "asked"

    def sql(self, shape: Shape) -> str:
        """The literal rows, with the names of the keys they stand for."""
        if self.periods:
            columns = ("period", "period_previous")[: len(self.periods[0])]
            return rows(columns, self.periods)
        return rows(shape.query.dimensions, [(value,) for value in self.values])

    def keys(self, shape: Shape) -> tuple[str, ...]:
        """The keys it gives."""
        if self.periods:
            return ("period",)
        return shape.query.dimensions if self.values else ()


def _inside(shape: Shape, start: date, end: date) -> tuple[date, date]:
    first, last = shape.loaded or (start, end)
    return max(start, first), min(end, last, shape.as_of)


def _pairs(shape: Shape) -> tuple[tuple[str, ...], ...]:
    """Each step of the period with the step of the baseline that has the same place; one that lies
    outside the loaded days has no counterpart rather than a 0."""
    query, baseline = shape.query, shape.baseline
    assert query.grain  # noqa: S101 - narrowed for mypy
    assert baseline  # noqa: S101 - narrowed for mypy
    steps = period_starts(query.grain, query.time.start, min(query.time.end, shape.as_of))
    before = period_starts(query.grain, baseline.start, min(baseline.end, shape.as_of))
    shown = set(period_starts(query.grain, *_inside(shape, query.time.start, query.time.end)))
    known = set(period_starts(query.grain, *_inside(shape, baseline.start, baseline.end)))
    return tuple(
        (step, before[n] if n < len(before) and before[n] in known else "CAST(NULL AS DATE)")
        for n, step in enumerate(steps[:MAX_PERIODS])
        if step in shown
    )
