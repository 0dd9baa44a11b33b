"""From what was read to a plan: follow-up, time, ledger, doubts, and then the query."""

from __future__ import annotations

from finops_assistant.agent.plan import ClarifyPlan, Context, Plan, QueryPlan
from finops_assistant.agent.planner import followup, ledger, notes, scope, when
from finops_assistant.agent.planner.chart import Item, rule
from finops_assistant.agent.planner.doubts import doubt
from finops_assistant.agent.planner.filters import Conditions
from finops_assistant.agent.planner.finish import finish, measures, with_values
from finops_assistant.agent.planner.followup import Follow
from finops_assistant.agent.planner.patch import patched
from finops_assistant.agent.planner.reading import Reading
from finops_assistant.agent.planner.settle import runs
from finops_assistant.agent.planner.shape import Shape
from finops_assistant.agent.planner.text import table
from finops_assistant.store.query import Filter, FilterValue, MetricQuery

SPENDING = frozenset(table("english")["spend_verbs"])


def build(reading: Reading, follow: Follow, conditions: Conditions, shape: Shape) -> Plan:
    """Decide the follow-up, the time and the ledger; then make the query."""
    chart, view = reading.chart, reading.view
    followup.decide(
        chart,
        follow,
        metric=shape.metric_said,
        dimension=bool(shape.dimensions or shape.limit),
        period=bool(chart.of("§t")),
    )
    if follow.step is not None:
        return reading.done(follow.step)
    base = follow.base
    if base is not None and follow.points and base.limit == 1 and base.dimensions:
        pinned = _pinned(base, reading)
        if pinned is None:
            return reading.done(followup.nothing_before(), base)
        base = pinned
    if base is not None and _compares_nothing(reading, conditions, shape):
        question = "Compare with what? Name a period or a second value."
        step = ClarifyPlan(
            reason="NO_REFERENT", question=question, options=("Compare with the previous month",)
        )
        return reading.done(step, base)
    _opposites(conditions, shape)
    _compare_values(reading, conditions, shape)
    at = when.decide(chart, shape, view, base.time if base is not None else None)
    if shape.billing_steps and at.time is not None and shape.grain is None:
        shape.grain = "month" if (at.time.end - at.time.start).days > 31 else None
    left = ledger.unexplained(chart, reading.lexicon, reading.index)
    if left:
        about_cost = (
            shape.metric_said or chart.of("§v") or chart.of("§d") or _spends(reading)
            or (chart.of("§t") and (shape.compare or shape.grain or shape.trend))
        )  # fmt: skip
        back = ledger.question_back(left, chart, reading.index, view)
        off = None if about_cost or base is not None else scope.off_topic()
        sourceless = scope.sourceless(chart, view)
        return reading.done(scope.foreign(chart) or sourceless or off or back, base)
    if at.no is not None:
        return reading.done(at.no, base)
    if base is None and not _has_subject(reading, shape, conditions):
        return reading.done(scope.off_topic())
    no = doubt(reading, shape, conditions, base)
    if no is not None:
        return reading.done(no, base)
    return _answer(reading, follow, conditions, shape, at, base)


def _answer(
    reading: Reading,
    follow: Follow,
    conditions: Conditions,
    shape: Shape,
    at: when.When,
    base: MetricQuery | None,
) -> Plan:
    if base is not None:
        query = patched(base, reading, shape, conditions, at, follow)
    else:
        metrics, implied, basis = measures(shape, conditions)
        fresh = MetricQuery(
            metrics=metrics,
            dimensions=tuple(shape.dimensions),
            time=at.settled,
            filters=(*conditions.filters, *implied),
            basis=basis,
            compare=at.compare,
        )
        query = finish(fresh, shape, conditions)
    query, left_out = with_values(query, reading.view)
    said = [*reading.notes, *notes.of_links(reading), *conditions.notes, *shape.notes, *at.notes]
    said += left_out
    if base is not None:
        said += notes.of_carried(base, query, reading)
    return Plan(
        step=QueryPlan(query=query),
        context=Context(op=follow.op),
        disclosures=tuple(dict.fromkeys(said)),
        spans=reading.chart.spans(),
        confidence=_confidence(query, len(said), shape),
    )


def _spends(reading: Reading) -> bool:
    return any(i.symbol in SPENDING for i in reading.chart.items)


def _has_subject(reading: Reading, shape: Shape, conditions: Conditions) -> bool:
    chart = reading.chart
    if shape.metric_said or conditions.filters or shape.dimensions or shape.count:
        return True
    landed = chart.of("§t") and chart.has(rule("subject.landed"))
    if landed or (conditions.thresholds and (shape.grain or chart.of("§t"))):
        return True
    if _spends(reading) or (shape.compare and chart.of("§t")):
        return True
    if chart.of("§t") and (
        shape.grain or shape.trend or chart.of("§d") or chart.has(rule("subject.all"))
    ):
        return True
    words = [i for i in chart.items if i.kind != "punctuation"]
    return bool(chart.of("§t")) and len(words) <= 3


def _pinned(base: MetricQuery, reading: Reading) -> MetricQuery | None:
    """The query before, for the one value that led it: what "they" means after "who"."""
    link = followup.winner(reading.view, base)
    if link is None:
        return None
    values = tuple(
        FilterValue(raw=c.canonical, canonical=c.canonical, method="context")
        for c in link.candidates
    )
    where = Filter(dimension=link.dimensions[0], op="in", values=values)
    kept = tuple(f for f in base.filters if f.dimension != where.dimension)
    update = {"filters": (*kept, where), "dimensions": (), "limit": None, "order": ()}
    return base.model_copy(update={**update, "show": "total"})


def _compares_nothing(reading: Reading, conditions: Conditions, shape: Shape) -> bool:
    if shape.compare != "asked" or reading.chart.of("§t") or len(shape.metrics) > 1:
        return False
    return not any(f.op == "in" and len(f.values) > 1 for f in conditions.filters)


def _compare_values(reading: Reading, conditions: Conditions, shape: Shape) -> None:
    """Turn "AWS or Azure", "prod vs staging" into a comparison of values."""
    chart = reading.chart
    listed = [r for r in runs(chart) if all(id(i) not in conditions.negated for i in r)]
    versus = chart.has(rule("compare.values"))
    periods = len(chart.of("§t"))
    if shape.compare == "asked" and len(shape.metrics) > 1 and periods < 2:
        shape.compare = ""  # two measures side by side, not two periods
    if shape.compare != "asked" and not versus:
        _each_value(reading, conditions, shape, listed)
        return
    grouped = [f for f in conditions.filters if f.op == "in" and len(f.values) > 1]
    if periods > 1 and grouped:
        for hit in chart.find_any(rule("compare.crossed")):
            one, two = (i.payload for i in hit.items if i.symbol == "§v")
            if one.candidates != two.candidates:
                shape.doubt = (
                    "That compares two names in two periods at once. Ask for one pair at a \
time, such as the same name in both periods."
                )
        if listed and not shape.doubt and not shape.dimensions and not shape.grain:
            shape.dimensions += [f.dimension for f in grouped]
    if grouped and (versus or periods == 0 or (periods == 1 and listed)):
        shape.compare = "values"


def _each_value(
    reading: Reading, conditions: Conditions, shape: Shape, listed: list[list[Item]]
) -> None:
    """ "AWS and Azure last month": a line for each, unless one sum is asked for."""
    broken = shape.dimensions or shape.count or shape.share or shape.grain or shape.trend
    if broken or shape.compare or not listed or reading.chart.has(rule("values.sum")):
        return
    several = [f for f in conditions.filters if f.op == "in" and len({v.raw for v in f.values}) > 1]
    if len(several) == 1 and shape.limit is None and not conditions.thresholds:
        shape.dimensions.append(several[0].dimension)


def _opposites(conditions: Conditions, shape: Shape) -> None:
    """``prod vs non-prod``: a value held against all the others is a breakdown."""
    for where in [f for f in conditions.filters if f.op == "in"]:
        named = {v.canonical for v in where.values}
        for other in [f for f in conditions.filters if f.op == "not_in"]:
            same = other.dimension == where.dimension
            if not same or not named & {v.canonical for v in other.values}:
                continue
            conditions.filters.remove(where)
            conditions.filters.remove(other)
            if where.dimension not in shape.dimensions:
                shape.dimensions.append(where.dimension)
            shape.compare = "" if shape.compare in ("asked", "values") else shape.compare
            shape.notes.append("The value and all others are shown side by side.")


def _confidence(query: MetricQuery, assumptions: int, shape: Shape) -> float:
    """The product of the link scores, times 0.97 for each assumption that the answer states and
    0.95 if the question names no measure. 1.0 is a question that left nothing open."""
    score = 0.97**assumptions * (1.0 if shape.metric_said else 0.95)
    for where in query.filters:
        for value in where.values:
            score *= value.score
    return round(score, 3)
