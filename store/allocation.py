"""Shared cost split to teams, initiatives and so on: the table ``allocated``, derived after a load.

One row is what one rule gives to one target, out of one day's cost of one service::

    Rule, Position, Method, Dimension, Target      '(untagged)' and '(unallocated)' are targets, too
    ChargePeriodStart, ChargePeriodEnd TIMESTAMP   the day
    BillingCurrency, ServiceProviderName, ServiceName   of what was split
    Share DECIMAL(19,18)                           of the calendar month
    EffectiveCost, BilledCost DECIMAL(38,12)       its part
    Basis VARCHAR                                  what the share rests on

The parts of a pool add up to it, for every day, service and currency, to the last decimal. A charge
that two rules of one dimension claim is the first one's. The bill itself is not changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext
from importlib.resources import files
from typing import Final

import duckdb

from finops_assistant.store.allocation_meters import Measured, measured
from finops_assistant.store.allocation_rules import (
    SETTING,
    UNALLOCATED,
    Rule,
    allocation_rules,
    fingerprint,
)
from finops_assistant.store.focus import CHARGES, literal
from finops_assistant.store.metrics import UNTAGGED
from finops_assistant.store.settings import Settings

SHARE_DECIMALS: Final = 18
_EXACT: Final = Context(prec=60)
# Cost in units of 1e-12 times share in units of 1e-18, rounded half to even. Whole currency and the
# rest are multiplied apart: their product would not fit into 127 bits.
_MACROS: Final = """
CREATE OR REPLACE TEMP MACRO to_even(whole, rest) AS (
    whole + rest // 1000000000000000000
    + CASE WHEN rest % 1000000000000000000 > 500000000000000000 THEN 1
           WHEN rest % 1000000000000000000 < 500000000000000000 THEN 0
           ELSE (whole + rest // 1000000000000000000) % 2 END
);
CREATE OR REPLACE TEMP MACRO allocated_size(units, share) AS (
    to_even(
        (units // 1000000000000) * share // 1000000,
        ((units // 1000000000000) * share % 1000000) * 1000000000000
            + (units % 1000000000000) * share
    )
);
CREATE OR REPLACE TEMP MACRO allocated_part(units, share) AS (
    sign(units)::HUGEINT * allocated_size(
        abs(units), CAST(share * 1000000000000000000::DECIMAL(19,0) AS HUGEINT)
    )
);
CREATE OR REPLACE TEMP MACRO units_as_money(units) AS (
    CAST(units // 1000000000000 AS DECIMAL(38,12))
    + CAST(CAST(units % 1000000000000 AS DECIMAL(13,0)) * 0.000000000001 AS DECIMAL(38,12))
);
"""


@dataclass(frozen=True)
class Pool:
    """What a rule splits in one month and currency."""

    month: date
    currency: str


def allocate(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Make the table ``allocated`` anew from the rules of ``settings``."""
    rules = allocation_rules(settings)
    connection.execute(_MACROS)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE pool AS {_pools_sql(rules)}")
    shares = [
        share
        for position, rule in enumerate(rules, start=1)
        for share in _shares(connection, rule, position, rules, settings)
    ]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE share_of AS "
        'SELECT unnest(from_json(?, \'[{"position": "INTEGER", "month": "DATE", '
        '"currency": "VARCHAR", "target": "VARCHAR", "share": "DECIMAL(19,18)", '
        '"last": "BOOLEAN", "basis": "VARCHAR"}]\'), recursive := true)',
        [json.dumps(shares)],
    )
    text = files("finops_assistant.store").joinpath("allocation.sql").read_text("utf-8")
    connection.execute(f"CREATE OR REPLACE TABLE allocated AS {text}")
    for name in ("pool", "share_of"):
        connection.execute(f"DROP TABLE {name}")
    connection.execute(
        "INSERT OR REPLACE INTO store_meta VALUES (?, ?)", [SETTING, fingerprint(settings)]
    )


def claimed_sql(rules: Iterable[Rule], dimension: str) -> str:
    """The number of the rule, from 1 among all ``rules``, that splits a charge to ``dimension``;
    NULL for a charge that none of them splits. An SQL expression over ``focus``."""
    cases = [
        f"WHEN {rule.pool.predicate} THEN {position}"
        for position, rule in enumerate(rules, start=1)
        if rule.to == dimension
    ]
    return f"CASE {' '.join(cases)} END" if cases else "NULL::INTEGER"


def _pools_sql(rules: tuple[Rule, ...]) -> str:
    """The relation ``pool``: the cost that each rule splits, by day, currency and service."""
    names = "[" + ", ".join(literal(rule.name) for rule in rules) + "]::VARCHAR[]"
    methods = "[" + ", ".join(literal(rule.method) for rule in rules) + "]::VARCHAR[]"
    claims = {rule.to: claimed_sql(rules, rule.to) for rule in rules} or {"": "0"}
    each = " UNION ALL ".join(
        f"SELECT {claimed} AS position, {literal(dimension)} AS dimension, * FROM {CHARGES}"  # noqa: S608
        for dimension, claimed in claims.items()
    )
    return f"""
        SELECT ({names})[position] AS rule, position, ({methods})[position] AS method, dimension,
               CAST(date_trunc('month', ChargePeriodStart) AS DATE) AS month,
               CAST(ChargePeriodStart AS DATE) AS day, BillingCurrency AS currency,
               ServiceProviderName AS provider, ServiceName AS service,
               sum(EffectiveCost) AS effective, sum(BilledCost) AS billed
        FROM ({each}) WHERE position > 0 GROUP BY ALL
    """  # noqa: S608


def _shares(
    connection: duckdb.DuckDBPyConnection,
    rule: Rule,
    position: int,
    rules: tuple[Rule, ...],
    settings: Settings,
) -> Iterable[Mapping[str, object]]:
    """The shares of every month and currency in which a rule has anything to split."""
    found = connection.execute(
        "SELECT DISTINCT month, currency FROM pool WHERE position = ? ORDER BY ALL", [position]
    ).fetchall()
    pools = [Pool(*row) for row in found]
    if not pools:
        return
    metered = (
        measured(connection, rule, claimed_sql(rules, rule.to), settings)
        if rule.method in ("proportional", "proxy")
        else Measured({}, {}, "")
    )
    for pool in pools:
        with localcontext(_EXACT):
            parts = _parts(rule, pool, metered)
        for place, (target, share, basis) in enumerate(parts, start=1):
            yield {
                "position": position,
                "month": pool.month.isoformat(),
                "currency": pool.currency,
                "target": target,
                "share": format(share, "f"),
                "last": place == len(parts),
                "basis": basis,
            }


def _parts(rule: Rule, pool: Pool, metered: Measured) -> list[tuple[str, Decimal, str]]:
    """Target, share and what it rests on; the shares add up to 1."""
    if rule.method == "fixed":
        weights = {target: Decimal(share) for target, share in rule.shares}
        basis = {target: f"fixed share of {share}" for target, share in rule.shares}
    elif rule.method == "even":
        weights = dict.fromkeys(rule.targets, Decimal(1))
        basis = dict.fromkeys(rule.targets, f"one of {len(rule.targets)} equal parts")
    else:
        counted = metered.of(pool.month, pool.currency)
        weights = {
            target: max(value, Decimal(0))
            for target, value in counted.items()
            if not rule.targets or target in rule.targets
        }
        total = sum(weights.values(), Decimal(0))
        when = metered.when(pool.month)
        basis = {
            target: f"{_plain(value)} of {_plain(total)} {metered.unit(pool.currency)}{when}"
            for target, value in weights.items()
        }
    weights = {target: weight for target, weight in weights.items() if weight}
    if not weights:
        nobody = f"no {metered.unit(pool.currency)} in {pool.month:%Y-%m}"
        return [(UNALLOCATED, Decimal(1), nobody)]
    # What belongs to nobody comes last: it takes what rounding leaves.
    order = sorted(weights, key=lambda target: (target == UNTAGGED, target))
    total = sum(weights.values(), Decimal(0))
    shares = [
        (weights[target] / total).quantize(Decimal(1).scaleb(-SHARE_DECIMALS))
        for target in order[:-1]
    ]
    shares.append(1 - sum(shares, Decimal(0)))
    return [(target, share, basis[target]) for target, share in zip(order, shares, strict=True)]


def _plain(number: Decimal) -> str:
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
