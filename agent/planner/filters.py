"""Conditions: negation, absence, lists, contains, thresholds. Each rule marks what it explains."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from finops_assistant.agent.planner.chart import Chart, Hit, Item, rule
from finops_assistant.agent.planner.values import Link
from finops_assistant.store.query import Filter, FilterValue

SCALES = {"thousand": 10**3, "grand": 10**3, "million": 10**6, "billion": 10**9}
CURRENCIES = {
    "dollar": "USD", "dollars": "USD", "usd": "USD", "bucks": "USD", "eur": "EUR", "euro": "EUR",
    "euros": "EUR", "gbp": "GBP", "pound": "GBP", "pounds": "GBP",
}  # fmt: skip
ABSENCE: tuple[tuple[str, Literal["is_null", "not_null"]], ...] = (
    ("absent.not_untagged", "not_null"), ("absent.without", "is_null"),
    ("absent.untagged_with", "is_null"), ("absent.not_assigned", "is_null"),
    ("absent.not_having", "is_null"), ("absent.is_missing", "is_null"),
    ("absent.missing", "is_null"), ("present.with", "not_null"),
    ("present.tagged_with", "not_null"), ("absent.untagged", "is_null"),
    ("present.tagged", "not_null"),
)  # fmt: skip
TAGGED = frozenset(
    {"team", "project", "environment", "feature", "customer", "cost_centre", "initiative"}
)
Bound = Literal["gt", "ge", "lt", "le"]
BOUNDS: tuple[Bound, ...] = ("ge", "le", "gt", "lt")


@dataclass(frozen=True)
class Threshold:
    """A bound on a metric: ``mark`` is ``%``, a currency code, a metric name or empty."""

    op: Bound
    value: Decimal
    mark: str


@dataclass
class Conditions:
    """What the question restricts, and what had to be assumed for it."""

    filters: list[Filter] = field(default_factory=list)
    thresholds: list[Threshold] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    negated: set[int] = field(default_factory=set)  # ids of negated items
    positive: list[Item] = field(default_factory=list)
    currency: str = ""  # the currency asked for, if any
    absent: list[str] = field(default_factory=list)  # dimensions asked for without a value


def read(chart: Chart) -> Conditions:
    """Every condition of a chart whose values are settled."""
    out = Conditions()
    out.filters += [item.payload for item in chart.of("§f")]
    for name, op in ABSENCE:
        for hit in chart.find(rule(name)):
            _absence(hit, op, out)
    _contains(chart, out)
    _negation(chart, out)
    for hit in chart.find(rule("threshold.range")):
        _between(chart, hit, out)
    for bound in BOUNDS:
        for hit in chart.find(rule(f"threshold.{bound}")):
            _threshold(chart, hit, bound, out)
    _asserted(chart, out)
    for hit in chart.find(rule("currency")):
        if all(i.role is None for i in hit.items):
            out.currency = CURRENCIES[hit["c"]]
            chart.explain(hit, "currency")
    for item in chart.of("§v"):
        if id(item) not in out.negated and item.payload is not None:
            out.positive.append(item)
    _collect(chart, out)
    return out


def _absence(hit: Hit, op: Literal["is_null", "not_null"], out: Conditions) -> None:
    named = [i for i in hit.items if i.symbol == "§d"]
    if any(i.role is not None for i in named):
        return
    if any(i.role not in (None, "filler") for i in hit.items if i.symbol != "§d"):
        return
    words = [i for i in hit.items if i.symbol != "§d"]
    first = words[0].symbol if words else ""
    listed = named and first.startswith("un") and len(hit.items) == 2
    if listed and named[0].payload not in TAGGED:
        named = []  # "untagged resources": the resources are what is listed
        words[0].role = "filter"
    else:
        for item in hit.items:
            item.role = item.role or "filter"
    dimension = named[0].payload if named else "team"
    out.filters.append(Filter(dimension=dimension, op=op))
    out.absent.append(dimension)
    if not named:
        said = next((w.text for w in words if "tag" in w.symbol or "un" in w.symbol), first)
        what = "without a team" if op == "is_null" else "with a team"
        out.notes.append(f"“{said}” is taken as spend {what} tag.")


def _contains(chart: Chart, out: Conditions) -> None:
    for hit in chart.find(rule("contains")):
        dimension = hit.items[0]
        wanted = hit.group("x", "x2")
        target = next(i for i in reversed(hit.items) if i.symbol.replace(" ", "_") == wanted)
        if target.symbol in ("§t", "§m", "§d"):
            continue
        if isinstance(target.payload, Link):
            raw = target.payload.raw
        else:
            raw = str(target.payload) if target.kind == "quoted" else target.text
        value = FilterValue(raw=raw, canonical=raw, method="context")
        out.filters.append(Filter(dimension=dimension.payload, op="contains", values=(value,)))
        target.payload, target.role, target.symbol = None, "filter", "§x"
        chart.changed()
        hit.mark("filter")


def _negation(chart: Chart, out: Conditions) -> None:
    first = [h for h in chart.find(rule("negation.round")) if h.items[0].role is None]
    first += [h for h in chart.find(rule("negation")) if h.items[0].role in (None, "filler")]
    for hit in (*first, *chart.find(rule("negation.after"))):
        for item in hit.items:
            if item.symbol == "§v":
                out.negated.add(id(item))
                item.role = "negated"
            elif item.role in (None, "filler"):
                item.role = "negation"


def _threshold(chart: Chart, hit: Hit, op: Bound, out: Conditions) -> None:
    number = next((i for i in hit.items if i.kind == "number" and i.role is None), None)
    if number is None or number.number is None:
        return
    unit, mark = hit.group("unit", "unit3"), number.mark
    if unit in ("percent", "pct"):
        mark = "%"
    elif unit == "§m":
        mark = hit.payloads("§m")[-1]
    elif unit:
        mark = CURRENCIES[unit]
    value = number.number * SCALES.get(hit.group("scale", "scale3"), 1)
    out.thresholds.append(Threshold(op, value, mark))
    chart.explain(hit, "threshold")


def _between(chart: Chart, hit: Hit, out: Conditions) -> None:
    """Two bounds on an amount: "between 100 and 500 dollars"."""
    numbers = [i for i in hit.items if i.kind == "number"]
    unit = hit.group("unit3", "unit")
    if len(numbers) != 2 or any(i.role is not None or i.number is None for i in numbers):
        return
    if unit and unit not in CURRENCIES:
        return
    mark = CURRENCIES.get(unit, "") or numbers[1].mark or numbers[0].mark
    scales = hit.group("scale", "scale3"), hit.group("scale3")
    for op, item, scale in zip(("ge", "le"), numbers, scales, strict=True):
        value = (item.number or 0) * SCALES.get(scale, 1)
        out.thresholds.append(Threshold(op, Decimal(value), mark))  # type: ignore[arg-type]
    chart.explain(hit, "threshold")


def _asserted(chart: Chart, out: Conditions) -> None:
    """Figures that the person states: they change nothing, the data answers."""
    for hit in chart.find(rule("asserted")):
        number = next(i for i in hit.items if i.kind == "number")
        if number.role is not None or number.number is None:
            continue
        before = chart.items[hit.first - 1].symbol if hit.first else ""
        money = len(number.mark) == 3 or hit["scale"] or hit["unit"] in CURRENCIES
        if money and before not in ("top", "bottom"):
            chart.explain(hit, "asserted")
            out.notes.append("The figure in the question was not used: this is what the data says.")


def _collect(chart: Chart, out: Conditions) -> None:
    negated = [i for i in chart.of("§v") if id(i) in out.negated]
    ops: tuple[tuple[Literal["in", "not_in"], list[Item]], ...] = (
        ("in", out.positive), ("not_in", negated),
    )  # fmt: skip
    for op, items in ops:
        grouped: dict[str, dict[str, FilterValue]] = {}
        for item in items:
            link: Link = item.payload
            for candidate in link.candidates:
                held = grouped.setdefault(candidate.dimension, {})
                held.setdefault(
                    candidate.canonical,
                    FilterValue(raw=link.raw, canonical=candidate.canonical,
                                score=candidate.score, method=candidate.method),
                )  # fmt: skip
        for dimension, values in grouped.items():
            out.filters.append(Filter(dimension=dimension, op=op, values=tuple(values.values())))
