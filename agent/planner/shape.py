"""The outline of a query: what the rules of the following modules fill in."""

from __future__ import annotations

from dataclasses import dataclass, field

from finops_assistant.agent.planner.chart import Chart, Item, rule
from finops_assistant.agent.planner.lexicon import Lexicon
from finops_assistant.agent.planner.text import fold
from finops_assistant.store.query import Grain

GENERIC = "effective_cost"
TOKENS = ("tokens", "input_tokens", "output_tokens", "cached_input_tokens")


@dataclass
class Shape:
    """What to show, filled in rule by rule."""

    metrics: list[str] = field(default_factory=list)
    dimensions: list[str] = field(default_factory=list)
    grain: Grain | None = None
    trend: bool = False
    limit: int | None = None
    descending: bool | None = None  # set by a superlative
    ascending: bool = False  # asked for as an order of the list
    sorted: bool = False
    rank_grain: bool = False  # "the most expensive day"
    leader_of: str = ""  # the one dimension of "the top team's spend by …"
    share: bool = False
    part: list[Item] = field(default_factory=list)  # values whose share is asked
    part_absent: bool = False  # the share of what has no value
    pareto: bool = False
    count: str | None = None  # the dimension whose values are counted
    compare: str = ""  # asked | change | previous | year_ago | same_days | explicit | values
    compare_unit: str = ""  # the unit of "week over week"
    billing: bool = False  # by billing period, not by charge date
    billing_steps: bool = False  # "by invoice month": a step of its own where there are several
    growth: bool = False  # ordered by change
    growth_down: bool = False
    relative: bool = False  # growth in percent
    notes: list[str] = field(default_factory=list)
    doubt: str = ""  # a question that must be put back
    metric_said: bool = False


def fold_phrases(chart: Chart, lexicon: Lexicon) -> None:
    """Fold metric and dimension phrases into ``§m`` and ``§d`` items, longest first."""
    for size in range(7, 0, -1):
        i = 0
        while i + size <= len(chart.items):
            items = chart.items[i : i + size]
            plain = all(
                x.role is None
                and x.kind in ("word", "number")
                and not x.mark
                and not x.symbol.startswith("§")
                for x in items
            )
            found = lexicon.phrase([x.symbol for x in items]) if plain else None
            if found and _stands(chart, i, i + size, items):
                kind, name = found
                item = chart.collapse(i, i + size, "§m" if kind == "metric" else "§d", name)
                item.text = " ".join(x.symbol for x in items)
            i += 1


def _stands(chart: Chart, first: int, last: int, items: list[Item]) -> bool:
    """Whether a phrase means what the lexicon says at this place."""
    word = fold(" ".join(x.symbol for x in items))
    before = chart.items[first - 1].symbol if first else ""
    after = chart.items[last].symbol if last < len(chart.items) else ""
    if word in ("list", "undiscounted"):  # an order to list things, unless it is about price
        joined = after in _JOINING and last + 1 < len(chart.items) and _costly(chart, last + 1)
        paired = before in _JOINING and first > 1 and _costly(chart, first - 2)
        priced = after in ("cost", "costs", "price", "prices", "§m")
        return priced or joined or paired or before in ("vs", "versus", "at")
    if word in ("money", "dollars", "bucks", "tab", "damage"):
        return before not in ("in", "us", "of", "more", "save") and not before.isdigit()
    if word in ("saved", "savings", "saving"):
        return before not in ("potential", "possible", "future")
    if word in ("save", "saves"):
        return after != "for" and before not in ("to", "can", "could")
    return word not in ("run", "runs")


_SAVED = frozenset(("savings", "list_cost", "contracted_cost", GENERIC))
_JOINING = ("and", "or", ",", "&", "/", "vs", "versus", "plus", "against")
_COSTLY = ("effective", "billed", "contracted", "cost", "costs", "price", "prices", "contract",
           "negotiated", "amortised", "amortized", "invoiced", "net")  # fmt: skip


def _costly(chart: Chart, at: int) -> bool:
    """Whether an item is a kind of cost: "list and effective cost" names two."""
    item = chart.items[at]
    if item.symbol in ("both", "the", "our") and at + 1 < len(chart.items):
        item = chart.items[at + 1]
    return item.symbol in _COSTLY or item.symbol == "§m"


def metrics(chart: Chart, shape: Shape) -> None:
    """Which measures are asked for, and whether "tokens" is a measure or a kind of spend."""
    items = [i for i in chart.of("§m") if i.role in (None, "metric")]
    names: list[str] = list(dict.fromkeys(i.payload for i in items))
    shape.metric_said = bool(names)
    ratio = [n for n in names if n.startswith("cost_per_")]
    special = [n for n in names if n != GENERIC and n not in TOKENS]
    added = chart.has(rule("metric.all"))
    joined = (
        added or chart.has(rule("metric.joined")) or {"input_tokens", "output_tokens"} <= set(names)
    )
    stated = any(i.payload == GENERIC and _explicit(i.text) for i in items)
    if ratio:  # a ratio of sums is the average that is meant
        for hit in chart.find(rule("metric.average")):
            hit.mark("metric")
    if ratio and not joined:
        names = ratio
    elif "savings" in names and not added and set(names) <= _SAVED:
        names = ["savings"]
        shape.compare = "" if shape.compare == "asked" else shape.compare
    elif GENERIC in names and special and not joined and not stated:
        names = [n for n in names if n != GENERIC]
    paid = chart.has(rule("metric.paid")) and not chart.has(".*(?:how many|number of).*")
    if names and set(names) <= set(TOKENS) and paid:
        names = [GENERIC, *names]
        joined = False
    if GENERIC in names and any(n in TOKENS for n in names) and not joined:
        counted = [n for n in names if n in TOKENS]
        names = [n for n in names if n not in TOKENS] + [f"?{n}" for n in counted]
        if "cached_input_tokens" in counted:
            shape.doubt = "The bill does not tell what cached tokens cost apart. Do you want how \
many there were?"
    shape.metrics = names
    for hit in chart.find(rule("metric.how")):
        shape.metric_said = True
        hit.mark("metric")
    for item in items:
        item.role = "metric"


def _explicit(text: str) -> bool:
    """Whether a phrase says "effective" or "amortised" itself."""
    return any(w in text for w in ("effective", "amorti", "net "))


def emphasis(chart: Chart) -> None:
    """``only prod`` and ``prod only`` say no more than ``prod``; ``break … down`` no more than the
    ``by`` that follows."""
    for hit in chart.find(rule("breakdown.apart")) if chart.of("§d") else ():
        hit.mark("show", _APART)
    for hit in chart.find(rule("emphasis.place")):
        hit.mark("filler")
    for hit in chart.find(rule("emphasis")):
        target = hit.group("x")
        if not target or target.startswith("§") or hit.items[-1].role is not None:
            hit.mark("emphasis", _EMPHASIS)


_EMPHASIS = frozenset(
    ("only", "just", "solely", "specifically", "alone", "exclusively", "the", "for", "in", "on",
     "from", "by", "those", "that")
)  # fmt: skip
_APART = frozenset(("break", "breaking", "split", "splitting", "down", "up", "out", "per"))
