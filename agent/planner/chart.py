"""The chart: the question as a row of items that grammars fold together and mark as explained.

Grammars are regular expressions over ``Chart.line``: ordinary words stand for themselves, and what
has been recognised stands as a symbol: ``§v`` a value, ``§d`` a dimension, ``§m`` a metric,
``§t`` a period.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from finops_assistant.agent.plan import Span
from finops_assistant.agent.planner.text import Kind, Token, table


def parts() -> dict[str, str]:
    """The building blocks of the rules."""
    found: dict[str, str] = table("rules")["parts"]
    return found


@cache
def rule(name: str) -> str:
    """A rule of ``rules.yaml`` as one expression, its parts filled in."""
    text = "|".join(table("rules")[name])
    while found := re.search(r"%(\w+)%", text):
        text = text.replace(found[0], parts()[found[1]])
    return text


@lru_cache(maxsize=1024)
def pattern(expression: str) -> re.Pattern[str]:
    """A grammar rule: matches whole items only."""
    return re.compile(rf"(?<!\S)(?:{expression})(?!\S)")


@dataclass
class Item:
    """One item of the chart. ``role`` is None until something explains it."""

    text: str
    symbol: str
    start: int
    end: int
    kind: Kind | str
    number: Decimal | None = None
    mark: str = ""
    role: str | None = None
    payload: Any = None


@dataclass(frozen=True)
class Hit:
    """A rule that matched: the items it covers and its groups."""

    first: int
    last: int  # exclusive
    match: re.Match[str]
    items: tuple[Item, ...]

    def __getitem__(self, group: int | str) -> str:
        return self.match[group] or ""

    def payloads(self, symbol: str) -> list[Any]:
        """Payloads of the covered items of one kind, in order."""
        return [item.payload for item in self.items if item.symbol == symbol]

    def group(self, *names: str) -> str:
        """The first of these groups that matched; empty if none did."""
        groups = self.match.groupdict()
        return next((groups[n] for n in names if groups.get(n)), "")

    def mark(self, role: str, only: frozenset[str] | None = None) -> None:
        """Explain the covered plain words, or just those among ``only``."""
        for item in self.items:
            plain = item.role is None and not item.symbol.startswith("§")
            if plain and (only is None or item.symbol in only):
                item.role = role


class Chart:
    """The items of one question."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.items = [
            Item(t.text, t.norm if t.kind != "quoted" else "§q", t.start, t.end, t.kind, t.number,
                 t.mark, payload=t.norm)
            for t in tokens
        ]  # fmt: skip
        self._line: str | None = None
        self._offsets: list[int] = []

    @property
    def line(self) -> str:
        """The symbols, joined by single spaces."""
        if self._line is None:
            self._offsets, position, parts = [], 0, []
            for item in self.items:
                symbol = item.symbol.replace(" ", "_")
                self._offsets.append(position)
                parts.append(symbol)
                position += len(symbol) + 1
            self._line = " ".join(parts)
        return self._line

    def changed(self) -> None:
        """Forget the cached line after an item's symbol was edited."""
        self._line = None

    def _hit(self, match: re.Match[str], group: int | str = 0) -> Hit:
        from bisect import bisect_left, bisect_right

        first = bisect_right(self._offsets, match.start(group)) - 1
        last = bisect_left(self._offsets, match.end(group))
        return Hit(first, last, match, tuple(self.items[first:last]))

    def find(self, expression: str) -> list[Hit]:
        """Every match whose items are not all explained yet."""
        found = []
        for match in pattern(expression).finditer(self.line):
            if match.end() > match.start():
                hit = self._hit(match)
                if any(item.role is None for item in hit.items):
                    found.append(hit)
        return found

    def find_any(self, expression: str) -> list[Hit]:
        """Every match, explained or not."""
        return [self._hit(match) for match in pattern(expression).finditer(self.line)]

    def after(self, hit: Hit, group: str) -> list[Item]:
        """The items of a hit from the start of one of its groups on."""
        start = hit.match.start(group)
        offsets = self._offsets[hit.first : hit.last]
        return [item for item, at in zip(hit.items, offsets, strict=True) if at >= start]

    def first(self, expression: str) -> Hit | None:
        """The first such match."""
        return next(iter(self.find(expression)), None)

    def has(self, expression: str) -> bool:
        """Whether the rule matches anywhere, explained or not."""
        return pattern(expression).search(self.line) is not None

    def starts(self, expression: str) -> bool:
        """Whether the rule matches from the first item on."""
        return pattern(expression).match(self.line) is not None

    def explain(self, hit: Hit, role: str) -> None:
        """Mark what a hit covers, except what is already explained."""
        for item in hit.items:
            if item.role is None:
                item.role = role

    def collapse(
        self, first: int, last: int, symbol: str, payload: Any, role: str | None = None
    ) -> Item:
        """Replace items by one of a recognised kind."""
        covered = self.items[first:last]
        start, end = min(i.start for i in covered), max(i.end for i in covered)
        item = Item(self.text[start:end], symbol, start, end, symbol, role=role, payload=payload)
        self.items[first:last] = [item]
        self._line = None
        return item

    def insert(self, position: int, symbol: str, payload: Any) -> None:
        """Put in an item that no text of its own stands for."""
        beside = self.items[min(position, len(self.items) - 1)]
        item = Item(beside.text, symbol, beside.start, beside.end, symbol, payload=payload)
        self.items.insert(position, item)
        self._line = None

    def of(self, symbol: str) -> list[Item]:
        """The items of one kind, in order."""
        return [item for item in self.items if item.symbol == symbol]

    def position(self, item: Item) -> int:
        """Where an item stands now."""
        return next(i for i, other in enumerate(self.items) if other is item)

    def spans(self) -> tuple[Span, ...]:
        """What every explained stretch was taken for."""
        return tuple(
            Span(start=i.start, end=i.end, text=self.text[i.start : i.end], role=i.role)
            for i in self.items
            if i.role is not None
        )
