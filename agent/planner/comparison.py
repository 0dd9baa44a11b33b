"""Comparisons: with the period before, a year ago, other dates, or another value."""

from __future__ import annotations

from finops_assistant.agent.planner.chart import Chart, rule
from finops_assistant.agent.planner.shape import Shape
from finops_assistant.agent.planner.text import table

_CHANGE = frozenset(table("words")["change_words"])
_WEAK = frozenset(("go", "gone", "difference", "down", "up", "went"))  # only with "up" or "down"
_FALLING = ("decreas", "fall", "fell", "drop", "shr", "declin", "reduc")
_MORE = frozenset(
    ("more", "less", "higher", "lower", "cheaper", "bigger", "smaller", "pricier", "than", "dearer",
     "costlier", "larger", "greater", "steeper", "expensive", "costly", "or")
)  # fmt: skip


def relative_periods(chart: Chart, shape: Shape) -> None:
    """Comparisons that name no dates: year over year, than the month before, same days. Runs
    before periods are folded, which would take their words. Also reads the billing period axis."""
    for hit in chart.find(rule("charging")):
        if chart.has(rule("billing")) or not hit["no"]:
            hit.mark("time")
    for hit in chart.find(rule("billing")):
        before = chart.items[hit.first - 1].symbol if hit.first else ""
        if before in ("not", "than", "of", "to") and hit.first > 1:  # "not by invoice month"
            hit.mark("time")
            chart.items[hit.first - 1].role = "time"
            continue
        shape.billing = True
        shape.billing_steps = shape.billing_steps or hit["each"] in ("by", "per", "each", "every")
        hit.mark("time")
    for kind in ("year_ago", "same_days", "previous"):
        for hit in chart.find(rule(f"compare.{kind}")):
            if any(i.role is not None for i in hit.items):
                continue
            unit = hit.group("u", "v", "w", "x")
            if not shape.compare:
                shape.compare, shape.compare_unit = kind, unit if unit != "period" else ""
            hit.mark("compare")


def comparison(chart: Chart, shape: Shape) -> None:
    """Words that hold one thing against another, and words of change."""
    for hit in chart.find(rule("compare.asked")):
        shape.compare = shape.compare or "asked"
        hit.mark("compare")
    for hit in chart.find(rule("compare.split")):
        if len(hit.payloads("§v")) > 1:
            shape.compare = shape.compare or "values"
            hit.mark("compare")
    for hit in chart.find(rule("compare.than")):
        shape.compare = shape.compare or "asked"
        hit.mark("compare", _MORE)
    if shape.compare and (len(chart.of("§t")) > 1 or len(chart.of("§v")) > 1):
        for hit in chart.find(rule("compare.amount")):
            hit.mark("compare")
    if chart.has(rule("compare.either")):
        _which(chart, shape)
        for hit in chart.find(rule("compare.more")):
            shape.compare = shape.compare or "asked"
            hit.mark("compare")
    if not shape.trend:
        _change(chart, shape)


def _which(chart: Chart, shape: Shape) -> None:
    """ "Which of the two costs more": both are shown, the dearer first."""
    values = [i for i in chart.of("§v") if i.payload is not None and i.role != "negated"]
    shared = {d for i in values for d in i.payload.dimensions}
    if len(values) < 2 or len(shared) > 1:
        return
    for hit in chart.find(rule("compare.which")):
        if any(i.kind == "number" and i.role is not None for i in hit.items):
            continue
        kinds = [i for i in hit.items if i.symbol == "§d"]
        if any(i.payload not in shared for i in kinds):
            continue
        shape.compare = shape.compare or "asked"
        for item in hit.items:
            if item.role is None and not item.symbol.startswith("§m"):
                item.role = "compare"


def _change(chart: Chart, shape: Shape) -> None:
    words = [i for i in chart.items if i.role is None and i.symbol in _CHANGE - _WEAK]
    moved = [
        hit
        for hit in chart.find(rule("compare.moved"))
        if any(i.role is None and i.symbol in _WEAK for i in hit.items)
    ]
    if not words and not moved:
        return
    shape.compare = shape.compare or "change"
    shape.growth = True
    if shape.share and not shape.part and not shape.part_absent:
        shape.share, shape.relative = False, True  # "by what percentage did it grow"
    shape.growth_down = any(i.symbol.startswith(_FALLING) for i in words)
    for item in words:
        item.role = "compare"
    for hit in moved:
        hit.mark("compare")
