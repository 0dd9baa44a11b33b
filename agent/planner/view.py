"""What the planner may look at: vocabulary, values, dates and the conversation so far.

The store's semantic layer and value catalogue satisfy these protocols; the planner never reads a
row of cost data, and the catalogue it gets is already cut to what the principal may see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from finops_assistant.agent.plan import Plan
from finops_assistant.store.metrics import Metric
from finops_assistant.store.result import Result


class Named(Protocol):
    """A metric or dimension of the semantic layer, as far as the planner needs it."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def plural(self) -> str: ...
    @property
    def synonyms(self) -> Sequence[str]: ...


class Groupable(Named, Protocol):
    """A dimension: what charges may lack, and the names that stand for its values."""

    @property
    def tag(self) -> bool: ...
    @property
    def sparse(self) -> bool: ...
    @property
    def aliases(self) -> Sequence[Sequence[str]]: ...


class Vocabulary(Protocol):
    """The semantic layer."""

    @property
    def metrics(self) -> Mapping[str, Metric]: ...
    @property
    def dimensions(self) -> Mapping[str, Groupable]: ...
    def known(self, metric: Metric, measured: frozenset[str]) -> bool: ...


class Values(Protocol):
    """The catalogue of dimension values."""

    def values(self, dimension: str) -> Sequence[str]: ...
    def exact(self, folded: str) -> Sequence[tuple[str, str]]: ...


class Extent(Protocol):
    """How far the data reaches."""

    @property
    def first_day(self) -> date | None: ...
    @property
    def last_day(self) -> date | None: ...
    @property
    def currencies(self) -> Sequence[str]: ...
    @property
    def measured(self) -> frozenset[str]: ...


@dataclass(frozen=True)
class PlannerView:
    """Everything ``parse`` depends on besides the question."""

    semantics: Vocabulary
    catalogue: Values
    facts: Extent
    as_of: date  # "today": the first day that is not looked at
    previous: Plan | None = None
    previous_results: tuple[Result, ...] = ()
