"""Answer a question from the cost store: one governed query, and its total where that helps."""

from __future__ import annotations

from finops_assistant.store.facts import usage_flag
from finops_assistant.store.query import MetricQuery
from finops_assistant.store.result import Result
from finops_assistant.tools.context import ToolContext
from finops_assistant.tools.tool import Tool

_WITH_TOTAL = {"table", "rank", "series"}


def query_costs(context: ToolContext, query: MetricQuery) -> tuple[Result, ...]:
    """Run the query. A list of several rows is followed by the figure for all of them together,
    and figures that stand for a part of the whole by what part that is.

    Returns one result to three; units are those of the metrics. Raises ``QueryRefused``.
    """
    rows = context.keep(_run(context, query))
    found = [rows]
    summed = query.show in _WITH_TOTAL and rows.row_count >= 2 and not query.having
    if summed and _over_same_rows(context, query):
        total = query.model_copy(
            update={"dimensions": (), "grain": None, "show": "total", "order": (), "limit": None}
        )
        found.append(context.keep(_run(context, total)))
    part = context.store.coverage(
        query, context.principal, as_of=context.as_of, result_id=context.next_id()
    )
    if part is not None and rows.rows:
        found.append(context.keep(part))
    return tuple(found)


def _over_same_rows(context: ToolContext, query: MetricQuery) -> bool:
    """Whether a total counts the rows that the list counts. Usage by feature or customer comes
    from the layer that knows them, which may have seen less than the layer of a total."""
    semantics = context.store.semantics
    filtered = [where.dimension for where in query.filters]
    metrics = [semantics.metrics[name] for name in query.metrics if name in semantics.metrics]
    return usage_flag([*query.dimensions, *filtered]) == usage_flag(filtered) or not any(
        "usage" in semantics.facts(metric) for metric in metrics
    )


def _run(context: ToolContext, query: MetricQuery) -> Result:
    return context.store.run(
        query, context.principal, as_of=context.as_of, result_id=context.next_id()
    )


QUERY_COSTS = Tool("query_costs", MetricQuery, query_costs)
