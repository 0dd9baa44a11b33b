"""Readings that could give a wrong figure: each is asked about instead of answered."""

from __future__ import annotations

import re
from itertools import pairwise

from finops_assistant.agent.plan import AbstainPlan, ClarifyPlan, Step
from finops_assistant.agent.planner.chart import rule
from finops_assistant.agent.planner.filters import Conditions
from finops_assistant.agent.planner.reading import Reading
from finops_assistant.agent.planner.shape import TOKENS, Shape
from finops_assistant.agent.planner.text import table
from finops_assistant.store.query import MetricQuery

_COUNTED = (*TOKENS, "requests", "gpu_hours")
_AMOUNTS = ("dollars", "money", "usd", "bucks")


def doubt(
    reading: Reading, shape: Shape, conditions: Conditions, base: MetricQuery | None
) -> Step | None:
    """The first reason not to answer, if there is one."""
    return (
        _of_shape(reading, shape, conditions, base)
        or _of_currency(reading, conditions)
        or _crossed(reading, conditions)
        or _unjoined(reading, conditions)
        or _contradiction(reading, conditions)
        or _cheapest(reading, shape)
    )


def ask(question: str, options: tuple[str, ...] = ()) -> ClarifyPlan:
    """A question back about what is meant."""
    return ClarifyPlan(reason="AMBIGUOUS_VALUE", question=question, options=options)


def _of_shape(
    reading: Reading, shape: Shape, conditions: Conditions, base: MetricQuery | None
) -> Step | None:
    chart = reading.chart
    if shape.doubt:
        return ask(shape.doubt)
    counted = shape.count or any(m in _COUNTED for m in shape.metrics) or conditions.thresholds
    amounts = any(i.symbol in _AMOUNTS for i in chart.items)
    if chart.has(".*how many.*") and not counted and not amounts and base is None:
        return ask("How many of what? I can count the values of a dimension, tokens or GPU hours.")
    if shape.grain and chart.has(".*how many (?:days|weeks|months|quarters).*"):
        return ask(
            f"I cannot count {shape.grain}s, but I can list them. Ask “which {shape.grain}s …” "
            "instead."
        )
    if shape.leader_of and len(shape.dimensions) > 1:
        title = reading.lexicon.titles[shape.leader_of].lower()
        return ask(
            f"One step at a time: ask first which {title} it is, then for its breakdown.",
            (f"which {title} spends most?",),
        )
    split = shape.dimensions or shape.grain or shape.share or shape.count or shape.compare
    if shape.limit is not None and not split and not (base and (base.dimensions or base.grain)):
        return ask("The top of what? Name what to rank, such as “top 5 services” or “top 5 teams”.")
    if chart.has(r".*(?:and|or|plus|vs|versus|,) data(?= (?:§m|[?.!,]|§t)|$).*"):
        return ask(
            "Which charges are “data”? Name a service, a project or a category, such as Analytics."
        )
    if shape.share and len(shape.metrics) > 1:
        return ask("The share of which figure do you mean?")
    parts = shape.dimensions or shape.part or shape.part_absent or conditions.filters
    before = base is not None and (base.dimensions or base.filters)
    bare = shape.share and not (shape.dimensions or shape.part or shape.part_absent)
    if bare and len({f.dimension for f in conditions.filters}) > 1:
        return ask(
            "The share of which one in which? Ask, for example, “what share of AWS is prod”."
        )
    if shape.share and not parts and not before:
        return ask(
            "The share of what? Name a value or a breakdown, such as “share of cost by team”."
        )
    return None


def _of_currency(reading: Reading, conditions: Conditions) -> Step | None:
    known = set(reading.view.facts.currencies)
    wanted = {t.mark for t in conditions.thresholds if len(t.mark) == 3 and t.mark.isupper()}
    listed = ", ".join(sorted(known))
    if known and wanted - known:
        said = ", ".join(sorted(wanted - known))
        what = f"apply a limit in {said}"
    elif conditions.currency and known and known != {conditions.currency}:
        what = f"give {conditions.currency} for all of it"
    else:
        return None
    return AbstainPlan(
        reason="NO_DATA_SOURCE",
        message=f"The amounts in the data are in {listed}, and amounts are not converted between "
        f"currencies, so I cannot {what}.",
    )


def _crossed(reading: Reading, conditions: Conditions) -> Step | None:
    """``team search and project atlas``: both at once, or one and the other?"""
    if "=" in reading.chart.text or ":" in reading.chart.text:
        return None
    for hit in reading.chart.find_any(rule("joined.across")):
        items = [i for i in hit.items if i.symbol == "§v" and i.payload is not None]
        dimensions = [i.payload.dimensions[0] for i in items]
        if len(set(dimensions)) < 2 or any(id(i) in conditions.negated for i in items):
            continue
        titles = [reading.lexicon.titles[d].lower() for d in dimensions]
        one, two = (f"{t} {i.payload.raw}" for t, i in zip(titles, items, strict=True))
        return ask(
            f"{one[:1].upper()}{one[1:]} and {two}: do you mean the charges that belong to both, "
            "or one of the two?",
            (f"cost of {one} in {two}", f"cost of {one}", f"cost of {two}"),
        )
    return None


def _unjoined(reading: Reading, conditions: Conditions) -> Step | None:
    """Two values of one dimension with other things between them ("Anthropic models via AWS")
    may not be added up."""
    items = reading.chart.items
    plain = frozenset(table("words")["between_values"])
    joining = frozenset(table("words")["joining"])
    places: dict[str, list[int]] = {}
    for item in conditions.positive:
        dimension = item.payload.dimensions[0]
        places.setdefault(dimension, []).append(reading.chart.position(item))
    for dimension, found in places.items():
        for first, last in pairwise(sorted(found)):
            between = {i.symbol for i in items[first + 1 : last]}
            if between & joining and between <= plain | joining | {"§d", "§m", "§t", "§v"}:
                continue
            names = [str(items[at].payload.raw) for at in (first, last)]
            if items[first].payload.candidates == items[last].payload.candidates:
                continue  # one name, said twice
            title = reading.lexicon.titles[dimension].lower()
            return ask(
                f"“{names[0]}” and “{names[1]}” are both a {title}. Do you mean one of them, or "
                "both together?",
                tuple(f"cost of {name}" for name in (*names, " and ".join(names))),
            )
    return None


def _contradiction(reading: Reading, conditions: Conditions) -> Step | None:
    for where in conditions.filters:
        for other in conditions.filters:
            same = other is not where and other.dimension == where.dimension
            if same and where.op == "in" and other.op in ("is_null", "in"):
                title = reading.lexicon.titles[where.dimension].lower()
                return ask(f"The conditions on {title} exclude each other. Which one is meant?")
    return None


def _cheapest(reading: Reading, shape: Shape) -> Step | None:
    """The cheapest model may be the one with the lowest price or the one least spent on."""
    if shape.descending is not False or shape.dimensions[:1] != ["model"]:
        return None
    priced = any(m.startswith("cost_per") for m in shape.metrics)
    if priced or all(i.symbol != "cheapest" for i in reading.chart.items):
        return None
    said = reading.chart.text.rstrip(" ?.")
    return ask(
        "Cheapest by the price per million tokens, or by what you spent on it?",
        (f"{said} per million tokens", re.sub("(?i)cheapest", "lowest cost", said)),
    )
