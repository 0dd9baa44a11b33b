"""Linking: which stretches of a question name values of the catalogue, and of which dimension.

Exact names and aliases first, the longest stretch winning; then whole words of readable names;
then likeness. A dimension word beside a name decides between dimensions. A name that stays
unknown is asked about, never dropped and never answered with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from finops_assistant.agent.planner.chart import Chart, Item
from finops_assistant.agent.planner.lexicon import Lexicon
from finops_assistant.agent.planner.names import LABELLED, Candidate, NameIndex, plain
from finops_assistant.agent.planner.text import fold, table

LIKENESS, MARGIN, SHORTEST = 88, 5, 4


@dataclass(frozen=True)
class Link:
    """What a stretch may mean. ``chosen`` holds the values of one dimension once it is settled."""

    raw: str
    candidates: tuple[Candidate, ...]
    assumed: bool = False  # not the name itself: the answer must say how it was read

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions it may belong to, in order of appearance."""
        return tuple(dict.fromkeys(c.dimension for c in self.candidates))

    def within(self, dimension: str) -> Link:
        """The reading in one dimension."""
        kept = tuple(c for c in self.candidates if c.dimension == dimension)
        return replace(self, candidates=kept)


def link_exact(chart: Chart, index: NameIndex, lexicon: Lexicon) -> None:
    """Fold every exact name into a ``§v`` item, longest first. A name that is also an everyday
    word is left alone here (``link_shy``)."""
    shy = frozenset(table("words")["shy_values"])
    for size in range(min(7, len(chart.items)), 0, -1):
        i = 0
        while i + size <= len(chart.items):
            items = chart.items[i : i + size]
            if _nameable(items):
                raw = _raw(chart, items)
                found = index.exact(raw) if len(raw) > 1 else ()
                key = fold(raw)
                if size == 1 and _unless_served(chart, i, index, lexicon):
                    items[0].role, found = "filler", ()
                quoted = items[0].kind == "quoted"
                # An everyday word with the capital of a value, within the sentence, is a name.
                spelt = i > 0 and not raw.islower() and any(c.canonical == raw for c in found)
                if found and (
                    quoted
                    or (spelt and not _inside_metric(chart, lexicon, i, i + size))
                    or (
                        not _inside_metric(chart, lexicon, i, i + size)
                        and not (
                            key in shy or key in lexicon.everyday or lexicon.phrase(key.split())
                        )
                    )
                ):
                    assumed = any(c.method == "alias" and c.dimension in LABELLED for c in found)
                    chart.collapse(i, i + size, "§v", Link(raw, found, assumed))
            i += 1


def _inside_metric(chart: Chart, lexicon: Lexicon, first: int, last: int) -> bool:
    """Whether the name is only part of a longer metric phrase ("cost before credits")."""
    for start in range(max(0, first - 4), first + 1):
        for end in range(last, min(len(chart.items), last + 4) + 1):
            if end - start > last - first:
                words = [i.symbol for i in chart.items[start:end]]
                found = lexicon.phrase(words)
                if found is not None and found[0] == "metric":
                    return True
    return False


def link_shy(chart: Chart, index: NameIndex, lexicon: Lexicon) -> None:
    """Everyday words that are values: only beside the dimension word, or, unless they are mere
    filler, in the place where a name stands ("spend on recommendations last month")."""
    grammar = frozenset(table("words")["function_words"])
    for item in list(chart.items):
        if item.role is not None or item.kind != "word" or item.symbol.startswith("§"):
            continue
        found = index.exact(item.text) if len(item.text) > 1 else ()
        if not found:
            continue
        here = chart.position(item)
        link = Link(item.text, found)
        cued = [d for d in _dimensions_beside(chart, here, lexicon) if d in link.dimensions]
        if cued:
            chart.collapse(here, here + 1, "§v", link.within(cued[0]))
        elif item.symbol in grammar or item.symbol in _SHIEST:
            continue
        elif (
            (_named_place(chart, here) and item.symbol not in lexicon.filler)
            or _beside_value(chart, here)
            or _after_value(chart, here)
            or _before_cost(chart, here, lexicon)
        ):
            chart.collapse(here, here + 1, "§v", link)


def _dimensions_beside(chart: Chart, here: int, lexicon: Lexicon) -> list[str]:
    found = []
    for neighbour in (here - 1, here + 1):
        if not 0 <= neighbour < len(chart.items):
            continue
        phrase = lexicon.phrase([chart.items[neighbour].symbol])
        before = chart.items[neighbour - 1].symbol if neighbour else ""
        if neighbour < here and before in ("which", "what", "by", "per", "each", "every"):
            continue
        if phrase is not None and phrase[0] == "dimension":
            found.append(phrase[1])
    return found


_SHIEST = frozenset(table("words")["shyest"])


def _beside_value(chart: Chart, here: int) -> bool:
    """Joined to another value: ``compute vs storage``."""
    for step in (1, -1):
        join, other = here + step, here + 2 * step
        if (
            0 <= other < len(chart.items)
            and chart.items[join].symbol in ("and", "or", ",", "vs", "versus", "&", "+", "/")
            and chart.items[other].symbol == "§v"
        ):
            return True
    return False


def _after_value(chart: Chart, here: int) -> bool:
    """Right after a name and at the end of its phrase: ``AWS compute, October``."""
    before = chart.items[here - 1].symbol if here else ""
    after = chart.items[here + 1].symbol if here + 1 < len(chart.items) else "?"
    ends = ("?", ".", ",", ";", ":", "-", "in", "during", "last", "this", "by", "per", "for",
            "over", "since", "and", "vs", "versus", "on", "costs", "cost", "spend")  # fmt: skip
    return before == "§v" and after in ends


def _unless_served(chart: Chart, here: int, index: NameIndex, lexicon: Lexicon) -> bool:
    """Whether a kind of work ("serving") is a verb with someone as its object: "serving them",
    "serving Casa Verde". Then it restricts nothing."""
    item = chart.items[here]
    after = next((i for i in chart.items[here + 1 :] if i.symbol not in _ARTICLES), None)
    if item.symbol not in _VERBS or after is None:
        return False
    named = after.payload.candidates if after.symbol == "§v" else index.exact(after.text)
    if named and after.symbol not in lexicon.everyday:
        return item.symbol == "hosting" or any(c.dimension == "customer" for c in named)
    phrase = lexicon.phrase([after.symbol])
    return after.symbol in _SERVED or phrase == ("dimension", "customer")


_ARTICLES = ("the", "our", "all", "their", "its", "my", "of", "these", "those")
_VERBS = frozenset(table("words")["object_verbs"])
_SERVED = frozenset(table("words")["objects"])


def _before_cost(chart: Chart, here: int, lexicon: Lexicon) -> bool:
    """Right before a word for cost: ``compute costs``."""
    if here + 1 >= len(chart.items):
        return False
    phrase = lexicon.phrase([chart.items[here + 1].symbol])
    return phrase == ("metric", "effective_cost")


def _named_place(chart: Chart, here: int) -> bool:
    before = chart.items[here - 1].symbol if here else ""
    if before == "the":
        before = chart.items[here - 2].symbol if here > 1 else ""
    after = chart.items[here + 1].symbol if here + 1 < len(chart.items) else "?"
    return before in ("on", "for", "excluding", "except", "without", "from") and after in (
        "?", ".", ",", "in", "during", "last", "this", "by", "per", "and", "since", "over", "vs",
    )  # fmt: skip


def _nameable(items: Sequence[Item]) -> bool:
    if any(i.role is not None or i.symbol in ("§v", "§t", "§m", "§d") for i in items):
        return False
    if len(items) == 1:
        return items[0].kind in ("word", "quoted") or (
            items[0].kind == "number" and len(items[0].text) >= 6  # an account's number
        )
    ends = (items[0], items[-1])
    if any(i.kind in ("quoted", "date") for i in items):
        return False
    return all(i.kind in ("word", "number") for i in ends) and any(i.kind == "word" for i in items)


def _raw(chart: Chart, items: Sequence[Item]) -> str:
    if items[0].kind == "quoted":
        return str(items[0].payload)
    return chart.text[items[0].start : items[-1].end]


def link_by_word(chart: Chart, index: NameIndex, lexicon: Lexicon) -> None:
    """Whole words of readable names: ``Lambda`` is AWS Lambda, ``Claude`` every Claude family.
    Neighbouring words that share a name stand for it together."""
    i = 0
    while i < len(chart.items):
        end = i
        found: tuple[Candidate, ...] = ()
        while end < len(chart.items) and unknown(chart.items[end], lexicon):
            named = _by_word(chart.items[end].text, index)
            shared = tuple(c for c in found if c in named) if end > i else named
            if not shared:
                break
            found, end = shared, end + 1
        if found:
            raw = _raw(chart, chart.items[i:end])
            found = tuple(replace(c, method="context", score=0.9) for c in _narrowed(found)[:12])
            chart.collapse(i, end, "§v", Link(raw, found, assumed=True))
        i += 1


def _by_word(text: str, index: NameIndex) -> tuple[Candidate, ...]:
    word = plain(fold(text))
    if len(word) < 3:
        return ()
    found = index.words.get(word, ())
    if not found:
        found = index.words.get(re.sub("([aou])e", r"\1", word), ())
    plural = word.removesuffix("s") if word.endswith("s") else f"{word}s"
    return tuple(dict.fromkeys((*found, *index.words.get(plural, ()))))


def _narrowed(found: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    dimensions = {c.dimension for c in found}
    for chosen, among in (
        ("model_family", {"model", "model_family"}), ("service", {"service", "subcategory"}),
    ):  # fmt: skip
        if chosen in dimensions and dimensions <= among:
            return tuple(c for c in found if c.dimension == chosen)
    return found


def nearest(raw: str, index: NameIndex) -> tuple[Candidate, ...]:
    """The value that ``raw`` misspells: WRatio of at least 88, five ahead of the next, and the
    same digits, since ``gpt-4`` is not a slip of ``gpt-4o``."""
    key = plain(fold(raw))
    if len(key) < SHORTEST:
        return ()
    from rapidfuzz import fuzz, process
    from rapidfuzz.distance import OSA

    near = process.extract(key, index.alike(key, 2), scorer=fuzz.ratio, score_cutoff=70, limit=8)
    scored = sorted(((fuzz.WRatio(key, name), name) for name, _, _ in near), key=lambda p: -p[0])
    if not scored or scored[0][0] < LIKENESS * 0.9:
        return ()
    best, name = scored[0]
    allowed = 1 if min(len(key), len(name)) < 8 else 2
    slips = OSA.distance(key, name)
    if slips > allowed or _numbered(key) != _numbered(name):
        return ()
    if best < LIKENESS and sorted(key) != sorted(name):  # two letters swapped score lower
        return ()
    rivals = [n for _, n in scored[1:] if OSA.distance(key, n) <= slips]
    margin = [n for s, n in scored[1:] if best - s < MARGIN and n in rivals]
    if margin:
        return ()
    return tuple(replace(c, method="fuzzy", score=round(best / 100, 2)) for c in index.names[name])


def _numbered(name: str) -> list[str]:
    return [word for word in name.split() if any(c.isdigit() for c in word)]


def unknown(item: Item, lexicon: Lexicon) -> bool:
    return (
        item.role is None
        and item.kind == "word"
        and not item.symbol.startswith("§")
        and item.symbol not in lexicon.known
    )
