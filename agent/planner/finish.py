"""The last step to a query: show, grain, order, limit and thresholds from the outline."""

from __future__ import annotations

from typing import Any

from finops_assistant.agent.planner.filters import Bound, Conditions, Threshold
from finops_assistant.agent.planner.shape import GENERIC, Shape
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.store.query import (
    Basis,
    Compare,
    Filter,
    FilterValue,
    Grain,
    Having,
    MetricQuery,
    Order,
)

BASES: dict[str, Basis] = {
    "billed_cost": "billed", "list_cost": "list", "contracted_cost": "contracted",
}  # fmt: skip
_TURNED: dict[Bound, Bound] = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}


def measures(shape: Shape, conditions: Conditions) -> tuple[tuple[str, ...], list[Filter], Basis]:
    """The metrics, the filters they imply, and the cost basis."""
    names = [m for m in shape.metrics if not m.startswith("?")]
    implied: list[Filter] = []
    for name, value in (("?input_tokens", "Input"), ("?output_tokens", "Output")):
        if name in shape.metrics:
            value_of = FilterValue(
                raw=name[1:].replace("_", " "), canonical=value, method="context"
            )
            implied.append(Filter(dimension="token_direction", op="in", values=(value_of,)))
    if "?tokens" in shape.metrics and not implied:
        if not any(f.dimension == "token_direction" for f in conditions.filters):
            implied.append(Filter(dimension="token_direction", op="not_null"))
        shape.notes.append("“Tokens” is taken as the charges that are counted in tokens.")
    names = names or [GENERIC]
    if len(names) > 1 and names[0] in BASES and names[1].startswith("cost_per_"):
        return tuple(names[1:]), implied, BASES[names[0]]
    basis = BASES.get(names[0], "effective") if len(names) == 1 else "effective"
    return tuple(names), implied, basis


def finish(query: MetricQuery, shape: Shape, conditions: Conditions) -> MetricQuery:
    """Give a query its show and everything that follows from it."""
    lead = query.metrics[0]
    compared = query.compare is not None and shape.compare != "values"
    grain = _grain(query, shape)
    dimensions = _dimensions(query, shape, conditions, grain)
    having = _having(conditions, shape, lead, compared)
    if any(h.metric == "share" for h in having) and dimensions:
        shape.share = True
    update: dict[str, Any] = {"dimensions": dimensions, "grain": grain}
    if having and (dimensions or grain or shape.count):
        update["having"] = having
    falling = False if shape.ascending else shape.descending
    if shape.count:
        update.update(show="count", dimensions=(shape.count,), grain=None, compare=None)
    elif shape.compare == "values" and _alone(query) and not dimensions and not grain:
        update.update(show="table", compare=Compare(kind="values"), order=(Order(by=lead),))
    elif shape.pareto and dimensions:
        update.update(show="pareto", order=(Order(by=lead),))
    elif shape.share and dimensions:
        update.update(show="share", order=(Order(by=lead),), limit=shape.limit)
    elif grain:
        update["show"] = "series"
        if shape.rank_grain:
            update.update(
                order=(Order(by=lead, descending=falling is not False),), limit=shape.limit
            )
    elif dimensions:
        update.update(_listing(query, shape, lead, falling))
    else:
        update["show"] = "total"
    return query.model_copy(update=update)


def _listing(query: MetricQuery, shape: Shape, lead: str, falling: bool | None) -> dict[str, Any]:
    by = lead
    if query.compare is not None and shape.growth:
        by, falling = "change_ratio" if shape.relative else "change", not shape.growth_down
    ranked = shape.limit is not None or (shape.descending is not None and not shape.ascending)
    return {
        "show": "rank" if ranked and query.compare is None else "table",
        "order": (Order(by=by, descending=falling is not False),),
        "limit": shape.limit if ranked else None,
    }


def _grain(query: MetricQuery, shape: Shape) -> Grain | None:
    grain = shape.grain or query.grain
    if shape.trend and grain is None:
        days = (query.time.end - query.time.start).days
        grain = "month" if days > 62 else "week" if days > 35 else "day"
    return grain


def _dimensions(
    query: MetricQuery, shape: Shape, conditions: Conditions, grain: Grain | None
) -> tuple[str, ...]:
    dimensions = query.dimensions
    if shape.share and not dimensions:
        dimensions = _parts(shape, conditions)
    listed: list[str] = []
    if grain and not shape.share:  # several named values over time are lines of their own
        listed += [f.dimension for f in query.filters if f.op == "in" and _several(f)]
    if shape.compare == "values" and (grain or dimensions or not _alone(query)):
        listed += [f.dimension for f in query.filters if f.op == "in" and len(f.values) > 1]
    return tuple(dict.fromkeys((*listed, *dimensions)))


def _parts(shape: Shape, conditions: Conditions) -> tuple[str, ...]:
    """The dimensions of what the share is a share for."""
    parts = {d for i in shape.part for d in i.payload.dimensions}
    if shape.part_absent:
        parts = {f.dimension for f in conditions.filters if f.op in ("is_null", "not_null")}
    found = [
        f.dimension
        for f in conditions.filters
        if f.dimension in parts or (not parts and f.op in ("in", "is_null", "not_null"))
    ]
    return tuple(dict.fromkeys(found))


def _alone(query: MetricQuery) -> bool:
    return sum(f.op == "in" for f in query.filters) == 1


def _several(where: Filter) -> bool:
    """Whether a person named several values, rather than one word that stands for several."""
    return len({v.raw for v in where.values}) > 1


def _having(conditions: Conditions, shape: Shape, lead: str, compared: bool) -> tuple[Having, ...]:
    found = []
    for bound in conditions.thresholds:
        if compared and shape.growth_down:  # "dropped by more than 500" is below minus 500
            bound = Threshold(_TURNED[bound.op], -bound.value, bound.mark)
        named = bound.mark if bound.mark and bound.mark.islower() else lead
        value = bound.value
        if bound.mark == "%":
            named, value = (f"{lead}_change_ratio" if compared else "share"), value / 100
        elif compared and named == lead:
            named = f"{lead}_change"
        found.append(Having(metric=named, op=bound.op, value=value))
    return tuple(found)


def with_values(query: MetricQuery, view: PlannerView) -> tuple[MetricQuery, list[str]]:
    """Breakdowns over the rows that have a value, where that is what is meant: by a dimension that
    most charges lack by nature, and for the one leader of a ranking."""
    notes: list[str] = []
    added: list[Filter] = []
    money = any(m.endswith("_cost") or m == "savings" for m in query.metrics)
    leader = query.limit == 1 and query.show == "rank"
    for name in query.dimensions:
        dimension = view.semantics.dimensions[name]
        lacking = dimension.sparse and (leader or (money and query.show != "count"))
        if not lacking and not (dimension.tag and leader):
            continue
        if all(f.dimension != name for f in query.filters):
            added.append(Filter(dimension=name, op="not_null"))
            notes.append(f"Charges without a {dimension.title.lower()} are left out.")
    return query.model_copy(update={"filters": (*query.filters, *added)}), notes
