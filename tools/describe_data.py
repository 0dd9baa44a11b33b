"""Say what is in the store: which sources, which values, which metrics, how fresh."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from finops_assistant.store.query import MetricQuery, Order, Strict, TimeSpec
from finops_assistant.store.result import Cell, Column, Result, Scope
from finops_assistant.tools.context import ToolContext
from finops_assistant.tools.tool import Tool


class DescribeArguments(Strict):
    """What to describe; ``dimension`` goes with ``values``."""

    topic: Literal["store", "values", "metrics", "freshness"] = "store"
    dimension: str | None = None


def describe_data(context: ToolContext, arguments: DescribeArguments) -> tuple[Result, ...]:
    """Describe what the principal may see. Raises ``QueryRefused`` like any other read."""
    if arguments.topic == "values" and arguments.dimension:
        return _values(context, arguments.dimension)
    if arguments.topic == "metrics":
        return (context.keep(_metrics(context)),)
    return (context.keep(_providers(context)),)


def _values(context: ToolContext, dimension: str) -> tuple[Result, ...]:
    """The values of a dimension with their cost, dearest first, and how many there are."""
    everything = _all_days(context)
    query = MetricQuery(
        dimensions=(dimension,), time=everything, order=(Order(by="effective_cost"),), show="table"
    )
    count = MetricQuery(dimensions=(dimension,), time=everything, show="count")
    return tuple(
        context.keep(
            context.store.run(
                q, context.principal, as_of=context.as_of, result_id=context.next_id()
            )
        )
        for q in (query, count)
    )


def _metrics(context: ToolContext) -> Result:
    semantics = context.store.semantics
    hidden = context.principal.hide
    rows: list[tuple[Cell, ...]] = [
        (metric.name, metric.unit, metric.description)
        for metric in semantics.metrics.values()
        if not hidden & semantics.columns(metric.name, "effective")
    ]
    columns = (Column("metric", "text"), Column("unit", "text"), Column("meaning", "text"))
    return _listing(context, "Metrics", columns, rows)


def _providers(context: ToolContext) -> Result:
    facts = context.store.facts(context.principal)
    rows: list[tuple[Cell, ...]] = [
        (provider, facts.first_day, last) for provider, last in sorted(facts.providers.items())
    ]
    columns = (
        Column("provider", "text"),
        Column("data_from", "date"),
        Column("data_to", "date"),
    )
    return _listing(context, "Providers and the days loaded", columns, rows)


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
        rows=tuple(rows),
        row_count=len(rows),
        truncated=False,
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
