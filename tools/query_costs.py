"""Answer a question from the cost store: one governed query, and its total where that helps."""

from __future__ import annotations

from finops_assistant.store.query import MetricQuery
from finops_assistant.store.result import Result
from finops_assistant.tools.context import ToolContext
from finops_assistant.tools.tool import Tool

_WITH_TOTAL = {"table", "rank", "series"}


def query_costs(context: ToolContext, query: MetricQuery) -> tuple[Result, ...]:
    """Run the query. A list of several rows is followed by the figure for all of them together.

    Returns one result, or two; units are those of the metrics. Raises ``QueryRefused``.
    """
    rows = context.keep(_run(context, query))
    if query.show not in _WITH_TOTAL or rows.row_count < 2 or query.having:
        return (rows,)
    total = query.model_copy(
        update={"dimensions": (), "grain": None, "show": "total", "order": (), "limit": None}
    )
    return (rows, context.keep(_run(context, total)))


def _run(context: ToolContext, query: MetricQuery) -> Result:
    return context.store.run(
        query, context.principal, as_of=context.as_of, result_id=context.next_id()
    )


QUERY_COSTS = Tool("query_costs", MetricQuery, query_costs)
