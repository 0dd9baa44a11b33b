"""Say what is in the store: which sources, which values, which metrics, how fresh."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from finops_assistant.store.metrics import BASIS_METRICS
from finops_assistant.store.query import DimensionName, MetricQuery, Order, Strict, TimeSpec
from finops_assistant.store.result import MAX_ROWS, Cell, Column, Result, Scope
from finops_assistant.tools.context import ToolContext
from finops_assistant.tools.tool import Tool


class DescribeArguments(Strict):
    """What to describe; ``dimension`` goes with ``values``."""

    topic: Literal["store", "values", "metrics", "freshness"] = "store"
    dimension: DimensionName | None = None


def describe_data(context: ToolContext, arguments: DescribeArguments) -> tuple[Result, ...]:
    """Describe what the principal may see. Raises ``QueryRefused`` like any other read."""
    if arguments.topic == "values" and arguments.dimension:
        return _values(context, arguments.dimension)
    if arguments.topic == "metrics":
        return (context.keep(_metrics(context)),)
    return (context.keep(_providers(context)),)


def _values(context: ToolContext, dimension: str) -> tuple[Result, ...]:
    """The values of a dimension with their cost, dearest first, and how many there are. The cost
    is the first that may be seen; without one the values stand alone."""
    days = _all_days(context)
    cost = next((name for name in BASIS_METRICS.values() if _may_see(context, name)), None)
    if cost is None:
        values = context.store.catalogue(context.principal).values(dimension)
        title = context.store.semantics.dimensions[dimension].plural
        listed = _listing(
            context,
            title[0].upper() + title[1:],
            (Column(dimension, "text"),),
            [(value,) for value in values],
        )
    else:
        listed = _run(
            context,
            MetricQuery(
                metrics=(cost,),
                dimensions=(dimension,),
                time=days,
                order=(Order(by=cost),),
                show="table",
            ),
        )
    context.keep(listed)
    count = MetricQuery(dimensions=(dimension,), time=days, show="count")
    return (listed, context.keep(_run(context, count)))


def _run(context: ToolContext, query: MetricQuery) -> Result:
    return context.store.run(
        query, context.principal, as_of=context.as_of, result_id=context.next_id()
    )


def _may_see(context: ToolContext, metric: str) -> bool:
    return context.principal.may_read(context.store.semantics.columns(metric, "effective"))


def _metrics(context: ToolContext) -> Result:
    rows: list[tuple[Cell, ...]] = [
        (metric.name, metric.unit, metric.description)
        for metric in context.store.semantics.metrics.values()
        if _may_see(context, metric.name)
    ]
    columns = (Column("metric", "text"), Column("unit", "text"), Column("meaning", "text"))
    return _listing(context, "Metrics", columns, rows)


def _providers(context: ToolContext) -> Result:
    facts = context.store.facts(context.principal)
    days = (Column("data_from", "date"), Column("data_to", "date"))
    if not facts.providers:  # hidden: there are rows, and each has one
        return _listing(context, "The days loaded", days, [(facts.first_day, facts.last_day)])
    rows: list[tuple[Cell, ...]] = [
        (provider, facts.began[provider], last)
        for provider, last in sorted(facts.providers.items())
    ]
    return _listing(
        context, "Providers and the days loaded", (Column("provider", "text"), *days), rows
    )


def _listing(
    context: ToolContext,
    title: str,
    columns: tuple[Column, ...],
    rows: list[tuple[Cell, ...]],
) -> Result:
    days = _all_days(context)
    facts = context.store.facts(context.principal)
    return Result(
        id=context.next_id(),
        title=title,
        columns=columns,
        rows=tuple(rows[:MAX_ROWS]),
        row_count=len(rows),
        truncated=len(rows) > MAX_ROWS,
        query=None,
        sql="",
        scope=Scope(days.start, days.end, data_through=facts.data_through),
    )


def _all_days(context: ToolContext) -> TimeSpec:
    facts = context.store.facts(context.principal)
    return TimeSpec(
        start=facts.first_day, end=facts.last_day + timedelta(days=1), expr="all", source="default"
    )


DESCRIBE_DATA = Tool("describe_data", DescribeArguments, describe_data)
