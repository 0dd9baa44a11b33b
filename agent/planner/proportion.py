"""Parts of a whole: what share of X is Y, the percentage by team, what makes up 80 %."""

from __future__ import annotations

from finops_assistant.agent.planner.chart import Chart, rule
from finops_assistant.agent.planner.shape import Shape

_SHARE = frozenset(
    ("what", "which", "the", "percentage", "percent", "proportion", "share", "fraction", "portion",
     "pct", "%", "part", "of", "how", "much", "big", "slice", "ratio", "goes", "go", "went",
     "going", "come", "comes", "came", "coming", "due", "attributable", "attributed",
     "out", "from", "within", "it", "that", "this", "a", "an", "is", "was", "large")
)  # fmt: skip


def share(chart: Chart, shape: Shape, part_absent: bool) -> None:
    """A share, and the values whose share it is. ``part_absent``: the question also asks for
    what has no value of some dimension, which is the part unless values are named as one."""
    own = chart.first(rule("share.own"))
    hit = chart.first(rule("share.part"))
    if own is not None:
        shape.share = True
        shape.part = [i for i in own.items if i.symbol == "§v"]
        own.mark("show")
    elif hit is not None:
        shape.share = True
        for item in chart.after(hit, "part" if hit["part"] else "part2"):
            if item.symbol == "§v" and item.role != "negated":
                shape.part.append(item)
        hit.mark("show", _SHARE)
    for found in chart.find(rule("share.word")):
        shape.share = True
        found.mark("show")
    shape.part_absent = shape.share and part_absent and not shape.part


def pareto(chart: Chart, shape: Shape) -> None:
    """A cumulative share down a ranking."""
    for hit in chart.find(rule("pareto")):
        numbers = [i for i in hit.items if i.kind == "number"]
        if any(n.role is not None for n in numbers):
            continue
        relative = "percent" in hit[0] or "/" in hit[0] or any(n.mark == "%" for n in numbers)
        if numbers and not relative:
            continue
        shape.pareto = True
        if numbers:
            shape.notes.append("The cumulative share shows where the share you named is reached.")
        hit.mark("show")
