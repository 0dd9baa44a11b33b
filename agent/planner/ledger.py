"""The coverage ledger: nothing in a question may vanish.

Every item that no rule explained is weighed: filler passes, a name asks back with what it may
have meant, a number or a word that changes the meaning asks back, the rest is off topic.
"""

from __future__ import annotations

from dataclasses import dataclass

from finops_assistant.agent.plan import ClarifyPlan
from finops_assistant.agent.planner.chart import Chart, Item, rule
from finops_assistant.agent.planner.lexicon import Lexicon
from finops_assistant.agent.planner.names import IDENTIFIERS, NameIndex, plain
from finops_assistant.agent.planner.text import fold, table
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.store.query import ReasonCode

OPTIONS = 5


@dataclass(frozen=True)
class Unexplained:
    """An item that no rule explained, and how dangerous it is to leave it out."""

    item: Item
    kind: str  # name | number | word | dimension | time | metric


def unexplained(
    chart: Chart, lexicon: Lexicon, index: NameIndex | None = None
) -> list[Unexplained]:
    """What the rules left over, filler aside. A filler word that is also the name of a value is
    no filler."""
    grammar = frozenset(table("words")["function_words"])
    english = frozenset(table("english")["words"])
    owners = frozenset(table("english")["owners"])
    named = {id(i) for h in chart.find(rule("name.place")) for i in h.items[-1:]}
    acting = {id(i) for h in chart.find(rule("name.owner")) for i in h.items}
    shouting = chart.text.isupper()
    found = []
    for item in chart.items:
        if item.role is not None or item.kind == "punctuation":
            continue
        if item.kind == "name" and item.symbol not in lexicon.dangerous:
            found.append(Unexplained(item, "name"))
        elif item.symbol in ("§q", "§unread"):
            found.append(Unexplained(item, "name" if item.symbol == "§q" else "time"))
        elif item.symbol == "§t":
            found.append(Unexplained(item, "time"))
        elif item.symbol == "§d":
            found.append(Unexplained(item, "dimension"))
        elif item.symbol == "§m":
            found.append(Unexplained(item, "metric"))
        elif item.kind == "number" or item.kind == "date":
            found.append(Unexplained(item, "number"))
        elif item.symbol in lexicon.dangerous:
            found.append(Unexplained(item, "word"))
        elif (
            (item.text in ("US", "IT") and not shouting)
            or (id(item) in named and item.symbol in english)
            or (id(item) in acting and item.symbol in owners)
        ):
            found.append(Unexplained(item, "name"))
        elif (
            item.symbol in lexicon.filler
            and (index is None or item.symbol in grammar or not index.exact(item.text))
        ) or (id(item) not in named and id(item) not in acting and _adverb(item, index)):
            item.role = "filler"
        else:
            found.append(Unexplained(item, "name"))
    return found


def _adverb(item: Item, index: NameIndex | None) -> bool:
    """An ordinary adverb of manner ("reportedly") that no list holds. Those that count or divide
    ("partly", "fortnightly") are no filler."""
    word = item.text
    manner = word.isalpha() and word.islower() and word.endswith("ly") and len(word) > 6
    if not manner or word in table("words")["measuring_adverbs"]:
        return False
    return index is None or not index.exact(word)


def question_back(
    left: list[Unexplained], chart: Chart, index: NameIndex, view: PlannerView
) -> ClarifyPlan:
    """The question about what was not understood, with whole questions as options."""
    names = [u for u in left if u.kind == "name"]
    if names:
        return _unknown_name(_joined(names, chart), chart, index, view)
    first = left[0]
    said = chart.text[first.item.start : first.item.end]
    if first.kind == "dimension":
        values = tuple(view.catalogue.values(first.item.payload))[:OPTIONS]
        title = view.semantics.dimensions[first.item.payload].title.lower()
        return ClarifyPlan(
            reason="UNKNOWN_VALUE",
            question=f"Which {title} do you mean?",
            options=tuple(replaced(chart, first.item, f"{title} {v}") for v in values),
        )
    reason: ReasonCode = "AMBIGUOUS_DATE" if first.kind == "time" else "AMBIGUOUS_VALUE"
    if first.kind == "number":
        question = f"I do not know what “{said}” stands for here. Could you say it another way?"
    elif first.kind == "time":
        question = f"I could not place “{said}” in time. Which dates do you mean?"
    else:
        question = (
            f"I do not understand what “{said}” asks for here, and leaving it out could change "
            "the figure. Could you say it another way?"
        )
    return ClarifyPlan(reason=reason, question=question)


def _joined(names: list[Unexplained], chart: Chart) -> tuple[int, int]:
    """The first run of neighbouring unknown words."""
    start = names[0].item.start
    end = names[0].item.end
    position = chart.position(names[0].item)
    for item in chart.items[position + 1 :]:
        if any(u.item is item for u in names):
            end = item.end
        else:
            break
    return start, end


def _unknown_name(
    where: tuple[int, int], chart: Chart, index: NameIndex, view: PlannerView
) -> ClarifyPlan:
    start, end = where
    said = chart.text[start:end].strip("\"'`“”")
    dimension = _dimension_beside(chart, start, end)
    if said.casefold() in ("gpu", "gpus"):
        return ClarifyPlan(
            reason="AMBIGUOUS_VALUE",
            question="The bill does not mark GPU charges as such. Do you want the GPU hours, or "
            "the cost per GPU hour?",
            options=tuple(
                chart.text[:start] + what + chart.text[_past_cost(chart, end) :]
                for what in ("GPU hours", "cost per GPU hour")
            ),
        )
    same = index.exact(said)
    if same:
        titles = [
            f"{view.semantics.dimensions[c.dimension].title.lower()} {c.canonical}" for c in same
        ]
        return ClarifyPlan(
            reason="AMBIGUOUS_VALUE",
            question=f"Is “{said}” meant as {_listed(titles)}?",
            options=tuple(chart.text[:start] + name + chart.text[end:] for name in titles),
        )
    near = did_you_mean(said, index, view, dimension)
    options = tuple(chart.text[:start] + value + chart.text[end:] for value in near)
    if dimension:
        title = view.semantics.dimensions[dimension].title.lower()
        question = f"I find no {title} called “{said}” in the data you can see."
    else:
        question = f"I do not know “{said}”: it is no name, metric or period that I can find."
    if near:
        question += f" Did you mean {_listed(near)}?"
    elif dimension and dimension not in IDENTIFIERS:
        known = list(view.catalogue.values(dimension))[:OPTIONS]
        options = tuple(chart.text[:start] + value + chart.text[end:] for value in known)
        question += f" Names there are, for example, {_listed(known, 'and')}." if known else ""
    else:
        question += " Which name do you mean?"
    return ClarifyPlan(reason="UNKNOWN_VALUE", question=question, options=options)


def _past_cost(chart: Chart, end: int) -> int:
    """The end of the cost word that follows, if one does."""
    following = next((i for i in chart.items if i.start >= end), None)
    return following.end if following is not None and following.symbol == "§m" else end


def _dimension_beside(chart: Chart, start: int, end: int) -> str | None:
    items = chart.items
    first = next(i for i, item in enumerate(items) if item.start >= start)
    last = max(i for i, item in enumerate(items) if item.end <= end)
    for neighbour in (last + 1, first - 1):
        if 0 <= neighbour < len(items) and items[neighbour].symbol == "§d":
            return str(items[neighbour].payload)
    return None


def did_you_mean(
    said: str, index: NameIndex, view: PlannerView, dimension: str | None
) -> list[str]:
    """Values that an unknown name may stand for, best first."""
    from rapidfuzz import fuzz, process

    from finops_assistant.store.errors import suggest

    if dimension in IDENTIFIERS:
        return []
    if dimension:
        values = tuple(view.catalogue.values(dimension))
        return [v for v in suggest(said, values) if fuzz.partial_ratio(fold(said), fold(v)) >= 70]

    key = plain(fold(said))
    near = process.extract(key, index.alike(key, 4), scorer=fuzz.ratio, score_cutoff=70, limit=3)
    return list(dict.fromkeys(index.names[name][0].canonical for name, _, _ in near))


def replaced(chart: Chart, item: Item, text: str) -> str:
    """The question with one item said differently."""
    return chart.text[: item.start] + text + chart.text[item.end :]


def _listed(values: list[str], word: str = "or") -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} {word} {values[-1]}"
