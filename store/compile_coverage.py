"""How much of the whole the figures of a query stand for, as shares between 0 and 1.

Usage by a feature or a customer counts only the sources that know it; a ratio of cost to usage only
what meets. Each share has a column of its own, named after the metric and what is the share of it:
``tokens_known`` (by those sources), ``tokens_billed`` (they meet a bill), ``effective_cost_used``
(it meets usage).
"""

from __future__ import annotations

from dataclasses import replace

from finops_assistant.store.compile_facts import ABOVE, BELOW, Meeting, half_of, over_both
from finops_assistant.store.compile_shape import Shape
from finops_assistant.store.compile_text import Select, statement
from finops_assistant.store.metrics import Metric


def coverage(shape: Shape) -> tuple[str, tuple[str, ...]]:
    """The statement that computes every share of a query, one row, and its columns; ('', ()) where
    nothing is left out by nature."""
    ratios = [metric for metric in shape.metrics if over_both(metric, shape)]
    if ratios:
        return _of_ratio(shape, ratios[0])
    if "usage" in shape.facts and shape.flag == "ChosenDetail":
        return _of_detail(shape)
    return "", ()


def _of_ratio(shape: Shape, metric: Metric) -> tuple[str, tuple[str, ...]]:
    """What meets, of all the cost and of all the usage that the ratio is about."""
    alone = replace(
        shape, query=shape.query.model_copy(update={"metrics": (metric.name,), "having": ()})
    )
    meeting = Meeting(alone, shape.keys, shape.query.time, suffix="")
    parts, joined = meeting.steps()
    costs, usage = meeting.side("focus"), meeting.side("usage")
    above, below = f"{costs}.{metric.name}{ABOVE}", f"{usage}.{metric.name}{BELOW}"
    both = f"{above} IS NOT NULL AND {below} IS NOT NULL"
    shares = [f"{metric.denominator}_billed"]
    figures = [_share(both, below, shares[0])]
    if not shape.split:
        numerator = shape.semantics.numerator(metric, shape.query.basis).name
        shares.append(f"{numerator}_used")
        figures.append(_share(both, above, shares[1]))
    return statement(parts, Select(figures, joined.source)), tuple(shares)


def _of_detail(shape: Shape) -> tuple[str, tuple[str, ...]]:
    """What logs of single calls know, of all usage under the same other conditions."""
    half = half_of(shape, "usage")
    filters = tuple(
        f for f in shape.query.filters if not shape.semantics.dimensions[f.dimension].detail
    )
    query = shape.query.model_copy(update={"filters": filters, "show": "total"})
    whole = replace(half, query=query, flag="Chosen")
    shares, figures = [], []
    for metric in whole.sums:
        shares.append(f"{_plain(metric)}_known")
        known, every = (
            f"CAST(sum(CASE WHEN {' AND '.join((flag, *metric.rows))} THEN {metric.value} END)"
            " AS DOUBLE)"
            for flag in ("ChosenDetail", "Chosen")
        )
        figures.append((f"{known} / nullif({every}, 0)", shares[-1]))
    where = [rule for rule in (*whole.within(query.time), *whole.narrowed) if rule != "Chosen"]
    return Select(figures, "usage", where).sql(), tuple(shares)


def _share(both: str, figure: str, column: str) -> tuple[str, str]:
    met = f"CAST(sum(CASE WHEN {both} THEN {figure} END) AS DOUBLE)"
    return f"{met} / nullif(CAST(sum({figure}) AS DOUBLE), 0)", column


def _plain(metric: Metric) -> str:
    """The name of a sum, also where it is half of a ratio."""
    return metric.name.removesuffix(BELOW)
