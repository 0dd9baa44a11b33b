"""Figures of two tables: each is summed by itself, then they meet on the keys that both have.

``costs``         sums of billed rows per key
``model_usage``   sums of model usage per key; where money is in several currencies, ``usage_in``
                  gives each the currency of its bill or of the cost beside it, or none where that
                  has several
the result        both, joined in full: what has no counterpart keeps its row, the other side NULL

A ratio over both tables is formed from what meets day by day, on the columns that it matches: cost
without usage and usage without cost are left out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from finops_assistant.store.compile_shape import FACTS, Key, Shape
from finops_assistant.store.compile_text import Select
from finops_assistant.store.metrics import (
    CURRENCY_COLUMN,
    NO_VALUE,
    PROVIDER_COLUMN,
    Fact,
    Metric,
)
from finops_assistant.store.query import TimeSpec

STEPS: dict[Fact, str] = {"focus": "costs", "usage": "model_usage"}
ABOVE, BELOW = "_above", "_below"


@dataclass(frozen=True)
class Meeting:
    """The figures of one period, or of two beside each other, over both tables.

    ``keys`` are those of the result; of dimensions that are keys, only rows with a value count
    where they are ``named``. ``suffix`` tells the steps from those of another period.
    """

    shape: Shape
    keys: tuple[Key, ...]
    time: TimeSpec
    beside: TimeSpec | None = None
    named: bool = False
    suffix: str = ""

    @property
    def match(self) -> tuple[Key, ...]:
        """What must meet, besides the keys: for a ratio over both tables what it says, and for
        usage beside money of several currencies what tells whose it is."""
        ratios = [m for m in self.shape.metrics if over_both(m, self.shape)]
        columns = dict.fromkeys(column for metric in ratios for column in metric.match)
        if not columns and self._priced:
            columns = {PROVIDER_COLUMN: None}
        if not columns:
            return ()
        day = Key("match_day", "CAST(ChargePeriodStart AS DATE)")
        listed = enumerate(columns, start=1)
        return (day, *(Key(f"match_{n}", f"coalesce({c}, '{NO_VALUE}')") for n, c in listed))

    def steps(self) -> tuple[dict[str, Select | str], Select]:
        """The steps to run first, and the SELECT that joins them."""
        sides = {fact: self._sums(fact) for fact in FACTS}
        found: dict[str, Select | str] = {self._name(f): side for f, side in sides.items()}
        if self._priced:
            found[self._usage] = self._in_currency()
        return found, self._joined()

    # --- each table by itself ----------------------------------------------------------------

    def _sums(self, fact: Fact) -> Select:
        half = half_of(self.shape, fact)
        keys = [*self._keys(fact), *self.match]
        if self._priced and fact == "usage":
            keys.append(Key("billed_in", CURRENCY_COLUMN))
        columns = [(key.sql, key.name) for key in keys]
        names = [metric.name for metric in half.sums]
        if self.shape.part and self.shape.shown[0].fact == fact:
            names.append("whole")
        if self.beside is None:
            columns += [(half.measure(n, zero=self._zero(n)), n) for n in names]
            inside = half.within(self.time)
        else:
            now, before = half.between(self.time), half.between(self.beside)
            for name in names:
                columns.append((half.measure(name, now, zero=not _halved(name)), name))
                past = half.measure(name, before, zero=not _halved(name))
                columns.append((past, f"{name}_previous"))
            inside = half.within(self.time, self.beside)
        if not keys:
            columns.append(("count(*)", "found"))
        where = [*inside, *half.narrowed]
        if self.named:
            known = [k.name for k in keys if k.name in self.shape.semantics.dimensions]
            where += [f"{half.dimension(name).value} IS NOT NULL" for name in known]
        return Select(columns, fact, where, group=len(keys))

    def _zero(self, name: str) -> bool:
        return bool(self.shape.part) and not _halved(name)

    def _keys(self, fact: Fact) -> list[Key]:
        """The keys over a table: usage has no currency, and some of its values stand elsewhere."""
        half = replace(self.shape, half=fact)
        dimensions = self.shape.semantics.dimensions
        keys = [key for key in self.keys if fact == "focus" or key.name != "currency"]
        return [half.dimension_key(k.name) if k.name in dimensions else k for k in keys]

    # --- where they meet -----------------------------------------------------------------------

    @property
    def _priced(self) -> bool:
        return any(key.name == "currency" for key in self.keys)

    @property
    def _usage(self) -> str:
        return f"usage_in{self.suffix}" if self._priced else self._name("usage")

    def _name(self, fact: Fact) -> str:
        return STEPS[fact] + self.suffix

    def _in_currency(self) -> Select:
        """Usage in the currency of its own bill, else in that of the cost in the same cell, where
        that has only one."""
        costs, usage = self._name("focus"), self._name("usage")
        cell = [key.name for key in (*self._keys("usage"), *self.match)]
        one = Select(
            [*((name, name) for name in cell), ("min(currency)", "currency")],
            costs,
            group=len(cell),
            having=["min(currency) = max(currency)"],
        )
        matches = [f"{usage}.{name} = priced.{name}" for name in cell]
        currency = f"coalesce({usage}.billed_in, priced.currency, '{NO_VALUE}')"
        columns = [(currency, "currency"), *((f"{usage}.{name}", name) for name in cell)]
        columns += [(f"sum({usage}.{name})", name) for name in self._figures("usage")]
        body = one.sql().replace("\n", "\n  ")
        source = f"{usage}\nLEFT JOIN (\n  {body}\n) AS priced\n  ON " + "\n  AND ".join(matches)
        return Select(columns, source, group=len(cell) + 1)

    def _figures(self, fact: Fact) -> list[str]:
        sides = ["", "_previous"] if self.beside else [""]
        names = [f"{metric.name}{side}" for metric in sums_of(self.shape, fact) for side in sides]
        whole = self.shape.part and self.shape.shown[0].fact == fact
        names += [f"whole{side}" for side in sides] if whole else []
        return names

    def _joined(self) -> Select:
        costs, usage = self._name("focus"), self._usage
        shared = [key.name for key in (*self.keys, *self.match)]
        if shared:
            on = [f"{costs}.{name} = {usage}.{name}" for name in shared]
            source = f"{costs}\nFULL JOIN {usage}\n  ON " + "\n  AND ".join(on)
        else:
            source = f"{costs}\nCROSS JOIN {usage}"
        columns = [(f"coalesce({costs}.{k.name}, {usage}.{k.name})", k.name) for k in self.keys]
        names = [metric.name for metric in self.shape.metrics]
        for name in [*names, *(["whole"] if self.shape.part else [])]:
            columns.append((self._measure(name, ""), name))
            if self.beside:
                columns.append((self._measure(name, "_previous"), f"{name}_previous"))
        joined = Select(columns, source)
        if self.match:
            joined.group = len(self.keys)
            joined.having = [] if self.keys else ["count(*) > 0"]
        elif not shared:
            joined.where = [f"{costs}.found + {usage}.found > 0"]
        return joined

    def _measure(self, name: str, side: str) -> str:
        if name == "whole":
            return self._total(self.shape.shown[0].fact, f"whole{side}")
        metric = next(m for m in self.shape.metrics if m.name == name)
        if metric.kind == "additive":
            return self._total(metric.fact, name + side)
        semantics = self.shape.semantics
        facts = [semantics.metrics[n].fact for n in (metric.numerator, metric.denominator)]
        halves = [f"{name}{half}{side}" for half in (ABOVE, BELOW)]
        both: list[str] = []
        if over_both(metric, self.shape):
            both = [f"{self.side(f)}.{h} IS NOT NULL" for f, h in zip(facts, halves, strict=True)]
        top, bottom = (self._total(f, h, both) for f, h in zip(facts, halves, strict=True))
        ratio = f"CAST({top} AS DOUBLE) / nullif(CAST({bottom} AS DOUBLE), 0)"
        return ratio if metric.scale == 1 else f"{ratio} * {metric.scale}"

    def _total(self, fact: Fact, name: str, both: Sequence[str] = ()) -> str:
        """A figure of a side; where cells are finer than the keys, what they come to."""
        figure = f"{self.side(fact)}.{name}"
        if not self.match:
            return figure
        return f"sum({figure if not both else _when(both, figure)})"

    def side(self, fact: Fact) -> str:
        """The step that holds one table's sums."""
        return self._usage if fact == "usage" else self._name(fact)


def half_of(shape: Shape, fact: Fact) -> Shape:
    """What a query over two tables asks of one of them."""
    return replace(shape, half=fact, sums=tuple(sums_of(shape, fact)))


def sums_of(shape: Shape, fact: Fact) -> list[Metric]:
    """What one table adds to the metrics: additive ones, and the halves of ratios."""
    found: list[Metric] = []
    for metric in shape.metrics:
        if metric.kind == "additive":
            found += [metric] if metric.fact == fact else []
            continue
        above = shape.semantics.numerator(metric, shape.query.basis)
        below = shape.semantics.metrics[metric.denominator]
        if above.fact == fact:
            found.append(replace(above, name=metric.name + ABOVE, rows=shape.rows(metric)))
        if below.fact == fact:
            found.append(replace(below, name=metric.name + BELOW))
    return found


def over_both(metric: Metric, shape: Shape) -> bool:
    """Whether a metric is a ratio of one table's sum to the other's."""
    return metric.kind == "ratio" and len(shape.semantics.facts(metric)) > 1


def _halved(name: str) -> bool:
    """Whether a sum is half of a ratio: it has no value where there are no rows."""
    return name.endswith((ABOVE, BELOW))


def _when(conditions: Sequence[str], figure: str) -> str:
    return f"CASE WHEN {' AND '.join(conditions)} THEN {figure} END"
