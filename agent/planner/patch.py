"""Changing one thing about the query before, and keeping the rest."""

from __future__ import annotations

from typing import Any

from finops_assistant.agent.planner import periods
from finops_assistant.agent.planner.chart import rule
from finops_assistant.agent.planner.filters import Conditions
from finops_assistant.agent.planner.finish import finish, measures
from finops_assistant.agent.planner.followup import Follow
from finops_assistant.agent.planner.reading import Reading
from finops_assistant.agent.planner.shape import Shape
from finops_assistant.agent.planner.when import When
from finops_assistant.store.query import Compare, Filter, MetricQuery, TimeSpec


def patched(
    base: MetricQuery,
    reading: Reading,
    shape: Shape,
    conditions: Conditions,
    at: When,
    follow: Follow,
) -> MetricQuery:
    """The query before with what the new question says put in its place."""
    compare = at.compare
    if compare is None and at.time is not None and shape.compare == "":
        compare = again(base, at.time)
    update: dict[str, Any] = {"time": at.time or base.time, "compare": compare}
    implied: list[Filter] = []
    if shape.metric_said:
        metrics, implied, basis = measures(shape, conditions)
        update.update(metrics=metrics, basis=basis)
    before = tuple(
        f for f in base.filters
        if not (f.op == "not_null" and f.dimension in base.dimensions and shape.dimensions)
    )  # fmt: skip
    filters = merged(before, [*conditions.filters, *implied], adds=follow.adds)
    if reading.chart.has(rule("follow.every")) and shape.dimensions:
        filters = tuple(f for f in filters if f.dimension not in shape.dimensions)
    update["filters"] = filters
    total = reading.chart.has(rule("follow.total"))
    dimensions = base.dimensions
    if shape.dimensions:
        dimensions = tuple(
            dict.fromkeys((*(base.dimensions if follow.adds else ()), *shape.dimensions))
        )
    elif total:
        dimensions = ()
    pinned = {
        f.dimension
        for f in conditions.filters
        if f.op == "in" and len(f.values) == 1 and f.dimension in base.dimensions
    }
    if pinned and not shape.dimensions and not shape.share and base.show != "share":
        dimensions = tuple(d for d in dimensions if d not in pinned)
    update["dimensions"] = dimensions
    if base.limit is not None and shape.limit is None and not shape.dimensions and dimensions:
        shape.limit = base.limit
    if shape.limit is not None and shape.descending is None:
        shape.descending = base.order[0].descending if base.order else True
    if base.limit is None and base.order and not base.order[0].descending:
        shape.ascending = shape.ascending or shape.descending is None
    if base.show == "share" and dimensions == base.dimensions and not total:
        shape.share = True
    if base.show == "pareto" and dimensions == base.dimensions and not total:
        shape.pareto = True
    which = reading.chart.starts(rule("follow.which"))
    if base.show == "count" and not shape.dimensions and not total and not which:
        shape.count = base.dimensions[0]
    update.update(limit=None, order=(), show="total", grain=None if total else base.grain)
    fresh = base.model_copy(update=update)
    made = finish(fresh, shape, conditions)
    if not conditions.thresholds and base.having and (made.dimensions or made.grain):
        made = made.model_copy(update={"having": base.having})
    return made


def again(base: MetricQuery, time: TimeSpec) -> Compare | None:
    """The comparison of the question before, for the period of this one."""
    before = base.compare
    if before is None or before.baseline is None:
        return None
    if (time.start, time.end) == (base.time.start, base.time.end):
        return before
    moved = {
        "previous": periods.previous, "year_ago": periods.year_ago,
    }.get(before.kind)  # fmt: skip
    if moved is None:
        return None
    period = moved(periods.Period(time.start, time.end))
    baseline = before.baseline.model_copy(update={"start": period.start, "end": period.end})
    return before.model_copy(update={"baseline": baseline})


def merged(
    before: tuple[Filter, ...], new: list[Filter], *, adds: bool = False
) -> tuple[Filter, ...]:
    """Filters of before and now: a new one takes the place of one on the same dimension, or joins
    its values when the question adds to them."""
    kept = list(before)
    for where in new:
        same = [f for f in kept if f.dimension == where.dimension]
        if adds and where.op == "in":
            joined = next((f for f in same if f.op == "in"), None)
            if joined is not None:
                values = (*joined.values, *(v for v in where.values if v not in joined.values))
                kept[kept.index(joined)] = joined.model_copy(update={"values": values})
                continue
        if where.op == "not_in":
            kept = [*_without(kept, where), where]
            continue
        kept = [f for f in kept if f.dimension != where.dimension]
        kept.append(where)
    return tuple(dict.fromkeys(kept))


def _without(before: list[Filter], gone: Filter) -> list[Filter]:
    """The conditions of before with the values that are now excluded taken out of them."""
    kept = []
    names = {v.canonical for v in gone.values}
    for where in before:
        if where.dimension == gone.dimension and where.op == "in":
            left = tuple(v for v in where.values if v.canonical not in names)
            if left:
                kept.append(where.model_copy(update={"values": left}))
        else:
            kept.append(where)
    return kept
