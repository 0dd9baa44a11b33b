"""Dimensions to break down by, rankings among their values, and counts of them."""

from __future__ import annotations

from finops_assistant.agent.planner.chart import Chart, Hit, Item, rule
from finops_assistant.agent.planner.lexicon import Lexicon
from finops_assistant.agent.planner.shape import Shape
from finops_assistant.agent.planner.text import table

TOP = 5
_PLAIN = frozenset(table("words")["before_dimension"])
_SHOWING = frozenset(table("words")["breakdown_words"])
_CHANGE = frozenset(table("words")["change_words"])
_LOW = frozenset(
    ("cheapest", "smallest", "lowest", "low", "least", "cheap", "small", "bottom", "ascending",
     "increasing", "asc")
)  # fmt: skip
_HIGH = frozenset(
    ("dearest", "priciest", "costliest", "most", "biggest", "largest", "highest", "greatest",
     "high", "expensive", "large", "big", "top", "worst", "descending", "decreasing", "desc")
)  # fmt: skip
_LINES = frozenset(
    ("with", "in", "as", "on", "a", "an", "one", "1", "its", "their", "own", "single", "separate",
     "row", "rows", "line", "lines", "bar", "column", "entry", "figure", "number", "amount",
     "total", "sum", "each", "apiece", "by")
)  # fmt: skip
_WHOSE = ("my", "this", "that", "his", "her", "same")


def breakdown(chart: Chart, shape: Shape, lexicon: Lexicon) -> None:
    """Counts first, then rankings, then every dimension that is left."""
    _counts(chart, shape)
    _sorting(chart, shape)
    _ranks(chart, shape)
    for hit in chart.find_any(rule("rank.leader")):
        lead = next(i for i in hit.items if i.symbol == "§d")
        if lead.text.casefold() not in lexicon.plurals:
            shape.leader_of = lead.payload
    for hit in chart.find(rule("breakdown.lines")):
        hit.mark("show", _LINES)
    for hit in chart.find(rule("breakdown.by")):
        total = _summed(chart, hit)
        _use(hit, shape, not total and not hit[0].startswith("with "))
    for hit in chart.find(rule("breakdown.which")):
        _use(hit, shape)
    if chart.of("§d"):
        for hit in chart.find(rule("breakdown.verb")):
            hit.mark("show")
    _lone(chart, shape, lexicon)
    for hit in chart.find(rule("breakdown.who")):
        if not shape.dimensions and not shape.count and shape.compare != "asked":
            shape.dimensions.append("team")
            shape.notes.append("“Who” is taken as which team.")
            hit.mark("dimension")
    _one_or_top(chart, shape, lexicon)


def _summed(chart: Chart, hit: Hit) -> bool:
    """Whether a dimension is named only to say that all of it counts: "all vendors", "every
    supplier added up", "total across teams"."""
    before = chart.items[hit.first - 1].symbol if hit.first else ""
    across = hit[0].startswith(("all ", "for all ", "across", "with all ")) or before == "across"
    vendors = all(i.payload == "provider" for i in hit.items if i.symbol == "§d")
    one = chart.has(rule("breakdown.one"))
    if not across:
        summed = chart.has(rule("breakdown.summed")) or (one and vendors)
        return summed and hit[0].startswith(("every ", "each ", "for every ", "with "))
    if one or chart.has(rule("breakdown.total")):
        return True
    every = hit[0].startswith(("all ", "for all ")) or " all " in hit[0]
    some = any(i.role == "negated" for i in chart.of("§v"))
    return vendors and every and not some and not chart.has(rule("breakdown.vendors"))


def _counts(chart: Chart, shape: Shape) -> None:
    for hit in chart.find(rule("count")):
        item = hit.items[-1]
        if item.role is None and not shape.count:
            shape.count = item.payload
            item.role = "dimension"
            hit.mark("show")


def _ranks(chart: Chart, shape: Shape) -> None:
    if shape.limit is None:
        for name, descending in (("rank.top", True), ("rank.bottom", False)):
            for hit in chart.find(rule(name)):
                numbers = [i for i in hit.items if i.kind == "number"]
                if shape.limit is not None or any(i.role is not None or i.mark for i in numbers):
                    continue
                shape.limit = int(hit.group("n1", "n2", "n3", "n4"))
                shape.descending = descending
                hit.mark("order")
    for name, descending in (("rank.fewest", False), ("rank.most", True)):
        for hit in chart.find(rule(name)):
            before = chart.items[hit.first - 1].symbol if hit.first else ""
            if any(i.role is not None for i in hit.items) or before == "at":
                continue
            if shape.descending in (None, descending):
                shape.descending = descending
                hit.mark("order")


def _sorting(chart: Chart, shape: Shape) -> None:
    """The order of the list. Of "cheapest to dearest" the first word says where it starts."""
    for hit in chart.find(rule("sort")):
        if any(i.role is not None for i in hit.items if not i.symbol.startswith("§")):
            continue
        said = hit[0].split()
        first = next((w for w in said if w in _LOW | _HIGH), "")
        falling = "down" in said and first in _LOW  # "from the bottom down" is nonsense: high first
        if first in _LOW and not falling:
            shape.ascending = True
        shape.sorted = True
        for item in hit.items:
            if item.role is None and item.symbol != "§m" and item.symbol not in _CHANGE:
                item.role = "order"


def _use(hit: Hit, shape: Shape, use: bool = True) -> None:
    found = [i for i in hit.items if i.symbol == "§d" and i.role is None]
    for item in found:
        item.role = "dimension"
        if use and item.payload not in shape.dimensions and item.payload != shape.count:
            shape.dimensions.append(item.payload)
    if found:
        hit.mark("show", _SHOWING)


def _lone(chart: Chart, shape: Shape, lexicon: Lexicon) -> None:
    """A dimension word without a word that says what it is for: "service costs"."""
    for item in [i for i in chart.of("§d") if i.role is None]:
        here = chart.position(item)
        before = chart.items[here - 1] if here else None
        word = before.symbol if before else ""
        several = item.text.casefold() in lexicon.plurals
        single = word in ("our", "your", "the", "a") and not several and shape.descending is None
        if word in _WHOSE or single:
            continue  # which one? the ledger asks
        if item.payload == "resource_id" and before is not None and _generic(before, shape):
            item.role = "filler"  # "what untagged resources cost" asks for no list of them
            continue
        if before is not None and _may_name(before):
            before.role, before.kind = None, "name"
            continue
        item.role = "dimension"
        if item.payload not in shape.dimensions:
            shape.dimensions.append(item.payload)


def _generic(before: Item, shape: Shape) -> bool:
    """Whether "resources" stands for charges in general."""
    ranked = shape.limit is not None or shape.descending is not None
    return not ranked and (before.symbol in ("of", "for", "on", "from") or before.role == "filter")


def _may_name(before: Item) -> bool:
    """Whether the word before a dimension word looks like a name that nothing explained: "the
    data team" must not become a breakdown by team."""
    return (
        before.kind == "word"
        and before.role in (None, "filler")
        and not before.symbol.startswith("§")
        and before.symbol not in _PLAIN | _SHOWING | _CHANGE
    )


def _one_or_top(chart: Chart, shape: Shape, lexicon: Lexicon) -> None:
    """A superlative without a number: one for "which team", five for "top teams"."""
    if shape.descending is None or shape.limit is not None or not shape.dimensions:
        return
    first = next((i for i in chart.of("§d") if i.role == "dimension"), None)
    plural = first is not None and first.text.casefold() in lexicon.plurals
    shape.limit = TOP if plural else 1
    if plural:
        shape.notes.append("No number was named, so this lists the first five.")
