"""Deciding which dimension a name belongs to, from the words around it.

A dimension word beside the name decides; names in one list belong together; who spends is a team
before anything else of that name. Ties that stay are asked about.
"""

from __future__ import annotations

from dataclasses import replace

from finops_assistant.agent.planner.chart import Chart, Item, rule
from finops_assistant.agent.planner.text import fold, table
from finops_assistant.agent.planner.values import Link

OWNERS = ("team", "customer", "project")
_ASIDE = ("subcategory", "feature", "category")


def settle(chart: Chart) -> list[Link]:
    """Decide each link's dimension; returns those that stay open."""
    _cues(chart)
    for items in runs(chart):
        _together(items)
    _agents(chart)
    _beside(chart)
    left = []
    for item in chart.of("§v"):
        if len(item.payload.dimensions) > 1:
            item.payload = _prefer(_as_spelt(item))
        if len(item.payload.dimensions) > 1:
            left.append(item.payload)
        item.role = item.role or "value"
    return left


def runs(chart: Chart) -> list[list[Item]]:
    """The runs of two or more values joined by ``and``, ``or``, commas or ``vs``."""
    found = chart.find_any(rule("values.run"))
    return [[i for i in hit.items if i.symbol == "§v" and i.payload is not None] for hit in found]


def _cues(chart: Chart) -> None:
    """``team search``, ``the search and ads teams``, ``project: atlas``."""
    for name in ("cue.before", "cue.after"):
        for hit in chart.find(rule(name)):
            word = next(i for i in hit.items if i.symbol == "§d")
            values = [i for i in hit.items if i.symbol == "§v"]
            dimension = word.payload
            if word.role is not None:
                continue
            if name == "cue.after" and _kinds_within(word, values):
                continue
            fits = [dimension in v.payload.dimensions for v in values]
            if name == "cue.before":  # the names that follow, as far as they fit
                matching = values[: fits.index(False)] if False in fits else values
            else:  # the name right before must fit, the others of its list may
                matching = [v for v, fit in zip(values, fits, strict=True) if fit and fits[-1]]
            for value in matching:
                value.payload = value.payload.within(dimension)
                value.role = "value"
            if matching:
                word.role = "cue"
    for hit in chart.find(rule("cue.back")):
        word = hit.items[-1]
        named = [v for v in chart.of("§v")[:1] if word.payload in v.payload.dimensions]
        if word.role is None and named and named[0].end <= word.start:
            named[0].payload = named[0].payload.within(word.payload)
            hit.mark("cue")
            word.role = "cue"


def _kinds_within(word: Item, values: list[Item]) -> bool:
    """``AWS services`` are the services on AWS, also where a service bears that very name."""
    owner = values[-1].payload if values else None
    kinds = word.payload != "provider" and word.text.casefold().endswith("s")
    if not kinds or owner is None or "provider" not in owner.dimensions:
        return False
    values[-1].payload = owner.within("provider")
    return True


def _beside(chart: Chart) -> None:
    """In a comparison, a name that could be of several dimensions is of that of the other side."""
    if not chart.has(rule("compare.cue")):
        return
    links = [i for i in chart.of("§v") if i.payload is not None]
    sure = {i.payload.dimensions[0] for i in links if len(i.payload.dimensions) == 1}
    for item in links:
        fits = [d for d in item.payload.dimensions if d in sure]
        if len(item.payload.dimensions) > 1 and len(fits) == 1:
            item.payload = item.payload.within(fits[0])


def _together(items: list[Item]) -> None:
    links: list[Link] = [i.payload for i in items]
    if not links:
        return
    shared = [d for d in links[0].dimensions if all(d in x.dimensions for x in links)]
    single = [x.dimensions[0] for x in links if len(x.dimensions) == 1]
    chosen = next((d for d in shared if d in single), None)
    for item in items if chosen else ():
        item.payload = item.payload.within(chosen)


def _agents(chart: Chart) -> None:
    for hit in chart.find(rule("agent")):
        item = next(i for i in hit.items if i.symbol == "§v")
        dimensions = item.payload.dimensions
        owning = [d for d in OWNERS if d in dimensions]
        if len(owning) == 1 and [d for d in dimensions if d not in _ASIDE] == owning:
            item.payload = item.payload.within(owning[0])


def _as_spelt(item: Item) -> Link:
    """``Compute`` is the category and not the service COMPUTE. A capital that begins the question
    says nothing, and a provider is meant by any of its names."""
    link: Link = item.payload
    same = {c.dimension for c in link.candidates if c.canonical == link.raw}
    told = item.start > 0 and not link.raw.islower() and "provider" not in link.dimensions
    if not told or len(same) != 1:
        return link
    return link.within(same.pop())


def _prefer(link: Link) -> Link:
    """The documented order for ties whose scope is the same (``preference`` in words.yaml)."""
    order: list[list[str]] = table("words")["preference"]
    dimensions = set(link.dimensions)
    for first, second in order:
        if {first, second} <= dimensions:
            named = {fold(c.canonical) for c in link.candidates if c.dimension in (first, second)}
            exact = all(c.method == "exact" for c in link.candidates)
            if len(named) == 1 or not exact or first == "account":
                dimensions.discard(second)
    kept = tuple(c for c in link.candidates if c.dimension in dimensions)
    return replace(link, candidates=kept)
