"""Two readings of one question: when the planner's stands by itself, and whether they agree."""

from __future__ import annotations

import re

from finops_assistant.agent.plan import (
    AbstainPlan,
    ClarifyPlan,
    DescribePlan,
    Plan,
    QueryPlan,
    RefusePlan,
)
from finops_assistant.agent.planner.periods import Period, previous, year_ago
from finops_assistant.agent.planner.scope import unreadable
from finops_assistant.agent.planner.text import clean, fold
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.store.query import MetricQuery, Order, TimeSpec

SURE = 0.9  # at most one assumption that the question does not spell out
MODEL_ALONE = 0.6  # a reading that only the model has
# Kinds of no that no other reading of the words changes.
_SETTLED = frozenset({"OUT_OF_RANGE", "NO_DATA_SOURCE", "NOT_PERMITTED", "NO_REFERENT"})


def settled(question: str, draft: Plan) -> bool:
    """Whether the draft is a no that holds whoever reads the question: a refusal, data that is not
    there, something this version cannot do, a real ambiguity with its options, no words at all."""
    step = draft.step
    if unreadable(clean(question)) is not None:
        return True
    if isinstance(step, RefusePlan):
        return True
    if not isinstance(step, ClarifyPlan | AbstainPlan):
        return False
    if isinstance(step, ClarifyPlan) and len(step.options) > 1 and step.reason != "UNKNOWN_VALUE":
        return True
    return step.reason in _SETTLED or (isinstance(step, AbstainPlan) and _to_come(step.message))


def _to_come(message: str) -> bool:
    return re.match(r"I can't .+ yet: ", message) is not None


def sure(draft: Plan) -> bool:
    """Whether the planner stands by its query: few assumptions, and nothing left over."""
    if isinstance(draft.step, QueryPlan | DescribePlan):
        return draft.confidence >= SURE and not draft.unconsumed
    return False


def earlier(draft: Plan, view: PlannerView) -> MetricQuery | None:
    """The query of the question before, unless the planner is sure that this one begins anew."""
    if view.previous is None or not isinstance(view.previous.step, QueryPlan):
        return None
    if sure(draft) and draft.context.op == "new":
        return None
    return view.previous.step.query


def left_over(draft: Plan) -> tuple[str, ...]:
    """What an answer says about a reading that the planner does not share."""
    if isinstance(draft.step, QueryPlan | DescribePlan):
        return ("This is the language model's reading; the built-in planner read it differently.",)
    missed = ", ".join(f"“{word}”" for word in draft.unconsumed[:4])
    why = f"; the built-in planner did not understand {missed}" if missed else ""
    return (f"This is the language model's reading of the question{why}.",)


def agrees(query: MetricQuery, draft: Plan) -> bool:
    """Whether both readings ask for the same figures."""
    return isinstance(draft.step, QueryPlan) and (_essence(query) == _essence(draft.step.query))


def completed(query: MetricQuery, view: PlannerView) -> MetricQuery:
    """The query with what follows from the rest of it: each name once, how it is shown, where a
    period that is not over ends, and the days that a comparison is with."""
    update: dict[str, object] = {
        "metrics": tuple(dict.fromkeys(query.metrics)),
        "dimensions": tuple(dict.fromkeys(query.dimensions)),
    }
    time = query.time
    if time.start < view.as_of < time.end:
        time = update["time"] = time.model_copy(update={"end": view.as_of, "partial": True})
    if query.show == "total" and (query.grain or query.dimensions):
        update["show"] = "series" if query.grain else "table"
    if query.show == "series" and not query.grain:
        update["show"] = "table" if query.dimensions else "total"
    if query.show in ("table", "rank") and not query.dimensions:
        update["show"] = "series" if query.grain else "total"
    if query.show in ("table", "rank", "share", "pareto") and query.dimensions and not query.order:
        update["order"] = (Order(by=query.metrics[0]),) if query.metrics else ()
    compare = query.compare
    if compare is not None and compare.baseline is None and compare.kind != "values":
        now = Period(time.start, time.end)
        before = year_ago(now) if compare.kind == "year_ago" else previous(now)
        days = TimeSpec(start=before.start, end=before.end, axis=time.axis, source="default")
        update["compare"] = compare.model_copy(update={"baseline": days})
    return query.model_copy(update=update)


def contradictions(query: MetricQuery, draft: MetricQuery) -> list[str]:
    """Where the query departs from a draft that binds, part by part."""
    said, used = _essence(draft), _essence(query)
    return [
        f"By the words of the question, {part} is {_words(said[part])}."
        for part in said
        if said[part] != used[part]
    ]


def _essence(query: MetricQuery) -> dict[str, object]:
    """What decides the figures, part by part; how rows are ordered matters where some are cut."""
    compare = query.compare
    first = query.order[0].descending if query.order else True
    return {
        "metrics": query.metrics,
        "dimensions": frozenset(query.dimensions),
        "time": _days(query.time),
        "grain": query.grain,
        "filters": frozenset(
            (f.dimension, f.op, frozenset(fold(v.canonical) for v in f.values))
            for f in query.filters
        ),
        "having": frozenset((h.op, h.value) for h in query.having),
        "limit": (query.limit, first) if query.limit else None,
        "compare": (compare.kind if compare.baseline is None else _days(compare.baseline))
        if compare
        else None,
        "show": "table" if query.show == "rank" else query.show,
        "basis": query.basis if "effective_cost" in query.metrics else None,
    }


def _days(time: TimeSpec) -> str:
    axis = " by billing period" if time.axis == "billing" else ""
    return f"{time.start} to {time.end}{axis}"


def _words(part: object) -> str:
    if part is None or part == frozenset() or part == ():
        return "left out"
    if isinstance(part, tuple | frozenset):
        return " ".join(sorted(map(_words, part)))
    return str(part)
