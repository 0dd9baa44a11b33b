"""One question while it is being read: the chart and everything the rules look things up in."""

from __future__ import annotations

from dataclasses import dataclass, field

from finops_assistant.agent.plan import (
    AbstainPlan,
    Context,
    DescribePlan,
    Plan,
    QueryPlan,
    RefusePlan,
    Step,
)
from finops_assistant.agent.planner import ledger
from finops_assistant.agent.planner.chart import Chart
from finops_assistant.agent.planner.lexicon import Lexicon
from finops_assistant.agent.planner.names import NameIndex
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.store.query import MetricQuery

SURE, DECLINED, ASKED = 1.0, 0.9, 0.5


def followed(view: PlannerView) -> MetricQuery | None:
    """The query that a follow-up would change."""
    if view.previous is None:
        return None
    step = view.previous.step
    return step.query if isinstance(step, QueryPlan) else view.previous.context.base


@dataclass
class Reading:
    """The state that the rules share."""

    chart: Chart
    view: PlannerView
    index: NameIndex
    lexicon: Lexicon
    notes: list[str] = field(default_factory=list)

    def done(self, step: Step, base: MetricQuery | None = None) -> Plan:
        """A plan without a query. ``base`` keeps the conversation's query across a question
        back."""
        if (
            base is None
            and isinstance(step, AbstainPlan | DescribePlan)
            and not self.chart.of("§v")
        ):
            before = self.view.previous
            if before is not None:  # an aside does not end the conversation
                known = before.step
                base = known.query if isinstance(known, QueryPlan) else before.context.base
        left = ledger.unexplained(self.chart, self.lexicon)
        settled = isinstance(step, DescribePlan | AbstainPlan | RefusePlan)
        return Plan(
            step=step,
            spans=self.chart.spans(),
            unconsumed=tuple(self.chart.text[u.item.start : u.item.end] for u in left),
            context=Context(base=base),
            confidence=DECLINED if settled else ASKED,
        )
