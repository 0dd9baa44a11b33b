"""The words for metrics and dimensions, and the repair of misspelt ones.

Vocabulary comes from the semantic layer; ``words.yaml`` only adds phrases and takes misleading
ones away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from finops_assistant.agent.planner.text import fold, table
from finops_assistant.agent.planner.view import Named, Vocabulary

LONGEST = 6  # words in a phrase


@dataclass(frozen=True)
class Lexicon:
    """Folded phrase -> name, for metrics and for dimensions, and every word that is known."""

    metrics: dict[str, str]
    dimensions: dict[str, str]
    plurals: frozenset[str]  # dimension phrases that name several ("teams")
    known: frozenset[str]
    repairable: frozenset[str]  # what a misspelt word may be repaired to
    everyday: frozenset[str]  # known words that are no part of this trade's vocabulary
    filler: frozenset[str]
    dangerous: frozenset[str]
    titles: dict[str, str] = field(default_factory=dict)

    def phrase(self, words: Iterable[str]) -> tuple[str, str] | None:
        """("metric" | "dimension", name) for a phrase, if it is one."""
        text = fold(" ".join(words))
        if text in self.metrics:
            return "metric", self.metrics[text]
        if text in self.dimensions:
            return "dimension", self.dimensions[text]
        return None


_built: dict[int, tuple[Vocabulary, Lexicon]] = {}


def lexicon_of(semantics: Vocabulary) -> Lexicon:
    """The lexicon of a semantic layer, built once for each."""
    found = _built.get(id(semantics))
    if found is None or found[0] is not semantics:
        if len(_built) > 4:
            _built.clear()
        found = (semantics, _build(semantics))
        _built[id(semantics)] = found
    return found[1]


def _phrases(named: Named, words: dict[str, dict[str, list[str]]]) -> set[str]:
    listed = [named.name, named.title, *named.synonyms, named.plural]
    taken = {fold(w) for w in words["misleading"].get(named.name, ())}
    said = {fold(w) for w in listed if w} - taken
    # "tokens in" would swallow the preposition of "tokens in October".
    said = {w for w in said if w.split()[-1] not in _PREPOSITIONS}
    return said | {fold(w) for w in words["phrases"].get(named.name, ())}


_PREPOSITIONS = frozenset(["in", "out", "on", "for", "of", "by", "to", "with", "from", "at"])


def _build(semantics: Vocabulary) -> Lexicon:
    words = table("words")
    metrics: dict[str, str] = {}
    for name, metric in semantics.metrics.items():
        for phrase in _phrases(metric, words):
            metrics.setdefault(phrase, name)
            if " " not in phrase and not phrase.endswith("s"):
                metrics.setdefault(plural(phrase), name)
    dimensions: dict[str, str] = {}
    plurals: set[str] = set()
    for name, dimension in semantics.dimensions.items():
        for phrase in _phrases(dimension, words):
            if phrase in metrics:
                continue
            dimensions.setdefault(phrase, name)
            dimensions.setdefault(plural(phrase), name)
    for phrase, name in dimensions.items():
        singular = phrase[:-1] if phrase.endswith("s") else ""
        if singular in dimensions or (phrase.endswith("ies") and phrase[:-3] + "y" in dimensions):
            plurals.add(phrase)
        del name
    vocabulary = {w for p in (*metrics, *dimensions) for w in p.split()}
    english = table("english")
    filler = frozenset((*words["filler"], *english["words"], *english["spend_verbs"]))
    dangerous = frozenset(words["dangerous"])
    everyday = (
        filler | dangerous | structural_words() | set(words["months"]) | set(words["weekdays"])
    )
    known = vocabulary | everyday | set(words["hyphen_parts"]) | _words_of_intents()
    # Most filler is no target: "drivers" must not turn into "drives" and vanish.
    repairable = (known - filler) | vocabulary | structural_words() | set(words["repairable"])
    named: tuple[Named, ...] = (*semantics.metrics.values(), *semantics.dimensions.values())
    titles = {one.name: one.title for one in named}
    return Lexicon(
        metrics=metrics,
        dimensions=dimensions,
        plurals=frozenset(plurals),
        known=frozenset(known),
        repairable=frozenset(repairable),
        everyday=everyday,
        filler=filler - dangerous,
        dangerous=dangerous,
        titles=titles,
    )


def plural(phrase: str) -> str:
    """The regular English plural."""
    if phrase.endswith("y") and phrase[-2:-1] not in "aeiou":
        return phrase[:-1] + "ies"
    return phrase if phrase.endswith("s") else phrase + "s"


@lru_cache(maxsize=1)
def structural_words() -> frozenset[str]:
    """Every word that the grammars of this package read."""
    return frozenset(w for line in table("grammar")["words"] for w in line.split())


def _words_of_intents() -> set[str]:
    """The words by which other intents are recognised: known, so never repaired into others."""
    found: set[str] = set()
    stack: list[Any] = [table("intents")]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            stack += node.values()
        elif isinstance(node, list):
            stack += node
        else:
            found |= set(re.findall(r"(?<![\\a-z])[a-z]{3,}(?![\\a-z])", node))
    return found


def repair(word: str, lexicon: Lexicon) -> str | None:
    """The known word that ``word`` misspells, if exactly one is near enough.

    One slip (a letter too many, too few, wrong, or two swapped) up to seven letters, two from
    eight; words with digits and short words are never touched.
    """
    if len(word) < 4 or not word.isalpha():
        return None
    from rapidfuzz.distance import OSA

    allowed = 2 if len(word) >= 8 else 1
    near: dict[int, list[str]] = {}
    for known in _candidates(lexicon):
        if abs(len(known) - len(word)) > allowed or len(known) < 3:
            continue
        distance = OSA.distance(word, known, score_cutoff=allowed)
        if 0 < distance <= allowed and (
            known[0] == word[0] or sorted(known[:2]) == sorted(word[:2])
        ):
            near.setdefault(distance, []).append(known)
    for distance in sorted(near):
        best = near[distance]
        if len(best) > 1:
            same_start = [w for w in best if w[0] == word[0]]
            swapped = [w for w in same_start if sorted(w) == sorted(word)]
            best = swapped or same_start or best
        if len(best) == 1:
            return best[0]
        stems = {w.rstrip("s") for w in best}
        return min(best, key=len) if len(stems) == 1 else None
    return None


@lru_cache(maxsize=8)
def _words_for_repair(known: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(w for w in known if len(w) >= 3 and w.isalpha()))


def _candidates(lexicon: Lexicon) -> tuple[str, ...]:
    return _words_for_repair(lexicon.repairable)
