"""Two or three next questions that the planner understands as patches on this one."""

from __future__ import annotations

from finops_assistant.agent.plan import DescribePlan, Plan, QueryPlan
from finops_assistant.store.query import MetricQuery

_BREAKDOWNS = ("team", "service", "provider", "model")
_MOST = 3


def follow_ups(plan: Plan) -> list[str]:
    """What people ask next, in words that work when clicked."""
    step = plan.step
    if isinstance(step, QueryPlan):
        return _after_query(step.query)[:_MOST]
    if isinstance(step, DescribePlan):
        return ["What did we spend last month?", "Which team spends most?"]
    return []


def _after_query(query: MetricQuery) -> list[str]:
    filtered = {f.dimension for f in query.filters}
    fresh = [d for d in _BREAKDOWNS if d not in query.dimensions and d not in filtered]
    asks = [f"Break it down by {fresh[0]}"] if fresh else []
    if query.compare is None and query.grain is None:
        asks.append("Compare with the previous period")
    if query.grain is None:
        asks.append("Show it by month")
    elif query.grain != "day":
        asks.append("Show it by day")
    return asks
