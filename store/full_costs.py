"""What a team or an AI initiative costs in full: its own charges by kind, and its shares.

The full cost of all targets of a dimension together is the whole cost, each charge once: what a
rule splits to the dimension counts with those it is split to, no longer with whom it is tagged for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import duckdb

from finops_assistant.store.access import Principal, row_scope
from finops_assistant.store.allocation import claimed_sql
from finops_assistant.store.allocation_rules import SETTING, UNALLOCATED, Rule, rules_of
from finops_assistant.store.conditions import text
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.focus import TAG_COLUMNS
from finops_assistant.store.metrics import UNTAGGED

# What kind of cost a charge is of those it belongs to; read in this order.
COMPONENT_SQL: Final = """
CASE
    WHEN CommitmentDiscountId IS NOT NULL AND ServiceCategory = 'AI and Machine Learning'
        THEN 'provisioned throughput'
    WHEN x_ModelId IS NOT NULL THEN 'model API'
    WHEN x_WorkloadType = 'training' THEN 'training GPU'
    WHEN ServiceCategory = 'AI and Machine Learning' THEN 'endpoint'
    WHEN x_WorkloadType = 'pipeline' THEN 'pipeline'
    ELSE 'other'
END
"""
_COMPONENT_COLUMNS: Final = (
    "CommitmentDiscountId",
    "ServiceCategory",
    "x_ModelId",
    "x_WorkloadType",
)


@dataclass(frozen=True)
class FullCost:
    """The effective cost of one target in one currency. ``direct``: kind of cost -> amount;
    ``allocated``: rule -> amount."""

    target: str
    currency: str
    direct: Mapping[str, Decimal]
    allocated: Mapping[str, Decimal]

    @property
    def direct_total(self) -> Decimal:
        """Its own charges."""
        return sum(self.direct.values(), Decimal(0))

    @property
    def allocated_total(self) -> Decimal:
        """Its shares of what is split."""
        return sum(self.allocated.values(), Decimal(0))

    @property
    def total(self) -> Decimal:
        """Both."""
        return self.direct_total + self.allocated_total


@dataclass(frozen=True)
class Split:
    """What one rule gave to one target in one month and currency; ``billed``, ``share`` and
    ``basis`` are None for whom they are hidden."""

    rule: str
    target: str
    month: date
    currency: str
    effective: Decimal
    billed: Decimal | None
    share: Decimal | None
    basis: str | None


@dataclass(frozen=True)
class Proof:
    """What a rule had to split in one currency, beside what its parts add up to; ``lost`` is the
    cost of its scope that an earlier rule of the dimension splits."""

    rule: str
    currency: str
    charges: int
    effective: Decimal
    split_effective: Decimal
    billed: Decimal | None
    split_billed: Decimal | None
    lost: Decimal

    @property
    def exact(self) -> bool:
        """Whether the parts add up to the pool."""
        return self.effective == self.split_effective and self.billed == self.split_billed


@dataclass(frozen=True)
class Allocations:
    """The allocations of a store as a principal may see them: make one for each request."""

    connection: duckdb.DuckDBPyConnection
    principal: Principal
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, principal: Principal) -> Allocations:
        """The rules that the store was derived with. QueryRefused where nothing may be seen."""
        row_scope(principal)
        needed = ("EffectiveCost", "BillingCurrency", "ChargePeriodStart")
        if not principal.may_read(needed) or not principal.may_use("allocation"):
            raise QueryRefused("NOT_PERMITTED", "You may not see what cost is allocated to whom.")
        row = connection.execute("SELECT value FROM store_meta WHERE key = ?", [SETTING]).fetchone()
        return cls(connection, principal, rules_of(row[0]) if row else ())

    def full_costs(self, dimension: str, start: date, end: date) -> tuple[FullCost, ...]:
        """The full effective cost of every target that may be seen, dearest first, in the charge
        days from ``start`` to before ``end``. QueryRefused for a dimension that may not be seen."""
        column = self._column(dimension)
        found: dict[tuple[str, str], tuple[dict[str, Decimal], dict[str, Decimal]]] = {}
        parts = COMPONENT_SQL if self.principal.may_read(_COMPONENT_COLUMNS) else "'direct'"
        rows = self.connection.execute(
            f"SELECT coalesce({column}, {text(UNTAGGED)}), BillingCurrency, {parts}, "  # noqa: S608
            f"sum(EffectiveCost) FROM focus WHERE {_within(start, end)} AND {self._seen} "
            f"AND ({claimed_sql(self.rules, dimension)}) IS NULL GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        for target, currency, component, amount in rows:
            found.setdefault((target, currency), ({}, {}))[0][component] = amount
        for split in self.splits(dimension, start, end):
            shares = found.setdefault((split.target, split.currency), ({}, {}))[1]
            shares[split.rule] = shares.get(split.rule, Decimal(0)) + split.effective
        full = [FullCost(*key, *parts) for key, parts in found.items()]
        return tuple(sorted(full, key=lambda one: (one.currency, -one.total, one.target)))

    def splits(self, dimension: str, start: date, end: date) -> tuple[Split, ...]:
        """What the rules of a dimension gave to the targets that may be seen."""
        self._column(dimension)
        billed = "sum(BilledCost)" if self.principal.may_read(["BilledCost"]) else "NULL"
        rows = self.connection.execute(
            "SELECT Rule, Target, CAST(date_trunc('month', ChargePeriodStart) AS DATE), "  # noqa: S608
            f"BillingCurrency, sum(EffectiveCost), {billed}, any_value(Share), any_value(Basis) "
            f"FROM allocated WHERE Dimension = ? AND {_within(start, end)} "
            "GROUP BY Position, Rule, Target, 3, 4 ORDER BY Position, 3, 4, 5 DESC, 2",
            [dimension],
        ).fetchall()
        whole = {rule.name: self.may_see(rule) for rule in self.rules if rule.to == dimension}
        targets = None if not self.principal.restricted else self._targets(dimension)
        return tuple(
            Split(*(row if whole[row[0]] else (*row[:6], None, None)))
            for row in rows
            if targets is None or row[1] in targets or (row[1] == UNALLOCATED and whole[row[0]])
        )

    def proofs(self, rule: Rule, start: date, end: date) -> tuple[Proof, ...]:
        """What a rule had to split, from the charges themselves, beside the sum of its parts; none
        for whom a part of the pool is hidden."""
        if not self.may_see(rule):
            return ()
        position = self.rules.index(rule) + 1
        mine = f"({claimed_sql(self.rules, rule.to)}) = {position}"
        billed = "BilledCost" if self.principal.may_read(["BilledCost"]) else "NULL::DECIMAL(38,12)"
        rows = self.connection.execute(
            f"""
            SELECT BillingCurrency, count(*) FILTER ({mine}),
                   coalesce(sum(EffectiveCost) FILTER ({mine}), 0),
                   any_value(given.effective),
                   sum({billed}) FILTER ({mine}), any_value(given.billed),
                   coalesce(sum(EffectiveCost) FILTER (NOT {mine}), 0)
            FROM focus LEFT JOIN (
                SELECT BillingCurrency AS currency, sum(EffectiveCost) AS effective,
                       sum({billed}) AS billed
                FROM allocated WHERE Position = {position} AND {_within(start, end)} GROUP BY 1
            ) AS given ON given.currency = BillingCurrency
            WHERE {_within(start, end)} AND {rule.pool.predicate}
            GROUP BY 1 ORDER BY 1
            """  # noqa: S608
        ).fetchall()
        return tuple(
            Proof(rule.name, currency, count, pool, split or Decimal(0), bill, part, lost)
            for currency, count, pool, split, bill, part, lost in rows
        )

    @property
    def _seen(self) -> str:
        return row_scope(self.principal).predicate or "TRUE"

    def _column(self, dimension: str) -> str:
        column = TAG_COLUMNS[dimension]
        if not self.principal.may_read([column]):
            raise QueryRefused("NOT_PERMITTED", f"You may not see cost by {dimension}.")
        return column

    def may_see(self, rule: Rule) -> bool:
        """Whether all that a rule splits may be seen, and what tells it apart."""
        if not self.principal.may_read(rule.pool.columns):
            return False
        return not self.principal.restricted or self._none_hidden(rule.pool.predicate)

    def _none_hidden(self, predicate: str) -> bool:
        row = self.connection.execute(
            f"SELECT count(*) FROM focus WHERE {predicate} AND NOT coalesce({self._seen}, FALSE)"  # noqa: S608
        ).fetchone()
        return row == (0,)

    def _targets(self, dimension: str) -> frozenset[str]:
        """The targets none of whose charges is hidden from a principal with limited rows; and those
        it is limited to, where that is the only limit."""
        rows = self.connection.execute(
            f"SELECT coalesce({TAG_COLUMNS[dimension]}, {text(UNTAGGED)}) FROM focus "  # noqa: S608
            f"GROUP BY 1 HAVING bool_and(coalesce({self._seen}, FALSE))"
        ).fetchall()
        named = self.principal.allow.get(dimension, ()) if len(self.principal.allow) == 1 else ()
        return frozenset((*(row[0] for row in rows), *named))


def _within(start: date, end: date) -> str:
    return (
        f"ChargePeriodStart >= DATE {text(start.isoformat())} "
        f"AND ChargePeriodStart < DATE {text(end.isoformat())}"
    )


def as_json(value: FullCost) -> dict[str, Any]:
    """A full cost as the command prints it."""
    return {
        "target": value.target,
        "currency": value.currency,
        "direct": dict(value.direct),
        "allocated": dict(value.allocated),
        "direct_total": value.direct_total,
        "allocated_total": value.allocated_total,
        "total": value.total,
    }
