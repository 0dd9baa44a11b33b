"""What free SQL may read: one view per relation, cut to the rows and columns of a principal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from finops_assistant.store import focus
from finops_assistant.store.access import Principal, row_scope
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.metrics import Fact
from finops_assistant.store.sandbox.nodes import STORE
from finops_assistant.store.tables import TABLES
from finops_assistant.store.usage_layers import CHARGE_COLUMNS, OWN_COLUMNS

USAGE: Final = "usage"
ALLOCATED: Final = "allocated"
# Columns with a unit. What a price list or a gateway says is in USD whatever the bill is in, so
# that it is no ``money`` of the store.
_UNITS: Final = {
    **dict.fromkeys(focus.MONEY_COLUMNS, "money"),
    "x_GpuHours": "hours",
    "Tokens": "tokens",
    "Requests": "requests",
}
_OF_USAGE: Final = (*(column.name for column in CHARGE_COLUMNS), *OWN_COLUMNS)
_OF_ALLOCATED: Final = (
    *("Rule", "Position", "Method", "Dimension", "Target", "ChargePeriodStart"),
    *("ChargePeriodEnd", "BillingCurrency", "ServiceProviderName", "ServiceName", "Share"),
    *("EffectiveCost", "BilledCost", "Basis"),
)
_START: Final = "ChargePeriodStart"


@dataclass(frozen=True)
class Relation:
    """One relation: the SELECT that makes it, and its columns with their units, if any."""

    view: str
    units: Mapping[str, str | None]

    @property
    def request(self) -> dict[str, Any]:
        """What the worker is told: column names as DuckDB compares them."""
        return {"view": self.view, "units": {n.lower(): unit for n, unit in self.units.items()}}


def relations_of(principal: Principal, before: date | None) -> dict[str, Relation]:
    """The relations by name, with what starts before a day. Raises QueryRefused for a principal
    that may see nothing.

    What has the columns of a charge is cut to a principal's rows; model usage as it was reported,
    telemetry, business context and allocated cost have no such columns, so that only a principal
    without restrictions reads them.
    """
    names = [c.name for c in focus.COLUMNS]
    found = {
        view: _of_charges(principal, table, "focus", names, before)
        for table, view in focus.VIEWS.items()
    }
    found[USAGE] = _of_charges(principal, USAGE, "usage", _OF_USAGE, before)
    if principal.restricted or principal.hide:
        return found
    found[ALLOCATED] = _plain(ALLOCATED, _OF_ALLOCATED, _START, before)
    for name, table in TABLES.items():
        found[name] = _plain(name, [c.name for c in table.columns], table.moment, before)
    return found


def _of_charges(
    principal: Principal, table: str, fact: Fact, names: Iterable[str], before: date | None
) -> Relation:
    """OFFSET 0 keeps DuckDB from running the statement's own conditions on rows that the principal
    may not see: one that fails on some values would tell that there are such rows."""
    scope = row_scope(principal).on(fact)
    columns = [name for name in names if name not in principal.hide]
    if not columns:
        raise QueryRefused("NOT_PERMITTED", "You may not see any column.")
    conditions = [f"({scope})"] if scope else []
    return _relation(table, columns, [*conditions, *_until(_START, before)], bool(scope))


def _plain(table: str, names: Iterable[str], moment: str | None, before: date | None) -> Relation:
    return _relation(table, list(names), _until(moment, before), False)


def _until(moment: str | None, before: date | None) -> list[str]:
    if moment is None or before is None:
        return []
    return [f"{focus.quote(moment)} < DATE '{before.isoformat()}'"]


def _relation(table: str, columns: list[str], conditions: list[str], barrier: bool) -> Relation:
    listed = ", ".join(focus.quote(name) for name in columns)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    end = " OFFSET 0" if barrier else ""
    view = f"SELECT {listed} FROM {STORE}.main.{table}{where}{end}"  # noqa: S608
    return Relation(view, {name: _UNITS.get(name) for name in columns})
