"""Steps in time: by day, weekly, month by month, the trend, and "which month was dearest"."""

from __future__ import annotations

from finops_assistant.agent.planner.chart import Chart, Hit, rule
from finops_assistant.agent.planner.shape import Shape
from finops_assistant.agent.planner.text import table
from finops_assistant.store.query import Grain

GRAINS: dict[str, Grain] = {
    "day": "day", "days": "day", "daily": "day", "date": "day", "hour": "hour", "hours": "hour",
    "hourly": "hour", "week": "week", "weeks": "week", "weekly": "week", "month": "month",
    "months": "month", "monthly": "month", "quarter": "quarter", "quarters": "quarter",
    "quarterly": "quarter", "year": "year", "years": "year", "yearly": "year", "annual": "year",
    "annually": "year",
}  # fmt: skip
STEPS = ("series.each", "series.by", "series.joined", "series.adverb", "series.all", "series.level")
_WHERE = frozenset(
    ("any", "which", "what", "all", "those", "where", "when", "on", "in", "during", "that", "with")
)
_FEW = ("least", "cheapest", "lowest", "smallest", "minimum", "min", "bottom")
_TREND = frozenset(table("words")["trend_words"])
_CHANGE = frozenset(table("words")["change_words"])


def grains(chart: Chart, shape: Shape) -> None:
    """The step of a series, and rankings of days or months."""
    for hit in chart.find(rule("series.which")):
        _ranked(hit, shape, hit.group("g", "g2", "g3", "g4", "g5"), shape.limit or 1)
    if shape.rank_grain:
        for name, descending in (("rank.most", True), ("rank.fewest", False)):
            for hit in chart.find(rule(name)):
                shape.descending = descending
                hit.mark("order")
    else:
        for hit in chart.find(rule("series.top")):
            _ranked(hit, shape, hit.group("g", "g2"), int(hit.group("n", "n2")))
    for hit in chart.find(rule("series.where")) if chart.has(rule("threshold.any")) else ():
        unit = next(i for i in hit.items if i.symbol == hit["g"])
        if unit.role is None:
            shape.grain = GRAINS[hit["g"]]
            unit.role = "grain"
            hit.mark("grain", _WHERE)
    for name in STEPS:
        for hit in chart.find(rule(name)):
            if any(i.role is not None for i in hit.items if i.symbol in GRAINS):
                continue
            step = GRAINS[hit["g"]]
            if shape.grain is None:
                shape.grain = step
            elif step != shape.grain and not shape.rank_grain:
                shape.doubt = f"Which step do you want, {shape.grain} or {step}?"
            hit.mark("grain")


def _ranked(hit: Hit, shape: Shape, step: str, limit: int) -> None:
    shape.grain, shape.rank_grain, shape.limit = GRAINS[step], True, limit
    shape.descending = not any(w in hit[0].split() for w in _FEW)
    hit.mark("order")


def trend(chart: Chart, shape: Shape) -> None:
    """Over time, trend, evolution, how has it developed."""
    for name in ("trend.how", "trend"):
        for hit in chart.find(rule(name)):
            shape.trend = True
            hit.mark("show", _TREND)
    if chart.has(".*§t (?:vs|versus|to|and|compared to) §t.*") or chart.has(".*how much.*"):
        return
    for hit in chart.find(rule("trend.change")):
        shape.trend = True
        hit.mark("show", _TREND | _CHANGE)
