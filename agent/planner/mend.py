"""Spelling: misspelt vocabulary and misspelt names, each only where it is safe.

A repair never touches quotes, digits or known words. Where a word is near to both a name and the
vocabulary, the smaller slip wins.
"""

from __future__ import annotations

from rapidfuzz.distance import OSA

from finops_assistant.agent.planner.chart import Chart, Item
from finops_assistant.agent.planner.lexicon import Lexicon, repair
from finops_assistant.agent.planner.names import NameIndex, plain
from finops_assistant.agent.planner.text import fold, table
from finops_assistant.agent.planner.values import Link, link_by_word, nearest, unknown

MOST_REPAIRS = 12
_NAMING = frozenset(table("words")["naming"])


def mend(chart: Chart, index: NameIndex, lexicon: Lexicon) -> None:
    """Repair words in place and link misspelt names."""
    link_by_word(chart, index, lexicon)
    repaired = 0
    for item in list(chart.items):
        if repaired >= MOST_REPAIRS or not unknown(item, lexicon) or len(item.symbol) < 4:
            continue
        repaired += 1
        word = repair(item.symbol, lexicon)
        names = nearest(item.text, index)
        if names and word:
            to_name = OSA.distance(plain(fold(item.text)), plain(fold(names[0].canonical)))
            if OSA.distance(item.symbol, word) < to_name:
                names = ()
        here = chart.position(item)
        if names:
            chart.collapse(here, here + 1, "§v", Link(item.text, names, assumed=True))
        elif word and not _may_be_a_name(chart, item, here, word, lexicon):
            item.symbol = word
            chart.changed()


def _may_be_a_name(chart: Chart, item: Item, here: int, word: str, lexicon: Lexicon) -> bool:
    """Whether a word stands where a name stands, so that repairing it to a word that means
    nothing by itself could swallow the name."""
    meaningful = word not in lexicon.filler or word in lexicon.dangerous
    if meaningful and word not in _NAMING:
        near = {chart.items[i].symbol for i in (here - 1, here + 1) if 0 <= i < len(chart.items)}
        return bool(near & _NAMING) and word not in lexicon.dimensions and not _structural(word)
    near = {chart.items[i].symbol for i in (here - 1, here + 1) if 0 <= i < len(chart.items)}
    capital = item.text[:1].isupper() and here > 0
    return bool(near & _NAMING) or capital or (here > 0 and _prepared(chart, here))


_STRUCTURAL = (
    "last", "most", "expensive", "biggest", "largest", "each", "every", "which", "spends", "spend",
    "spent", "cost", "costs", "highest", "lowest", "breakdown",
)  # fmt: skip


def _structural(word: str) -> bool:
    return word in _STRUCTURAL


def _prepared(chart: Chart, here: int) -> bool:
    """After a preposition and before the end or another preposition: the place of a name."""
    before = chart.items[here - 1].symbol
    after = chart.items[here + 1].symbol if here + 1 < len(chart.items) else "?"
    ends = ("?", ".", ",", "in", "for", "during", "last", "this", "by", "per", "and", "§t")
    return before in ("for", "on", "excluding", "except", "without", "not") and after in ends
