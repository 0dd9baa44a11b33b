"""The index over catalogue values that linking reads; built once for each catalogue."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from finops_assistant.agent.planner.text import fold, table
from finops_assistant.agent.planner.view import Values, Vocabulary

Method = Literal["exact", "alias", "fuzzy", "context"]

# Identifiers are matched exactly through the catalogue, never by likeness.
IDENTIFIERS = frozenset({"resource_id", "sku", "commitment_id", "account", "billing_account"})
# A meter's or resource's label that is one plain word ("egress") names no single thing.
LABELLED = frozenset({"resource_id", "sku"})
READABLE = ("provider", "service", "category", "subcategory", "model_family", "model", "customer")
LARGEST = 5000  # values of a dimension that are indexed by word and likeness


@dataclass(frozen=True)
class Candidate:
    """One value that a stretch of the question may mean."""

    dimension: str
    canonical: str
    method: Method = "exact"
    score: float = 1.0


@dataclass(frozen=True)
class NameIndex:
    """Folded names, whole words and a pool for likeness."""

    names: Mapping[str, tuple[Candidate, ...]]
    squashed: Mapping[str, tuple[Candidate, ...]]
    words: Mapping[str, tuple[Candidate, ...]]
    pool: Mapping[int, tuple[str, ...]]  # names by their length
    catalogue: Values = field(repr=False)

    def alike(self, key: str, slack: int) -> list[str]:
        """Names whose length differs from that of ``key`` by at most ``slack``."""
        lengths = range(len(key) - slack, len(key) + slack + 1)
        return [name for length in lengths for name in self.pool.get(length, ())]

    def exact(self, text: str) -> tuple[Candidate, ...]:
        """Values whose name or alias is ``text``, however it is cased or joined."""
        key = plain(fold(text))
        found = self.names.get(key, ())
        exact = tuple(c for c in found if c.method == "exact")
        if exact:
            rival = any(c.dimension == "service" for c in exact) and not key.endswith(" api")
            owners = (c for c in found if c.method == "alias" and c.dimension == "provider")
            return (*exact, *(owners if rival else ()))
        listed = self.catalogue.exact(" ".join(text.casefold().split()))
        named = tuple(
            dict.fromkeys(
                Candidate(d, c, *(("exact", 1.0) if plain(fold(c)) == key else ("alias", 0.97)))
                for d, c in listed
                if d not in LABELLED or plain(fold(c)) == key or not key.isalpha()
            )
        )
        return named or found or self.squashed.get(squash(key), ())


def plain(text: str) -> str:
    """Folded text without accents, so that ``cafe`` finds ``café``."""
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def by_length(names: list[str]) -> dict[int, tuple[str, ...]]:
    """Names, each once, grouped by length."""
    groups: dict[int, dict[str, None]] = {}
    for name in names:
        groups.setdefault(len(name), {})[name] = None
    return {length: tuple(group) for length, group in groups.items()}


def squash(text: str) -> str:
    """Letters and digits only; empty when too short to tell anything."""
    bare = re.sub(r"[\W_]+", "", plain(text))
    return bare if len(bare) >= 4 else ""


_built: dict[int, NameIndex] = {}


def index_of(catalogue: Values, semantics: Vocabulary) -> NameIndex:
    """The index of a catalogue, built on first use and kept for the newest few."""
    found = _built.get(id(catalogue))
    if found is None or found.catalogue is not catalogue:
        if len(_built) > 8:
            _built.clear()
        found = _build(catalogue, semantics)
        _built[id(catalogue)] = found
    return found


def _build(catalogue: Values, semantics: Vocabulary) -> NameIndex:
    names: dict[str, list[Candidate]] = {}
    words: dict[str, list[Candidate]] = {}
    pool: list[str] = []
    for dimension in semantics.dimensions:
        values = catalogue.values(dimension)
        if len(values) > LARGEST:
            continue
        for value in values:
            if value.startswith("(") and value.endswith(")"):
                continue  # (untagged), (none): not names
            key = plain(fold(value))
            candidate = Candidate(dimension, value)
            names.setdefault(key, []).append(candidate)
            if dimension not in IDENTIFIERS:
                pool.append(key)
            if dimension in READABLE:
                for word in set(re.findall(r"[^\W_]+", key)):
                    words.setdefault(word, []).append(candidate)
        known = set(names)
        _add_aliases(names, dimension, semantics)
        if dimension not in IDENTIFIERS:
            pool += [name for name in names if name not in known]
    squashed: dict[str, list[Candidate]] = {}
    for key, candidates in names.items():
        if bare := squash(key):
            squashed.setdefault(bare, []).extend(
                Candidate(c.dimension, c.canonical, "alias", 0.98) for c in candidates
            )
    return NameIndex(
        {k: tuple(dict.fromkeys(v)) for k, v in names.items()},
        {k: tuple(dict.fromkeys(v)) for k, v in squashed.items()},
        {k: tuple(v) for k, v in words.items()},
        by_length(pool),
        catalogue,
    )


def _add_aliases(names: dict[str, list[Candidate]], dimension: str, semantics: Vocabulary) -> None:
    loaded = {
        key: c
        for key, candidates in names.items()
        for c in candidates
        if c.dimension == dimension and c.method == "exact"
    }
    for group in semantics.dimensions[dimension].aliases:
        target = next((loaded[plain(fold(n))] for n in group if plain(fold(n)) in loaded), None)
        for name in group if target else ():
            _alias(names, loaded, name, target)
    for name, targets in table("words")["value_aliases"].get(dimension, {}).items():
        found = next((loaded[plain(fold(t))] for t in targets if plain(fold(t)) in loaded), None)
        _alias(names, loaded, name, found)


def _alias(
    names: dict[str, list[Candidate]],
    loaded: Mapping[str, Candidate],
    name: str,
    target: Candidate | None,
) -> None:
    key = plain(fold(str(name)))
    if target is None or key in loaded:
        return
    candidate = Candidate(target.dimension, target.canonical, "alias", 0.97)
    if all(
        (c.dimension, c.canonical) != (target.dimension, target.canonical)
        for c in names.get(key, ())
    ):
        names.setdefault(key, []).append(candidate)
