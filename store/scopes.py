"""Scopes as people write them: ``project=vector-store;provider=AWS``.

Used by the rules of allocation; ``budgets.csv`` and ``commitments.csv`` write scopes alike. All
parts must match, and a dimension that is named twice matches either of its values. Values of a
dimension with known names (``provider=azure``) may be written as people write them; all others are
taken literally. The word of a dimension for no value, such as ``(untagged)``, asks for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from finops_assistant.store.conditions import member
from finops_assistant.store.errors import UsageError, suggest
from finops_assistant.store.metrics import Dimension, Fact, load_semantics


@dataclass(frozen=True)
class Scope:
    """Dimension -> the values it may have; no entry matches every row."""

    filters: Mapping[str, tuple[str, ...]]

    @property
    def predicate(self) -> str:
        """The rows of the scope as SQL over ``focus``, never NULL."""
        return self.over("focus")

    def over(self, fact: Fact) -> str:
        """The same over another table."""
        dimensions = load_semantics().dimensions
        parts = [
            member(dimensions[name].on(fact).value, values, dimensions[name].missing)
            for name, values in self.filters.items()
        ]
        return f"coalesce({' AND '.join(parts)}, FALSE)" if parts else "TRUE"

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the predicate reads."""
        dimensions = load_semantics().dimensions
        return frozenset(column for name in self.filters for column in dimensions[name].columns)


def parse_scope(text: str, where: str) -> Scope:
    """The scope that a text says; UsageError, beginning with ``where``, for one that is none.

    >>> parse_scope("team=search; team=ads; provider=azure", "here").filters
    {'team': ('search', 'ads'), 'provider': ('Microsoft',)}
    """
    dimensions = load_semantics().dimensions
    found: dict[str, tuple[str, ...]] = {}
    for name, value in parse_pairs(text, where):
        dimension = dimensions.get(name.lower())
        if dimension is None:
            near = suggest(name, dimensions)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(dimensions)}."
            raise UsageError(f"{where}: {name!r} is not a dimension. {hint}")
        found[dimension.name] = (*found.get(dimension.name, ()), _canonical(dimension, value))
    return Scope(found)


def parse_pairs(text: str, where: str) -> list[tuple[str, str]]:
    """Name and value of every part of a text such as ``a=1;b=2``; UsageError for any other."""
    pairs = []
    for part in filter(str.strip, text.split(";")):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not (name and sign and value):
            raise UsageError(
                f"{where}: {part.strip()!r} is not written like dimension=value. "
                "Several are separated by ;."
            )
        pairs.append((name, value))
    return pairs


def _canonical(dimension: Dimension, value: str) -> str:
    for group in dimension.aliases:
        if value.lower() in map(str.lower, group):
            return group[0]
    return value
