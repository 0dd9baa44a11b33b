"""The semantic layer: every metric and dimension of ``metrics.yaml`` as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from finops_assistant.store.query import Basis

NO_VALUE = "(none)"
UNTAGGED = "(untagged)"
CURRENCY_COLUMN = "BillingCurrency"
PROVIDER_COLUMN = "ServiceProviderName"
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
    """One measure. An additive one is ``sum(value)`` over ``rows``; a ratio is the sum of its
    numerator over the sum of its denominator, times ``scale``, both over the denominator's rows.
    ``unit`` is ``currency``, ``tokens``, ``requests``, ``hours`` or ``currency/<unit>``."""

    name: str
    title: str
    plural: str
    unit: str
    kind: Literal["additive", "ratio"]
    fact: Literal["focus", "llm_usage"]
    synonyms: tuple[str, ...]
    description: str
    source: str
    value: str = ""
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    numerator: str = ""
    denominator: str = ""
    scale: int = 1

    @property
    def money(self) -> bool:
        """Whether its figures are in a currency, so that they never add up across currencies."""
        return self.unit.split("/")[0] == "currency"


@dataclass(frozen=True)
class Dimension:
    """One way to break figures down. ``value`` is NULL where a row has none, shown as ``missing``;
    ``label`` is a readable name beside an identifier; ``aliases`` are groups of names for one
    value, the specification's or the vendor's own spelling first."""

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
    aliases: tuple[tuple[str, ...], ...] = ()


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

    def columns(self, name: str, basis: Basis) -> frozenset[str]:
        """Every column that a metric reads under a cost basis."""
        metric = self.metrics[self.cost_metric(name, basis)]
        if metric.kind == "additive":
            return frozenset(metric.columns)
        below = self.metrics[metric.denominator]
        return frozenset((*self.numerator(metric, basis).columns, *below.columns))


@cache
def load_semantics() -> Semantics:
    """The semantic layer of this program, read once from the package's ``metrics.yaml``."""
    import yaml

    # libyaml parses the file in a tenth of the time of the pure Python loader.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("finops_assistant.store").joinpath("metrics.yaml").read_text(encoding="utf-8")
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
