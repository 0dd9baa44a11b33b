"""The semantic layer: every metric and dimension of ``metrics.yaml`` as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from finops_assistant.store.query import Basis
from finops_assistant.store.skus import AI_SPEND_SQL

NO_VALUE = "(none)"
UNTAGGED = "(untagged)"
CURRENCY_COLUMN = "BillingCurrency"
PROVIDER_COLUMN = "ServiceProviderName"
Fact = Literal["focus", "usage"]
BASIS_METRICS: Mapping[Basis, str] = MappingProxyType(
    {
        "effective": "effective_cost",
        "billed": "billed_cost",
        "list": "list_cost",
        "contracted": "contracted_cost",
    }
)


@dataclass(frozen=True)
class Metric:
    """One measure. An additive one is ``sum(value)`` over ``rows`` of the table ``fact``; a ratio
    is the sum of its numerator (over ``rows`` if it names any, else over the denominator's) divided
    by the sum of its denominator, times ``scale``. Of a ratio over two tables only what meets
    counts: the days and the columns ``match`` that have both. ``unit`` is ``currency``, ``tokens``,
    ``requests``, ``hours`` or ``currency/<unit>``."""

    name: str
    title: str
    plural: str
    unit: str
    kind: Literal["additive", "ratio"]
    synonyms: tuple[str, ...]
    description: str
    source: str
    fact: Fact = "focus"
    value: str = ""
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    numerator: str = ""
    denominator: str = ""
    match: tuple[str, ...] = ()
    scale: int = 1

    @property
    def money(self) -> bool:
        """Whether its figures are in a currency, so that they never add up across currencies."""
        return self.unit.split("/")[0] == "currency"


@dataclass(frozen=True)
class Dimension:
    """One way to break figures down. ``value`` is NULL where a row has none, shown as ``missing``;
    ``label`` is a readable name beside an identifier; ``aliases`` are groups of names for one
    value, the specification's or the vendor's own spelling first; ``stated`` is what an answer
    about a value must say; ``detail`` marks what only some sources of usage know."""

    name: str
    title: str
    plural: str
    value: str
    columns: tuple[str, ...]
    synonyms: tuple[str, ...]
    description: str
    source: str
    label: str | None = None
    label_columns: tuple[str, ...] = ()
    missing: str = NO_VALUE
    tag: bool = False
    sparse: bool = False
    detail: bool = False
    aliases: tuple[tuple[str, ...], ...] = ()
    usage_value: str | None = None
    stated: Mapping[str, str] = field(default_factory=dict)

    def on(self, fact: Fact) -> Dimension:
        """The dimension with the ``value`` that it has over a table."""
        if fact == "focus" or self.usage_value is None:
            return self
        return replace(self, value=self.usage_value)


@dataclass(frozen=True)
class Semantics:
    """All metrics and dimensions by name."""

    metrics: Mapping[str, Metric]
    dimensions: Mapping[str, Dimension]

    def cost_metric(self, name: str, basis: Basis) -> str:
        """The metric that ``name`` stands for under a cost basis: ``effective_cost`` moves with
        the basis, every other name says itself what it is."""
        return BASIS_METRICS[basis] if name == "effective_cost" else name

    def numerator(self, metric: Metric, basis: Basis) -> Metric:
        """The additive metric above the line of a ratio, under a cost basis."""
        return self.metrics[self.cost_metric(metric.numerator, basis)]

    def facts(self, metric: Metric) -> tuple[Fact, ...]:
        """The tables that a metric rests on, billed cost first."""
        if metric.kind == "additive":
            return (metric.fact,)
        above, below = self.metrics[metric.numerator], self.metrics[metric.denominator]
        return tuple(dict.fromkeys((above.fact, below.fact)))

    def known(self, metric: Metric, measured: frozenset[str]) -> bool:
        """Whether there are figures to make a metric of; ``measured`` are the columns of ``usage``
        that hold any."""
        parts = [metric.numerator, metric.denominator] if metric.kind == "ratio" else [metric.name]
        used = [m for m in map(self.metrics.__getitem__, parts) if m.fact == "usage"]
        return all(m.value in measured for m in used)

    def columns(self, name: str, basis: Basis) -> frozenset[str]:
        """Every column that a metric reads under a cost basis."""
        metric = self.metrics[self.cost_metric(name, basis)]
        if metric.kind == "additive":
            return frozenset(metric.columns)
        below = self.metrics[metric.denominator]
        above = self.numerator(metric, basis)
        return frozenset((*above.columns, *below.columns, *metric.columns))


@cache
def load_semantics() -> Semantics:
    """The semantic layer of this program, read once from the package's ``metrics.yaml``."""
    import yaml

    # libyaml parses the file in a tenth of the time of the pure Python loader.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("finops_assistant.store").joinpath("metrics.yaml").read_text(encoding="utf-8")
    text = text.replace("{AI_SPEND_SQL}", AI_SPEND_SQL)
    data = yaml.load(text, Loader=loader)  # noqa: S506  both loaders are safe ones
    return Semantics(
        metrics=MappingProxyType(
            {name: Metric(name=name, **_tuples(body)) for name, body in data["metrics"].items()}
        ),
        dimensions=MappingProxyType(
            {
                name: Dimension(name=name, **_tuples(body))
                for name, body in data["dimensions"].items()
            }
        ),
    )


def _tuples(value: Any) -> Any:
    """YAML lists as tuples, so that the definitions cannot be changed by accident."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return value
